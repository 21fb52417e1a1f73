"""Two ledgers that have one Redis: what one answers is never an answer of the other."""

from pathlib import Path

import pytest
from gl_service import Running, journal, options, serving


def _balance(service: Running) -> str:
    """What the ledger's trial balance says of insurance."""
    accounts = service.reader.get("/v1/trial-balance?fiscal_period=2026-05").json()["accounts"]
    return str(next(x["debits"] for x in accounts if x["account_code"] == "7300"))


def _last_line(service: Running) -> str:
    return service.reader.get("/v1/lines/export?recorded_on=2026-05-12").headers["X-Last-Entry-Id"]


def test_each_ledger_answers_for_itself(tmp_path: Path, redis_url: str | None) -> None:
    if redis_url is None:
        pytest.skip("this stack has no Redis")
    folders = [tmp_path / name for name in ("one", "another")]
    wanted = [options(folder, redis_url=redis_url) for folder in folders]
    with serving(wanted[0]) as one, serving(wanted[1]) as another:
        amounts = ["10.00", "2500.00"]
        for service, amount in zip((one, another), amounts, strict=True):
            lines = [
                {"account_code": "7300", "debit": amount},
                {"account_code": "1010", "credit": amount},
            ]
            assert service.post(journal(lines=lines), "one").status_code == 201
        assert _last_line(one) == _last_line(another)
        assert [_balance(one), _balance(another)] == amounts
