"""Days: corrected, closed, held, and failing without their neighbours."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from bnpl_home import DAY, Warehouse

from clearhouse.bnpl.source import SIMTOM
from clearhouse.books.certificate import CertificateError
from clearhouse.core.window import Window
from clearhouse.pipeline.close import close_day
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS

DOMAIN = "bnpl"

NEXT, THIRD = DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=2)
DAYS = [DAY, NEXT, THIRD]
LATER = DAY + dt.timedelta(days=9)
SimtomWith = Callable[[dict[dt.date, tuple[str, ...]]], str]


def test_a_correction_of_a_landed_day_supersedes_and_is_counted(
    warehouse: Warehouse, simtom: str, simtom_with: SimtomWith
) -> None:
    warehouse.run(DAY, NEXT)
    before = warehouse.totals()
    first_bytes = warehouse.open().landing.read(warehouse.open().landing.objects(SIMTOM, DAY)[0])

    warehouse.url = simtom_with({DAY: ("restated",)})
    assert warehouse.run(DAY, NEXT, refresh=True).exit_code == 0

    landing = warehouse.open().landing
    versions = landing.objects(SIMTOM, DAY)
    assert [v.version for v in versions] == [1, 2]
    assert landing.read(versions[0]) == first_bytes
    restated = sum(
        a != b
        for a, b in zip(
            first_bytes.splitlines(), landing.read(versions[1]).splitlines(), strict=True
        )
    )
    assert restated > 0
    after = warehouse.totals()
    landed_before = before[HopNames.bronze, DAY]["in"]["records"]
    assert after[HopNames.bronze, DAY]["in"]["records"] == 2 * landed_before
    assert after[HopNames.bronze, DAY]["duplicate"]["records"] == landed_before - restated
    assert after[HopNames.silver, DAY]["superseded"]["records"] == restated
    assert after[HopNames.readers, DAY]["out"]["records"] == landed_before
    assert {k: v for k, v in after.items() if k[1] == NEXT} == {
        k: v for k, v in before.items() if k[1] == NEXT
    }
    assert warehouse.readers(
        "SELECT count(*) - count(DISTINCT _record_key) AS n FROM {readers}"
    ) == [{"n": 0}]


def test_a_day_corrected_in_every_row_is_no_day_of_twice_the_volume(warehouse: Warehouse) -> None:
    warehouse.run(DAY)
    first = warehouse.totals()[HopNames.bronze, DAY]["in"]["records"]

    warehouse.seed = 43
    report = warehouse.run(DAY)

    assert report.exit_code == 0, report.stopped()
    after = warehouse.totals()
    second = after[HopNames.bronze, DAY]["in"]["records"] - first
    assert after[HopNames.silver, DAY]["superseded"]["records"] == min(first, second)
    assert after[HopNames.readers, DAY]["out"]["records"] == max(first, second)


def test_a_closed_day_takes_no_correction_until_it_is_reopened_and_one_behind_it_is_found(
    warehouse: Warehouse, simtom_with: SimtomWith
) -> None:
    warehouse.run(DAY, NEXT)
    before = warehouse.totals()
    closed = close_day(warehouse.open(), DAY).certificate

    warehouse.url = simtom_with({DAY: ("restated",), NEXT: ("restated",)})
    report = warehouse.run(DAY, NEXT, refresh=True)

    assert set(report.steps["extract_daily_batch"].failed) == {DAY}
    after = warehouse.totals()
    assert [after[k] == before[k] for k in before if k[1] == DAY] == [True] * 5
    assert after[HopNames.silver, NEXT]["superseded"]["records"] > 0
    certificates = warehouse.open().certificates
    certificates.reopen(DOMAIN, DAY, "restated by the source", "r1")
    assert warehouse.run(DAY, refresh=True).exit_code == 0
    assert warehouse.totals()[HopNames.silver, DAY]["superseded"]["records"] > 0

    certificates.add(closed, "r2")  # as if it had been changed while the day was closed

    findings = warehouse.audit().findings
    assert {f.entry.key.hop for f in findings} == {
        "source → landing", HopNames.bronze, HopNames.silver, HopNames.gold
    }  # fmt: skip
    assert all(f.unsealed and not f.drifted for f in findings)


def test_a_published_day_stays_as_it_was_while_its_correction_is_held(
    warehouse: Warehouse, simtom_with: SimtomWith
) -> None:
    warehouse.base_daily_volume = 12  # five late records are too many of so few
    assert warehouse.run(DAY).exit_code == 0
    before = warehouse.readers("SELECT sum(amount) AS total, count(*) AS n FROM {readers}")

    held = {"negative_amounts": "validate_business_rules", "late": "validate_raw_schema"}
    for fault, step in held.items():
        warehouse.url = simtom_with({DAY: (fault,)})
        assert set(warehouse.run(DAY, refresh=True).steps[step].held) == {DAY}
        seen = warehouse.readers("SELECT sum(amount) AS total, count(*) AS n FROM {readers}")
        assert seen == before
        assert warehouse.audit().findings == ()


def test_a_day_whose_stream_is_cut_lands_nothing_and_spares_its_neighbours(
    tmp_path: Path, simtom: str, simtom_with: SimtomWith
) -> None:
    warehouse = Warehouse(tmp_path, simtom_with({NEXT: ("cut_stream:2",)}))

    report = warehouse.run(DAY, THIRD)

    assert report.exit_code == 1
    assert set(report.steps["extract_daily_batch"].failed) == {NEXT}
    assert warehouse.open().landing.objects(SIMTOM, NEXT) == []
    assert warehouse.visible_days() == {DAY, THIRD}
    assert warehouse.run(DAY, THIRD).exit_code == 0
    assert warehouse.visible_days() == set(DAYS)


def test_a_closed_day_is_not_made_again_by_changed_code(warehouse: Warehouse) -> None:
    warehouse.run(DAY, NEXT)
    sealed = close_day(warehouse.open(), DAY).certificate
    bnpl = warehouse.open()
    (dataset,) = bnpl.datasets
    later = dict.fromkeys(("bronze", "silver", "gold"), "a later release")
    gates = dict.fromkeys(dataset.versions.gates, "a later release")
    versions = replace(dataset.versions, **later, gates=gates)
    bnpl.datasets = (replace(dataset, versions=versions),)

    report = run_steps(STEPS, bnpl, Window(DAY, NEXT), run_id=bnpl.run_id)
    bnpl.engine.close()

    assert report.exit_code == 0
    made = {name: step.done for name, step in report.steps.items()}
    for name in ("validate_raw_schema", "normalize_entities", "run_dbt_pipeline"):
        assert made[name] == [NEXT]
    assert close_day(warehouse.open(), DAY).certificate.seal == sealed.seal
    assert warehouse.audit().findings == ()


def test_a_day_judged_by_other_rules_is_not_published_until_it_is_judged_by_these(
    warehouse: Warehouse,
) -> None:
    warehouse.run(DAY)
    bnpl = warehouse.open()
    (dataset,) = bnpl.datasets
    gates = dict(dataset.versions.gates)
    for gate in (dataset.declared.raw_gate, dataset.declared.business_gate):
        gates = {**gates, gate.name: "other rules"}
        bnpl.datasets = (replace(dataset, versions=replace(dataset.versions, gates=gates)),)
        judged = {
            dataset.declared.raw_gate: "validate_raw_schema",
            dataset.declared.business_gate: "validate_business_rules",
        }[gate]

        alone = run_steps(STEPS[-1:], bnpl, Window.day(DAY), run_id=bnpl.run_id)
        again = run_steps(STEPS[1:], bnpl, Window.day(DAY), run_id=bnpl.run_id)

        assert f"The step {judged} has not been done" in alone.steps[STEPS[-1].name].failed[DAY]
        assert again.exit_code == 0
        verdicts = bnpl.decisions.of_many([e.entry_id for e in bnpl.books.current(bnpl.name)])
        hashes = {d.gate: d.gate_hash for found in verdicts.values() for d in found}
        assert hashes[gate.name] == "other rules"
    bnpl.engine.close()


def test_days_are_closed_in_order_and_over_gaps(warehouse: Warehouse) -> None:
    warehouse.run(NEXT)
    warehouse.run(LATER)
    with pytest.raises(CertificateError, match=f"close {NEXT} first"):
        close_day(warehouse.open(), LATER)
    for day in (NEXT, LATER):
        close_day(warehouse.open(), day)
    warehouse.run(DAY)  # a backfill before what is closed

    with pytest.raises(CertificateError, match=f"reopen bnpl --date {NEXT}"):
        close_day(warehouse.open(), DAY)

    certificates = warehouse.open().certificates
    assert certificates.verify_chain(DOMAIN) == []
    certificates.reopen(DOMAIN, NEXT, "a day before it came", "r1")
    for day in (DAY, NEXT, LATER):
        close_day(warehouse.open(), day)
    assert certificates.verify_chain(DOMAIN) == []
