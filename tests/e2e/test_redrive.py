"""A corrected row lands as it came, but for what was corrected."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from bnpl_home import DAY, Warehouse
from playback import SIMTOM as RECORDED

from clearhouse.bnpl.source import SIMTOM
from clearhouse.core.contract import Violation, type_records
from clearhouse.core.errors import UsageError
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.redrive import land_corrected
from clearhouse.store.quarantine import QuarantinedRow

AMOUNT = "amount"


def with_rejected(folder: Path, **changed: object) -> tuple[Run, str]:
    """A home in whose quarantine is a record without an amount and with some other fields."""
    run = Warehouse(folder / "home", "http://127.0.0.1:1/nobody").open()
    line = (RECORDED / "three-days-seed-42.txt").read_bytes().splitlines()[0]
    record = json.loads(line.removeprefix(b"data: "))
    landed = run.landing.put(SIMTOM, DAY, line.removeprefix(b"data: ") + b"\n", {})
    raw = json.dumps({**record, AMOUNT: "wrong", **changed}, ensure_ascii=False)
    row = QuarantinedRow(
        dataset=run.dataset().id,
        book_date=DAY,
        record_id="rejected",
        record_key="rejected",
        object_key=landed.key,
        line=1,
        violations=(Violation(AMOUNT, "wrong_type", "is no amount"),),
        raw=raw.encode(),
        amount_minor=0,
        currency="USD",
    )
    run.quarantine.replace(run.dataset().id, {DAY: ("entry", [row])})
    return run, raw


def test_fields_that_were_not_corrected_stay_as_they_came(tmp_path: Path) -> None:
    run, raw = with_rejected(
        tmp_path, model={"score": 0.820, "of": [1, None]}, product_brand="Café \\ Söhne"
    )
    land_corrected(run, "rejected", {AMOUNT: "45.90"})

    corrected = run.landing.read(run.landing.objects(SIMTOM, DAY)[1]).decode()
    assert (
        corrected
        == raw.replace('"wrong"', "45.90").replace(
            '{"score": 0.82, "of": [1, null]}', '{"score":0.82,"of":[1,null]}'
        )
        + "\n"
    )


def test_a_correction_that_would_be_rejected_when_it_is_typed_does_not_land(
    tmp_path: Path,
) -> None:
    run, _ = with_rejected(tmp_path, transaction_id="txn_é")
    with pytest.raises(UsageError, match="find different keys"):
        land_corrected(run, "rejected", {AMOUNT: "45.90", "transaction_id": r'"txn_\"1"'})
    assert len(run.landing.objects(SIMTOM, DAY)) == 1

    land_corrected(run, "rejected", {AMOUNT: "45.90"})
    payload = run.landing.read(run.landing.objects(SIMTOM, DAY)[1])
    assert len(type_records(payload, run.dataset().contract, SIMTOM).accepted) == 1


def test_of_a_row_that_came_on_several_days_the_day_says_which(tmp_path: Path) -> None:
    run, _ = with_rejected(tmp_path)
    (row,) = run.quarantine.of_days(run.dataset().id)
    later = DAY + dt.timedelta(days=1)
    run.quarantine.replace(run.dataset().id, {later: ("entry", [replace(row, book_date=later)])})

    with pytest.raises(UsageError, match=f"say by --date which: that of {DAY}, {later}"):
        land_corrected(run, "rejected", {AMOUNT: "45.90"})
    assert land_corrected(run, "rejected", {AMOUNT: "45.90"}, later) == later
    assert len(run.landing.objects(SIMTOM, later)) == 1
