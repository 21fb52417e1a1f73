"""All that derives from landing is lost, or stands in the way: `clearhouse rebuild` makes it."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from bnpl_home import DAY, Warehouse
from cli_session import in_process
from click.testing import Result

from clearhouse.bnpl.source import SIMTOM
from clearhouse.core.errors import StoreError
from clearhouse.pipeline.close import close_day
from clearhouse.pipeline.gates import release
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.redrive import land_corrected
from clearhouse.pipeline.tamper import tamper
from clearhouse.store.backup import SUFFIX

DOMAIN, DATASET = "bnpl", "bnpl.transactions"
DAYS = [DAY + dt.timedelta(days=n) for n in range(5)]
REDRIVEN, HELD_CORRECTION, HELD, RELEASED, CORRECTED = DAYS
FIRST, LAST = DAYS[0], DAYS[-1]
SimtomWith = Callable[[dict[dt.date, tuple[str, ...]]], str]
Command = Callable[..., Result]


@pytest.fixture
def rebuild(warehouse: Warehouse) -> Command:
    """The command over the test's warehouse; without a source, since nothing is to be pulled."""

    def run(*options: str) -> Result:
        without = replace(warehouse, url="http://127.0.0.1:1/nobody")
        return in_process(without, "rebuild", DOMAIN, *options)

    return run


def lose_all_but(warehouse: Warehouse, *kept: str) -> None:
    for path in warehouse.home.iterdir():
        if path.name.startswith(kept):  # with what SQLite keeps beside a file
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def redrive(warehouse: Warehouse, day: dt.date) -> None:
    """Put a quarantined row right, with what another row has in the broken field."""
    run = warehouse.open()
    (row, *_) = run.quarantine.of_days(DATASET, [day])
    other = run.landing.read(run.landing.objects(SIMTOM, CORRECTED)[0]).splitlines()[0]
    field = row.violations[0].field
    value = json.loads(other, parse_float=Decimal)[field]
    text = str(value) if isinstance(value, Decimal) else json.dumps(value)
    assert land_corrected(run, row.record_id, {field: text}) == day
    run.engine.close()


def eventful(warehouse: Warehouse, simtom_with: SimtomWith) -> None:
    """Days corrected, with a held correction, with a redriven row, held, and released."""
    half = ("half_volume",)
    always = {REDRIVEN: ("wrong_types",), HELD: half, RELEASED: half}
    warehouse.url = simtom_with(always)
    assert warehouse.run(FIRST, LAST).exit_code == 3
    redrive(warehouse, REDRIVEN)
    assert release(warehouse.open(), RELEASED, "half a day of work") == ["raw_schema_gate"]
    later = {CORRECTED: ("restated",), HELD_CORRECTION: ("negative_amounts",)}
    warehouse.url = simtom_with({**always, **later})
    assert warehouse.run(FIRST, LAST, refresh=True).exit_code == 3
    versions = [len(warehouse.open().landing.objects(SIMTOM, d)) for d in DAYS]
    assert versions == [2, 2, 1, 1, 2]


def everything(warehouse: Warehouse) -> dict[str, Any]:
    """What the stores and the books hold."""
    audited = warehouse.audit()
    assert audited.findings == ()
    run = warehouse.open()
    certificate = close_day(run, FIRST).certificate.body
    run.engine.close()
    return {
        "totals": warehouse.totals(),
        "entries": {e.entry_id: str(e.status) for e in audited.entries},
        "readers": warehouse.readers("SELECT * FROM {readers} ORDER BY _record_id, _book_date"),
        "customers": warehouse.readers(
            "SELECT * FROM marts.mart_bnpl_customers ORDER BY customer_id"
        ),
        "metrics": warehouse.readers("SELECT * FROM marts.quality_metrics ORDER BY book_date"),
        "quarantine": run.quarantine.of_days(DATASET),
        "certificate": certificate,
    }


