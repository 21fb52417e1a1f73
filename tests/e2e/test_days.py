"""Days: corrected, closed, held, and judged by other rules."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from toy_home import DAY, TICKETS, Toy

from clearhouse.books.certificate import CertificateError
from clearhouse.books.model import Totals
from clearhouse.core.window import Window
from clearhouse.pipeline.close import audit_days, close_day
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.journal import check_books
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS

CORRECTED, HELD, HELD_TOO, JUDGED, RESTORED = (DAY + dt.timedelta(days=n) for n in range(5))
NEXT, LATER = DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=3)
BEFORE = DAY - dt.timedelta(days=1)
Measured = dict[tuple[str, dt.date], dict[str, Totals]]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Published days, one for each test that corrects or judges a day."""
    toy = Toy(tmp_path_factory.mktemp("days") / "home")
    assert toy.run(CORRECTED, RESTORED).exit_code == 0
    return toy


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    toy = Toy(tmp_path_factory.mktemp("closed") / "home")
    assert toy.run(DAY, NEXT).exit_code == 0
    return toy


@pytest.fixture
def to_close(two_days: Toy) -> Iterator[Toy]:
    """Two published days, which are open again when the test is over."""
    yield two_days
    two_days.command("reopen", "toy", "--date", DAY, "--reason", "the test is over")


def measured(toy: Toy) -> Measured:
    """What the stores hold, by hop and day."""
    run = toy.open()
    audited = audit_days(run)
    run.engine.close()
    return {
        (e.key.hop, e.key.book_date): {str(side): t for side, t in e.totals.items()}
        for e in audited.entries
    }


def superseded(found: Measured, day: dt.date) -> int:
    totals = found[HopNames.silver, day].get("superseded")
    return totals.records if totals else 0


def test_a_correction_of_a_landed_day_supersedes_and_is_counted(toy: Toy) -> None:
    before = measured(toy)
    landing = toy.open().landing
    first_bytes = landing.read(landing.objects("north", CORRECTED)[0])

    assert toy.run(CORRECTED, fault="restated").exit_code == 0

    versions = landing.objects("north", CORRECTED)
    assert [v.version for v in versions] == [1, 2]
    assert landing.read(versions[0]) == first_bytes
    after = measured(toy)
    landed = 40 + 42  # of each booth: a ticket has another price, and one of the day before came
    assert after[HopNames.bronze, CORRECTED]["in"].records == landed
    assert after[HopNames.bronze, CORRECTED]["duplicate"].records == 38
    assert superseded(after, CORRECTED) == 2
    assert after[HopNames.readers, CORRECTED]["out"].records == landed - 38 - 2
    assert {k: v for k, v in after.items() if k[1] != CORRECTED} == {
        k: v for k, v in before.items() if k[1] != CORRECTED
    }
    assert toy.read(f"SELECT count(*) - count(DISTINCT _record_key) FROM {TICKETS}") == [(0,)]


def test_a_source_that_goes_back_to_its_first_answer_is_believed(toy: Toy) -> None:
    prices = f"SELECT number, price FROM {TICKETS} WHERE sold_at::DATE = '{RESTORED}' ORDER BY ALL"
    seen = toy.read(prices)
    assert toy.run(RESTORED, fault="restated").exit_code == 0
    assert toy.read(prices) != seen

    for _run_again in range(2):
        assert toy.run(RESTORED).exit_code == 0

        assert toy.read(prices) == seen
        run = toy.open()
        assert [o.version for o in run.landing.objects("north", RESTORED)] == [1, 2, 3]
        assert audit_days(run).findings == ()
        run.engine.close()


@pytest.mark.parametrize(
    ("day", "fault", "step"),
    [
        (HELD, "negative", "validate_business_rules"),
        (HELD_TOO, "garbled", "validate_raw_schema"),
    ],
)
def test_a_published_day_stays_as_it_was_while_its_correction_is_held(
    toy: Toy, day: dt.date, fault: str, step: str
) -> None:
    seen = toy.read(f"SELECT * FROM {TICKETS} ORDER BY ALL")

    answer = toy.command(
        "run", "toy", "--from", day, "--to", day, "--fault", f"{day}={fault}", "--json"
    )

    assert answer.exit_code == 3, answer.output
    assert list(json.loads(answer.stdout)["steps"][step]["held"]) == [str(day)]
    assert toy.read(f"SELECT * FROM {TICKETS} ORDER BY ALL") == seen
    assert audit_days(toy.open()).findings == ()


