"""All that derives from landing is lost, or stands in the way: `clearhouse rebuild` makes it."""

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from toy_home import DAY, HIDDEN, TAKINGS, TICKETS, Toy

from clearhouse.core.errors import SettingsError, StoreError
from clearhouse.core.window import Window
from clearhouse.pipeline.close import audit_days, close_day
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.tamper import tamper
from clearhouse.store.backup import SUFFIX

DATASET = "toy.tickets"
DAYS = [DAY + dt.timedelta(days=n) for n in range(5)]
REDRIVEN, HELD_CORRECTION, HELD, RELEASED, CORRECTED = DAYS
FIRST, LAST = DAYS[0], DAYS[-1]
AT_FIRST = {REDRIVEN: "unreadable", HELD: "few", RELEASED: "few"}
LATER = {**AT_FIRST, CORRECTED: "restated", HELD_CORRECTION: "negative"}
SERVED = (TICKETS, TAKINGS, HIDDEN, "marts.quality_metrics")


def run(toy: Toy, faults: Mapping[dt.date, str]) -> Result:
    told = [part for day, kind in faults.items() for part in ("--fault", f"{day}={kind}")]
    return toy.command("run", "toy", "--from", FIRST, "--to", LAST, "--json", *told)


def eventful(toy: Toy) -> None:
    """Days corrected, with a held correction, with a redriven row, held, and released."""
    assert run(toy, AT_FIRST).exit_code == 3
    opened = toy.open()
    rejected = opened.quarantine.of_days(DATASET)[0]
    opened.engine.close()
    redrive = ("quarantine", "redrive", "--domain", "toy", "--id", rejected.record_id)
    assert toy.command(*redrive, "--set", "price=4.50").exit_code == 0
    release = ("release", "toy", "--date", RELEASED, "--reason", "half a day of work")
    assert toy.command(*release).exit_code == 0
    assert run(toy, LATER).exit_code == 3
    assert [len(landed) for landed in landing(toy)] == [3, 4, 2, 2, 4]


def landing(toy: Toy) -> list[list[str]]:
    """The names of what landed, by day."""
    opened = toy.open()
    window = Window(FIRST, LAST)
    found = [opened.landing.days(booth, window) for booth in ("north", "south")]
    opened.engine.close()
    return [[landed.key for days in found for landed in days[day]] for day in DAYS]


def everything(toy: Toy) -> dict[str, Any]:
    """What the stores and the books hold."""
    opened = toy.open()
    audited = audit_days(opened)
    assert audited.findings == ()
    certificate = close_day(opened, FIRST).certificate.body
    quarantine = opened.quarantine.of_days(DATASET)
    opened.engine.close()
    return {
        "landing": landing(toy),
        "totals": {(e.key.hop, e.key.book_date): e.totals for e in audited.entries},
        "entries": {e.entry_id: str(e.status) for e in audited.entries},
        "readers": [toy.read(f"SELECT * FROM {relation} ORDER BY ALL") for relation in SERVED],
        "quarantine": quarantine,
        "certificate": certificate,
    }


def lose_all_but(toy: Toy, *kept: str) -> None:
    for path in toy.home.iterdir():
        if path.name.startswith(kept):  # with what SQLite keeps beside a file
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def test_all_comes_back_from_landing_and_the_books(tmp_path: Path) -> None:
    """With the books, readers see again what they saw; without them, nothing is guessed."""
    toy = Toy(tmp_path / "home")
    eventful(toy)
    before = everything(toy)
    assert set(toy.visible()) == {CORRECTED, HELD_CORRECTION, REDRIVEN, RELEASED}
    assert before["quarantine"]
    tampered = toy.open()
    assert tamper(tampered, "steal", 2) == 2
    tampered.engine.close()

    touched = toy.command("rebuild", "toy", "--json")

    told = json.loads(touched.stdout)
    assert touched.exit_code == 3, (told, touched.exception)
    assert (told["differing_entries"], told["findings"], told["books_were_empty"]) == (
        [],
        [],
        False,
    )
    assert told["same_entries"] == len(before["entries"])
    assert told["shown_as_before"] == [str(HELD_CORRECTION)]
    assert everything(toy) == before
    assert not list(toy.home.rglob("*" + SUFFIX))

    lose_all_but(toy, "landing", "clearhouse.db")
    kept = toy.command("rebuild", "toy")

    assert kept.exit_code == 3, (kept.output, kept.exception)
    assert f"Readers see {HELD_CORRECTION} as they did: before a correction" in kept.stdout
    assert everything(toy) == before

    lose_all_but(toy, "landing")
    alone = toy.command("rebuild", "toy")

    assert alone.exit_code == 3, (alone.output, alone.exception)
    assert "landing does not hold what people decided" in " ".join(alone.stdout.split())
    assert set(toy.visible()) == {CORRECTED, REDRIVEN}
    after = everything(toy)
    same = ("landing", "quarantine", "certificate")
    assert [after[k] for k in same] == [before[k] for k in same]
    undecided = {k for k in before["totals"] if k[1] in (HELD_CORRECTION, RELEASED)}
    of_others = {k: v for k, v in before["totals"].items() if k not in undecided}
    assert {k: v for k, v in after["totals"].items() if k not in undecided} == of_others
    assert after["totals"].keys() & {(HopNames.readers, d) for d in DAYS} == {
        (HopNames.readers, d) for d in (CORRECTED, REDRIVEN, HELD_CORRECTION)
    }  # of the last, gold holds what readers must not see
    again = run(toy, LATER)
    assert again.exit_code == 3
    steps = json.loads(again.stdout)["steps"]
    assert {name for name, report in steps.items() if report["done"]} == set()


