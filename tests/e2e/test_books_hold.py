"""A published window balances; whatever is done behind the books' back is named, and mended."""

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest
from toy.domain import TICKETS
from toy_home import DAYS, Toy

from clearhouse.books.audit import Audit
from clearhouse.books.model import Side, Status, Totals
from clearhouse.cli.report import finding_lines
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.tamper import tamper

DAY = DAYS[0]
DATASET = "toy.tickets"
Measured = dict[tuple[str, dt.date], dict[Side, Totals]]
GOLD, SILVER = TICKETS.gold, TICKETS.silver


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Three published days, for tests that put them right again."""
    toy = Toy(tmp_path_factory.mktemp("published") / "home")
    assert toy.run(*DAYS).exit_code == 0
    return toy


@contextmanager
def opened(toy: Toy) -> Iterator[Run]:
    run = toy.open()
    try:
        yield run
    finally:
        run.engine.close()


def audited(toy: Toy) -> Audit:
    with opened(toy) as run:
        return audit_days(run)


def totals(toy: Toy) -> Measured:
    return {(e.key.hop, e.key.book_date): dict(e.totals) for e in audited(toy).entries}


@pytest.fixture(scope="module")
def healthy(published: Toy) -> Measured:
    """What the stores held before any test."""
    return totals(published)


def test_every_hop_of_every_day_balances(published: Toy) -> None:
    entries = audited(published).entries

    assert {e.status for e in entries} == {Status.BALANCED}
    assert len(entries) == 6 * 3
    landed = sum(e.totals[Side.OUT].records for e in entries if "→ landing" in e.key.hop)
    assert landed == 120 == sum(published.visible().values())


def test_out_of_a_hop_is_in_of_the_next(published: Toy) -> None:
    measured = totals(published)
    hops = (HopNames.bronze, HopNames.silver, HopNames.gold, HopNames.readers)
    for before, after in itertools.pairwise(hops):
        for day in DAYS:
            assert measured[before, day][Side.OUT] == measured[after, day][Side.IN]


def test_a_second_run_skips_everything(published: Toy) -> None:
    before = audited(published).entries

    answer = published.command("run", "toy", "--from", DAYS[0], "--to", DAYS[-1], "--json")

    steps = json.loads(answer.stdout)["steps"]
    built = [name for name in steps if name != "validate_business_rules"]
    assert [name for name in built if steps[name]["done"]] == []
    assert audited(published).entries == before


@pytest.mark.parametrize(
    ("kind", "count", "sign"),
    [
        ("steal", 3, "−1 record"),
        ("double", 2, "+1 record"),
        ("change", 2, "became"),
    ],
)
def test_tampering_with_gold_is_named_to_the_cent_and_mended(
    published: Toy, healthy: Measured, kind: str, count: int, sign: str
) -> None:
    with opened(published) as run:
        victims = run.engine.query(
            f"SELECT number, price FROM {GOLD} ORDER BY _record_id LIMIT {count}"
        ).to_pylist()
        assert not audit_days(run).findings  # who has measured already, measures again

        assert tamper(run, kind, count) == count
        findings = audit_days(run).findings

    lines = [line for finding in findings for line in finding_lines(finding)]
    assert len(lines) == count
    for victim in victims:
        (line,) = [text for text in lines if str(victim["number"]) in text]
        assert line.startswith(f"{HopNames.gold}, ")
        assert sign in line
        assert str(victim["price"]) in line

    assert published.run(*DAYS).exit_code == 0
    assert totals(published) == healthy


def test_an_entry_is_tampered_with_once_and_a_doubled_row_costs_one_cent_more(
    published: Toy,
) -> None:
    with opened(published) as run:
        asked = f"SELECT number, price FROM {GOLD} ORDER BY _record_id LIMIT 2"
        before = run.engine.query(asked).to_pylist()[0]
        assert tamper(run, "double", 120) == 120

        with patch.object(run.engine, "rewrite_entry", wraps=run.engine.rewrite_entry) as rewritten:
            assert tamper(run, "change", 240) == 240

        assert rewritten.call_count == len(DAYS)
        more = {**before, "price": before["price"] + Decimal("0.01")}
        assert run.engine.query(asked).to_pylist() == [more, more]
    assert published.run(*DAYS).exit_code == 0


def test_rows_in_files_that_have_not_changed_are_measured_once_a_run(published: Toy) -> None:
    with opened(published) as run:
        first = audit_days(run).entries
        with (
            patch.object(run.engine, "query", wraps=run.engine.query) as ours,
            patch.object(run.engine, "query_readers", wraps=run.engine.query_readers) as theirs,
        ):
            assert audit_days(run).entries == first

    asked = [str(call.args) for call in (*ours.call_args_list, *theirs.call_args_list)]
    summed = [query for query in asked if "sum(amount_minor)" in query]
    assert summed
    assert not [query for query in summed if GOLD in query or TICKETS.readers in query]


def test_a_row_stolen_from_silver_is_found_between_bronze_and_silver(
    published: Toy, healthy: Measured
) -> None:
    published.open().engine.execute(
        f"DELETE FROM {SILVER} WHERE rowid = (SELECT min(rowid) FROM {SILVER})"
    )

    hops = {f.entry.key.hop for f in audited(published).findings}
    assert hops == {HopNames.silver, HopNames.gold}

    assert published.run(*DAYS).exit_code == 0
    assert totals(published) == healthy


def test_a_row_stolen_from_bronze_is_found_and_rebuilt_from_landing(
    published: Toy, healthy: Measured
) -> None:
    lake = published.open().lake
    (file,) = lake.files(DATASET, [DAY])
    rows = pq.read_table(file, partitioning=None)
    lake.replace_days(DATASET, rows.slice(1), {DAY: lake.entries(DATASET)[DAY]})

    first = audited(published).findings[0]
    assert (first.entry.key.hop, first.entry.key.book_date) == (HopNames.bronze, DAY)
    assert [n.record_id for n in first.named] == [rows["_record_id"][0].as_py()]

    assert published.run(*DAYS).exit_code == 0
    assert totals(published) == healthy