def test_a_day_judged_by_other_rules_is_not_published_until_it_is_judged_by_these(
    toy: Toy,
) -> None:
    run = toy.open()
    (dataset,) = run.datasets
    gates = dict(dataset.versions.gates)
    judged_by = {
        dataset.declared.raw_gate.name: "validate_raw_schema",
        dataset.declared.business_gate.name: "validate_business_rules",
    }
    for gate, step in judged_by.items():
        gates = {**gates, gate: "other rules"}
        run.datasets = (replace(dataset, versions=replace(dataset.versions, gates=gates)),)

        alone = run_steps(STEPS[-1:], run, Window.day(JUDGED), run_id=run.run_id)
        again = run_steps(STEPS[1:], run, Window.day(JUDGED), run_id=run.run_id)

        assert f"The step {step} has not been done" in alone.steps[STEPS[-1].name].failed[JUDGED]
        assert again.exit_code == 0
        entries = run.books.current("toy", days=[JUDGED])
        verdicts = run.decisions.of_many([e.entry_id for e in entries])
        hashes = {d.gate: d.gate_hash for found in verdicts.values() for d in found}
        assert hashes[gate] == "other rules"
    run.engine.close()


def test_a_closed_day_takes_no_correction_until_it_is_reopened_and_one_behind_it_is_found(
    to_close: Toy,
) -> None:
    before = measured(to_close)
    closed = close_day(to_close.open(), DAY).certificate
    restated = [part for day in (DAY, NEXT) for part in ("--fault", f"{day}=restated")]

    refused = to_close.command(
        "run", "toy", "--from", DAY, "--to", NEXT, *restated, "--refresh", "--json"
    )

    steps = json.loads(refused.stdout)["steps"]
    assert list(steps["extract_daily_batch"]["failed"]) == [str(DAY)]
    after = measured(to_close)
    of_the_day = [(hop, day) for hop, day in before if day == DAY and hop != HopNames.readers]
    assert len(of_the_day) == 5  # what readers see of it, the next day may correct
    assert [after[k] for k in of_the_day] == [before[k] for k in of_the_day]
    assert (superseded(before, NEXT), superseded(after, NEXT)) == (0, 2)
    certificates = to_close.open().certificates
    certificates.reopen("toy", DAY, "restated by the source", "r1")
    assert to_close.run(DAY, fault="restated").exit_code == 0
    assert superseded(measured(to_close), DAY) == 2

    certificates.add(closed, "r2")  # as if it had been changed while the day was closed

    findings = audit_days(to_close.open()).findings
    assert {f.entry.key.hop for f in findings} == {
        "north → landing", "south → landing", HopNames.bronze, HopNames.silver, HopNames.gold
    }  # fmt: skip
    assert all(f.unsealed and not f.drifted for f in findings)


def test_a_closed_day_is_not_made_again_by_changed_code(to_close: Toy) -> None:
    sealed = close_day(to_close.open(), DAY).certificate
    run = to_close.open()
    (dataset,) = run.datasets
    later = dict.fromkeys(("bronze", "silver", "gold"), "a later release")
    gates = dict.fromkeys(dataset.versions.gates, "a later release")
    versions = replace(dataset.versions, **later, gates=gates)
    run.datasets = (replace(dataset, versions=versions),)

    report = run_steps(STEPS[1:], run, Window(DAY, NEXT), run_id=run.run_id)
    run.engine.close()

    assert report.exit_code == 0
    made = {name: step.done for name, step in report.steps.items()}
    for name in ("validate_raw_schema", "normalize_entities", "run_dbt_pipeline"):
        assert made[name] == [NEXT]
    assert close_day(to_close.open(), DAY).certificate.seal == sealed.seal
    assert audit_days(to_close.open()).findings == ()


def test_heads_that_were_lost_are_kept_again_when_the_days_are_closed_again(to_close: Toy) -> None:
    heads = to_close.home / "certificates" / "heads.txt"
    for _before_and_after_they_are_lost in range(2):
        for day in (DAY, NEXT):
            assert to_close.command("close", "toy", "--date", day).exit_code == 0
        run = to_close.open()
        assert check_books(run) == []
        run.engine.close()
        heads.unlink()


def test_days_are_closed_in_order_and_over_gaps(to_close: Toy) -> None:
    assert to_close.run(LATER).exit_code == 0
    with pytest.raises(CertificateError, match=f"close {DAY} first"):
        close_day(to_close.open(), LATER)
    for day in (DAY, NEXT, LATER):
        close_day(to_close.open(), day)
    assert to_close.run(BEFORE).exit_code == 0  # a backfill before what is closed

    with pytest.raises(CertificateError, match=f"reopen toy --date {DAY}"):
        close_day(to_close.open(), BEFORE)

    certificates = to_close.open().certificates
    assert certificates.verify_chain("toy") == []
    certificates.reopen("toy", DAY, "a day before it came", "r1")
    for day in (BEFORE, DAY, NEXT, LATER):
        close_day(to_close.open(), day)
    assert certificates.verify_chain("toy") == []
