"""A corrected row lands as it came, but for what was corrected."""

import json
from pathlib import Path

from bnpl_home import DAY, Warehouse
from playback import SIMTOM as RECORDED

from clearhouse.bnpl.source import SIMTOM
from clearhouse.core.contract import Violation
from clearhouse.pipeline.redrive import land_corrected
from clearhouse.store.quarantine import QuarantinedRow


def test_fields_that_were_not_corrected_stay_as_they_came(tmp_path: Path) -> None:
    run = Warehouse(tmp_path / "home", "http://127.0.0.1:1/nobody").open()
    line = (RECORDED / "three-days-seed-42.txt").read_bytes().splitlines()[0]
    record = json.loads(line.removeprefix(b"data: "))
    landed = run.landing.put(SIMTOM, DAY, line.removeprefix(b"data: ") + b"\n", {})
    name = run.dataset().contract.amount.source_name
    raw = json.dumps({**record, name: "wrong", "model": {"score": 0.820, "of": [1, None]}})
    row = QuarantinedRow(
        dataset=run.dataset().id,
        book_date=DAY,
        record_id="rejected",
        record_key="rejected",
        object_key=landed.key,
        line=1,
        violations=(Violation(name, "wrong_type", "is no amount"),),
        raw=raw.encode(),
        amount_minor=0,
        currency="USD",
    )
    run.quarantine.replace(run.dataset().id, {DAY: ("entry", [row])})

    land_corrected(run, "rejected", {name: "45.90"})

    corrected = run.landing.read(run.landing.objects(SIMTOM, DAY)[1]).decode()
    assert (
        corrected
        == raw.replace('"wrong"', "45.90").replace(
            '{"score": 0.82, "of": [1, null]}', '{"score":0.82,"of":[1,null]}'
        )
        + "\n"
    )