@pytest.fixture(scope="module")
def a_day(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A home with one published day; the last test that uses it takes it apart."""
    toy = Toy(tmp_path_factory.mktemp("toy") / "home")
    assert toy.run(DAY).exit_code == 0
    return toy


def test_a_copy_of_which_one_domain_is_rebuilt_is_refused_until_the_others_are(
    a_day: Toy, tmp_path: Path
) -> None:
    shutil.copytree(a_day.home, tmp_path / "copy")
    copy = Toy(tmp_path / "copy")
    with closing(sqlite3.connect(copy.home / "catalog.db")) as catalog, catalog:
        catalog.execute("""INSERT INTO iceberg_tables
            (catalog_name, table_namespace, table_name, metadata_location)
            SELECT catalog_name, 'retail', 'sales', metadata_location FROM iceberg_tables""")

    assert copy.command("rebuild", "toy").exit_code == 0

    refused = copy.command("run", "toy", "--from", DAY, "--to", DAY)
    assert isinstance(refused.exception, SettingsError)
    assert refused.exception.code == "home_moved"
    assert "for each domain (retail)" in refused.exception.message


def test_old_stores_stay_until_all_balances(a_day: Toy) -> None:
    sealed = close_day(a_day.open(), DAY).certificate
    certificates = a_day.open().certificates
    certificates.reopen("toy", DAY, "for a trial", "r1")
    certificates.add(replace(sealed, body=sealed.body.replace("toy", "yot")), "r2")
    before = a_day.visible()

    answer = a_day.command("rebuild", "toy")

    assert answer.exit_code == 4, (answer.output, answer.exception)
    assert "the certificate's text does not match its seal" in answer.stdout
    assert "toy.duckdb" + SUFFIX in answer.stderr
    assert (a_day.home / "warehouse" / ("toy.duckdb" + SUFFIX)).exists()
    certificates.reopen("toy", DAY, "for a trial", "r3")
    certificates.add(sealed, "r4")
    again = a_day.command("rebuild", "toy")
    assert again.exit_code == 0, again.output
    assert not list(a_day.home.rglob("*" + SUFFIX))
    assert a_day.visible() == before
    certificates.reopen("toy", DAY, "for a trial", "r5")


def test_a_landing_that_lost_something_is_refused_and_the_stores_stay(a_day: Toy) -> None:
    assert a_day.run(DAY, fault="restated").exit_code == 0
    seen = a_day.visible()
    lost = list(a_day.home.glob("landing/raw/**/0002-*"))
    for path in lost:
        path.unlink()

    answer = a_day.command("rebuild", "toy")

    assert lost
    assert isinstance(answer.exception, StoreError)
    assert answer.exception.code == "landing_incomplete"
    assert a_day.visible() == seen
    opened = a_day.open()
    (gold,) = opened.books.current("toy", HopNames.gold)
    assert opened.publications.pointers(DATASET) == {DAY: gold.entry_id}
    assert opened.lake.entries(DATASET)
    opened.engine.close()
    shutil.rmtree(a_day.home / "landing")
    nothing = a_day.command("rebuild", "toy")
    assert isinstance(nothing.exception, StoreError)
    assert nothing.exception.code == "nothing_landed"
    assert a_day.visible() == seen


def test_what_was_rolled_back_stays_so(tmp_path: Path) -> None:
    """A day that an earlier publication is shown of, and one that was withdrawn."""
    toy = Toy(tmp_path / "home")
    corrected, withdrawn = DAYS[:2]
    assert toy.run(corrected).exit_code == 0
    assert toy.run(corrected, fault="restated").exit_code == 0
    assert toy.run(withdrawn).exit_code == 0
    assert toy.command("rollback", "toy", "--to", 1, "--reason", "asked for").exit_code == 0
    before = [toy.read(f"SELECT * FROM {relation} ORDER BY ALL") for relation in (TICKETS, TAKINGS)]
    assert set(toy.visible()) == {corrected}

    rebuilt = toy.command("rebuild", "toy")

    assert rebuilt.exit_code == 0, (rebuilt.output, rebuilt.exception)
    assert f"Readers see {corrected} to {withdrawn} as they did" in rebuilt.output
    after = [toy.read(f"SELECT * FROM {relation} ORDER BY ALL") for relation in (TICKETS, TAKINGS)]
    assert after == before
