"""The client and the pipeline against recorded answers of a real simtom, byte for byte."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from pathlib import Path

from bnpl_home import Warehouse
from cli_session import in_process
from playback import SIMTOM, Play, Playback

from clearhouse.bnpl.source import SIMTOM as SOURCE
from clearhouse.books.model import Side

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2024, 1, 3)


def test_206_recorded_records_reach_the_mart(tmp_path: Path) -> None:
    recorded = (SIMTOM / "three-days-seed-42.txt").read_bytes()
    with Playback([Play(recorded, chunk_bytes=1000)]) as server:
        warehouse = Warehouse(tmp_path, server.url, ask_by="range", base_daily_volume=100)
        report = warehouse.run(FIRST, LAST)

    assert report.exit_code == 0, report.stopped()
    assert warehouse.readers() == [{"n": 206}]
    landed = b"".join(
        b"data: " + line + b"\n\n"
        for day in warehouse.open().landing.days(SOURCE, report.window).values()
        for landed in day
        for line in warehouse.open().landing.read(landed).splitlines()
    )
    assert landed == recorded
    amounts = warehouse.readers(
        "SELECT sum(amount) AS total FROM {readers} WHERE transaction_id < 'txn_00000002'"
    )
    assert amounts == [{"total": Decimal("235.19")}]  # 130.92 + 104.27


def test_noise_is_rejected_with_its_reasons_said_and_never_rounded(tmp_path: Path) -> None:
    recorded = (SIMTOM / "noise-and-drift.txt").read_bytes()
    with Playback([Play(recorded)]) as server:
        warehouse = Warehouse(tmp_path, server.url, base_daily_volume=100)
        answer = in_process(warehouse, "run", "bnpl", "--from", str(FIRST), "--to", str(FIRST))

    assert answer.exit_code == 3, answer.output
    assert f"{FIRST} held by validate_raw_schema: " in answer.stderr
    rows = warehouse.open().quarantine.of_days("bnpl.transactions", [FIRST])
    assert [row.line for row in rows] == [1, 2, 3]
    assert b"".join(b"data: " + row.raw + b"\n\n" for row in rows) == recorded
    found = {(v.field, v.code): v.detail for v in rows[0].violations}
    assert "185.66843307230633 is not an exact amount" in found["amount", "money_malformed"]
    assert ("device_is_trusted", "wrong_type") in found
    assert ("installment_count", "wrong_type") in found
    reasons = Counter(row.violations[0].code for row in rows)
    told = ", ".join(f"{n} {code}" for code, n in reasons.most_common())
    assert f"Rejected: 3 of 3 records ({told}). " in answer.stdout
    assert "quarantine list --domain bnpl` shows them." in answer.stdout
    entry = next(e for e in warehouse.audit().entries if Side.REJECTED in e.totals)
    assert entry.totals[Side.REJECTED].records == 3
    assert dict(entry.totals[Side.REJECTED].amounts()) == {}  # 0 of XXX, not 185.67


def test_a_category_that_nobody_announced_is_kept_and_told(tmp_path: Path) -> None:
    recorded = (SIMTOM / "three-days-seed-42.txt").read_bytes()
    sent = recorded.replace(b'"risk_level": "low"', b'"risk_level": "extreme"', 2)
    with Playback([Play(sent)]) as server:
        warehouse = Warehouse(tmp_path, server.url, base_daily_volume=100)
        for step in ("extract_daily_batch", "validate_raw_schema"):
            answer = in_process(warehouse, "step", "bnpl", step, "--date", str(FIRST))

    told = "Values that the contract does not know, kept: risk_level=extreme (2)."
    assert told in answer.stdout, answer.output
    assert warehouse.open().quarantine.of_days("bnpl.transactions", [FIRST]) == []
