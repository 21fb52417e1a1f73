"""Everything but landing is lost, or stands in the way: `clearhouse rebuild` brings it back."""

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import structlog
from bnpl_home import DAY, Warehouse
from clearhouse.bnpl.closing import close_day
from clearhouse.bnpl.context import DATASET, DOMAIN, SILVER_TO_GOLD, SOURCE
from clearhouse.bnpl.redrive import land_mended
from clearhouse.bnpl.tamper import tamper
from click.testing import Result
from typer.testing import CliRunner

from clearhouse.cli.commands import app
from clearhouse.core.errors import StoreError
from clearhouse.store.backup import SUFFIX

DAYS = [DAY + dt.timedelta(days=n) for n in range(4)]
CORRECTED, HELD_CORRECTION, MENDED, HELD = DAYS
LAST = HELD
SimtomWith = Callable[[dict[dt.date, tuple[str, ...]]], str]
Command = Callable[..., Result]


@pytest.fixture
def rebuild(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """The command over the test's warehouse; without a source, since nothing is to be pulled."""
    logging = structlog.get_config()

    def run(*options: str) -> Result:
        variables = {
            "CLEARHOUSE_HOME": str(warehouse.home),
            "BNPL_API_URL": "http://127.0.0.1:1/nobody",
            "BNPL_BASE_DAILY_VOLUME": str(warehouse.base_daily_volume),
            "LOG_LEVEL": "error",
        }
        return CliRunner().invoke(app, ["rebuild", DOMAIN, *options], env=variables)

    warehouse.home.mkdir()
    monkeypatch.chdir(warehouse.home)  # where no .env is
    yield run
    structlog.configure(**logging)


def lose_all_but_landing(warehouse: Warehouse) -> None:
    for path in warehouse.home.iterdir():
        if path.is_dir() and path.name != "landing":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()


def mend(warehouse: Warehouse, day: dt.date) -> None:
    """Put a quarantined row right, with what another row has in the broken field."""
    bnpl = warehouse.open()
    (row, *_) = bnpl.quarantine.of_days(DATASET, [day])
    other = bnpl.landing.read(bnpl.landing.objects(SOURCE, DAY)[0]).splitlines()[0]
    field = row.violations[0].field
    value = json.loads(other, parse_float=Decimal)[field]
    text = str(value) if isinstance(value, Decimal) else json.dumps(value)
    assert land_mended(bnpl, row.record_id, {field: text}) == day


def eventful(warehouse: Warehouse, simtom_with: SimtomWith) -> None:
    """A day corrected, one whose correction is held, one with a mended row, and one held."""
    always = {MENDED: ("wrong_types",), HELD: ("half_volume",)}
    warehouse.url = simtom_with(always)
    assert warehouse.run(CORRECTED, LAST).exit_code == 3
    mend(warehouse, MENDED)
    later = {CORRECTED: ("restated",), HELD_CORRECTION: ("negative_amounts",)}
    warehouse.url = simtom_with({**always, **later})
    assert warehouse.run(CORRECTED, LAST, refresh=True).exit_code == 3
    versions = {d: len(warehouse.open().landing.objects(SOURCE, d)) for d in DAYS}
    assert versions == {CORRECTED: 2, HELD_CORRECTION: 2, MENDED: 2, HELD: 1}


def everything(warehouse: Warehouse) -> dict[str, Any]:
    """What the stores and the books hold."""
    audited = warehouse.audit()
    assert audited.findings == ()
    bnpl = warehouse.open()
    return {
        "totals": warehouse.totals(),
        "entries": {e.entry_id: str(e.status) for e in audited.entries},
        "readers": warehouse.readers("SELECT * FROM {readers} ORDER BY _record_id, _book_date"),
        "customers": bnpl.engine.query(
            "SELECT * FROM marts.mart_bnpl_customers ORDER BY customer_id"
        ).to_pylist(),
        "metrics": bnpl.engine.query(
            "SELECT * FROM marts.quality_metrics ORDER BY book_date"
        ).to_pylist(),
        "quarantine": bnpl.quarantine.of_days(DATASET),
        "certificate": close_day(bnpl, CORRECTED).certificate.body,
    }


def test_all_comes_back_from_landing_alone(
    warehouse: Warehouse, rebuild: Command, simtom_with: SimtomWith
) -> None:
    eventful(warehouse, simtom_with)
    before = everything(warehouse)
    assert warehouse.visible_days() == {CORRECTED, HELD_CORRECTION, MENDED}
    assert before["quarantine"]
    lose_all_but_landing(warehouse)

    answer = rebuild()

    assert answer.exit_code == 3, (answer.stdout, answer.exception)
    assert f"{HELD_CORRECTION}: readers see it as it was at version 1 of 2." in answer.stdout
    assert "landing does not hold what people decided" in " ".join(answer.stdout.split())
    assert everything(warehouse) == before
    again = warehouse.run(CORRECTED, LAST)
    built = {name: report.done for name, report in again.steps.items() if report.done}
    assert built.keys() <= {"validate_business_rules"}
    assert warehouse.totals() == before["totals"]


def test_what_people_decided_stays_and_what_was_touched_is_made_good(
    warehouse: Warehouse, rebuild: Command, simtom_with: SimtomWith
) -> None:
    warehouse.url = simtom_with({DAY: ("half_volume",)})
    warehouse.run(DAY)
    bnpl = warehouse.open()
    for entry in bnpl.books.current(DOMAIN):
        for decision in bnpl.decisions.of(entry.entry_id):
            bnpl.decisions.release(entry.entry_id, decision.gate, "half a day of work")
    assert warehouse.run(DAY).exit_code == 0
    before = everything(warehouse)
    tamper(bnpl.engine, "steal", 2)

    answer = rebuild("--json")

    assert answer.exit_code == 0, (answer.stdout, answer.exception)
    told = json.loads(answer.stdout)
    assert (told["same_entries"], told["differing_entries"]) == (5, [])
    assert (told["findings"], told["books_were_empty"]) == ([], False)
    assert everything(warehouse) == before
    assert not list(warehouse.home.glob("*" + SUFFIX))


def test_old_stores_stay_until_all_balances(warehouse: Warehouse, rebuild: Command) -> None:
    warehouse.run(DAY)
    sealed = close_day(warehouse.open(), DAY).certificate
    certificates = warehouse.open().certificates
    certificates.reopen(DOMAIN, DAY, "for a trial")
    certificates.add(replace(sealed, body=sealed.body.replace(DOMAIN, "lnpb")))
    before = warehouse.totals()

    answer = rebuild()

    assert answer.exit_code == 4, (answer.stdout, answer.exception)
    assert "the certificate's text does not match its seal" in answer.stdout
    assert "warehouse.duckdb" + SUFFIX in answer.stderr
    assert (warehouse.home / ("warehouse.duckdb" + SUFFIX)).exists()
    certificates.reopen(DOMAIN, DAY, "for a trial")
    certificates.add(sealed)
    assert rebuild().exit_code == 0
    assert not list(warehouse.home.glob("*" + SUFFIX))
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
    gold = [e for e in warehouse.open().books.current(DOMAIN) if e.key.hop == SILVER_TO_GOLD]
    assert set(warehouse.open().engine.pointers(DOMAIN, DATASET).values()) == {gold[0].entry_id}
    shutil.rmtree(warehouse.home / "landing")
    nothing = rebuild()
    assert isinstance(nothing.exception, StoreError)
    assert nothing.exception.code == "nothing_landed"
    assert warehouse.readers() == seen
