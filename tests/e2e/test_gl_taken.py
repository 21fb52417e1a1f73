"""What the ledger's service takes from its users, the pipeline lets through."""

import datetime as dt
from pathlib import Path

from gl_home import Ledger
from gl_home import service as sandbox
from gl_service import KEYS, NOW, Time, journal, options, serving
from gl_tiny import WELL

from clearhouse.core.errors import ExitCode

DAY = dt.date(2024, 1, 30)
CASH = {"account_code": "1010", "credit": "20.00"}
COST = {"account_code": "5100", "well_id": WELL["well_id"], "product": "OIL"}
VENDOR = {"account_code": "2010", "party_type": "vendor", "party_id": "VEN-002"}


def test_what_the_service_takes_passes_the_gates(tmp_path: Path) -> None:
    months = ("2026-02", "2026-03")
    halves = [{**COST, "debit": "5.00", "share": "0.5", "production_month": m} for m in months * 2]
    pipes = {"account_code": "1210", "debit": "20.00", "document": "PIPE-1"}
    bill = {**VENDOR, "document": "PIPE-1"}
    invoice = {"journal_source": "AP", "transaction_type": "INV"}
    credit_note = [{**bill, "debit": "5.00"}, {**pipes, "debit": "0", "credit": "5.00"}]
    with serving(options(tmp_path, Time(), days=1)) as service:
        taken = [
            service.post(journal(lines=[*halves, CASH]), "two-months"),
            service.post(journal(lines=[pipes, {**bill, "credit": "20.00"}], **invoice), "pipes"),
            service.post(journal(lines=credit_note, **invoice), "credit-note"),
        ]
        undo = {"posting_date": str(NOW.date()), "description": "no", "approved_by": "USER-456"}
        path = f"{taken[-1].headers['Location']}/reverse"
        taken.append(service.poster.post(path, json=undo, headers={"Idempotency-Key": "undo"}))
        assert [answer.status_code for answer in taken] == [201] * 4
        settings = {"GL_API_URL": service.url, "GL_API_KEY": KEYS["reader"]}
        ledger = Ledger(tmp_path / "home", settings)
        ran = ledger.command("step", "gl", "ingest_gl_stream", "--date", NOW.date())
    assert ran.exit_code == 0, ran.stderr
    checked = ledger.command("gl", "check")
    assert checked.exit_code == 0, checked.stdout


def test_a_day_that_is_held_before_any_is_published_is_checked_too(tmp_path: Path) -> None:
    with sandbox({DAY: ("lost_line",)}) as settings:
        ledger = Ledger(tmp_path / "home", settings)
        ran = ledger.run(DAY, DAY)
        checked = ledger.command("gl", "check", "--json")
    assert ran.exit_code == ExitCode.HELD
    assert checked.exit_code == ExitCode.UNBALANCED, checked.stdout