def test_all_comes_back_from_landing_and_the_books(
    warehouse: Warehouse, rebuild: Command, simtom_with: SimtomWith
) -> None:
    """With the books, readers see again what they saw; without them, nothing is guessed."""
    eventful(warehouse, simtom_with)
    before = everything(warehouse)
    assert warehouse.visible_days() == {CORRECTED, HELD_CORRECTION, REDRIVEN, RELEASED}
    assert before["quarantine"]
    tampered = warehouse.open()
    assert tamper(tampered, "steal", 2) == 2
    tampered.engine.close()

    touched = rebuild("--json")

    told = json.loads(touched.stdout)
    assert touched.exit_code == 3, (told, touched.exception)
    assert (told["differing_entries"], told["findings"], told["books_were_empty"]) == (
        [],
        [],
        False,
    )
    assert told["same_entries"] == len(before["entries"])
    assert told["shown_as_before"] == [str(HELD_CORRECTION)]
    assert everything(warehouse) == before
    assert not list(warehouse.home.rglob("*" + SUFFIX))

    lose_all_but(warehouse, "landing", "clearhouse.db")
    kept = rebuild()

    assert kept.exit_code == 3, (kept.output, kept.exception)
    assert f"Readers see {HELD_CORRECTION} as before a correction that is held." in kept.stdout
    assert everything(warehouse) == before

    lose_all_but(warehouse, "landing")
    alone = rebuild()

    assert alone.exit_code == 3, (alone.output, alone.exception)
    assert "landing does not hold what people decided" in " ".join(alone.stdout.split())
    assert warehouse.visible_days() == {CORRECTED, REDRIVEN}
    after = everything(warehouse)
    assert [after[k] == before[k] for k in ("quarantine", "certificate")] == [True, True]
    undecided = {k for k in before["totals"] if k[1] in (HELD_CORRECTION, RELEASED)}
    of_others = {k: v for k, v in before["totals"].items() if k not in undecided}
    assert {k: v for k, v in after["totals"].items() if k not in undecided} == of_others
    assert after["totals"].keys() & {(HopNames.readers, d) for d in DAYS} == {
        (HopNames.readers, d) for d in (CORRECTED, REDRIVEN, HELD_CORRECTION)
    }  # of the last, gold holds what readers must not see
    again = warehouse.run(FIRST, LAST)
    assert again.exit_code == 3
    assert {name for name, report in again.steps.items() if report.done} == set()
    assert warehouse.totals() == after["totals"]


def test_old_stores_stay_until_all_balances(warehouse: Warehouse, rebuild: Command) -> None:
    warehouse.run(DAY)
    sealed = close_day(warehouse.open(), DAY).certificate
    certificates = warehouse.open().certificates
    certificates.reopen(DOMAIN, DAY, "for a trial", "r1")
    certificates.add(replace(sealed, body=sealed.body.replace(DOMAIN, "lnpb")), "r2")
    before = warehouse.totals()

    answer = rebuild()

    assert answer.exit_code == 4, (answer.output, answer.exception)
    assert "the certificate's text does not match its seal" in answer.stdout
    assert "bnpl.duckdb" + SUFFIX in answer.stderr
    assert (warehouse.home / "warehouse" / ("bnpl.duckdb" + SUFFIX)).exists()
    certificates.reopen(DOMAIN, DAY, "for a trial", "r3")
    certificates.add(sealed, "r4")
    assert rebuild().exit_code == 0
    assert not list(warehouse.home.rglob("*" + SUFFIX))
    assert warehouse.totals() == before


def test_a_landing_that_lost_something_is_refused_and_the_stores_stay(
    warehouse: Warehouse, rebuild: Command, simtom_with: SimtomWith
) -> None:
    warehouse.run(DAY)
    warehouse.url = simtom_with({DAY: ("restated",)})
    warehouse.run(DAY, refresh=True)
    seen = warehouse.readers()
    for path in warehouse.home.glob("landing/raw/**/0002-*"):
        path.unlink()

    answer = rebuild()

    assert isinstance(answer.exception, StoreError)
    assert answer.exception.code == "landing_incomplete"
    assert warehouse.readers() == seen
    run = warehouse.open()
    (gold,) = run.books.current(DOMAIN, HopNames.gold)
    assert run.publications.pointers(DATASET) == {DAY: gold.entry_id}
    assert run.lake.entries(DATASET)
    run.engine.close()
    shutil.rmtree(warehouse.home / "landing")
    nothing = rebuild()
    assert isinstance(nothing.exception, StoreError)
    assert nothing.exception.code == "nothing_landed"
    assert warehouse.readers() == seen
