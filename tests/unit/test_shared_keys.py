"""Keys that name another record on another day: no correction, and no key tells the two apart."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from toy.domain import ROOT, TICKETS

from clearhouse.core.contract import Contract
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.pipeline import ops
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.profiles import shared_keys

FIRST, SECOND, THIRD = (dt.date(2024, 1, n) for n in (1, 2, 3))
CONTRACT = Contract.load(ROOT / "contracts" / "tickets.yaml")
DATASET = cast(OpenDataset, SimpleNamespace(id=CONTRACT.id, contract=CONTRACT, declared=TICKETS))
PUBLISHED = f"gold.{TICKETS.published}"


@pytest.fixture
def engine(tmp_path: Path) -> DuckDBEngine:
    """Three tickets of the first day; under their keys, the second day has three others.

    One is the same, one has another price, and one was sold at another time.
    """
    files = (tmp_path / "toy.duckdb", tmp_path / "gold", tmp_path / "published.duckdb")
    engine = DuckDBEngine(*files, set_up=ops.TABLES)
    engine.execute(
        f"""CREATE TABLE {TICKETS.gold} (_record_id VARCHAR, _record_key VARCHAR,
            _book_date DATE, _entry_id VARCHAR, price DECIMAL(15, 2), sold_at TIMESTAMP)""",
        f"""INSERT INTO {TICKETS.gold} VALUES
            ('a1', 'a', '{FIRST}', 'first', 4.50, '{FIRST} 10:00'),
            ('b1', 'b', '{FIRST}', 'first', 4.50, '{FIRST} 11:00'),
            ('c1', 'c', '{FIRST}', 'first', 4.50, '{FIRST} 12:00'),
            ('a1', 'a', '{SECOND}', 'second', 4.50, '{FIRST} 10:00'),
            ('b2', 'b', '{SECOND}', 'second', 3.50, '{FIRST} 11:00'),
            ('c2', 'c', '{SECOND}', 'second', 4.50, '{FIRST} 12:30'),
            ('d1', 'd', '{THIRD}', 'third', 4.50, '{THIRD} 10:00')""",
    )
    ops.set_candidates(engine, CONTRACT.id, {FIRST: "first", SECOND: "second", THIRD: "third"})
    return engine


def publish(engine: DuckDBEngine, entry_id: str) -> None:
    """Let an entry be what readers see."""
    engine.execute(
        f"INSERT INTO ops.publication SELECT * FROM ops.candidate WHERE entry_id = '{entry_id}'",
        f"CREATE TABLE {PUBLISHED} AS FROM {TICKETS.gold} WHERE _entry_id = '{entry_id}'",
    )


def judged(engine: DuckDBEngine, *days: dt.date) -> dict[dt.date, int]:
    run = cast(Run, SimpleNamespace(engine=cast(Any, engine)))
    return shared_keys(run, DATASET, days)


def test_of_days_judged_together_the_first_passes(engine: DuckDBEngine) -> None:
    assert judged(engine, FIRST, SECOND, THIRD) == {SECOND: 1}


@pytest.mark.parametrize(("published", "judged_later"), [("first", SECOND), ("second", FIRST)])
def test_a_day_is_held_against_what_is_published(
    engine: DuckDBEngine, published: str, judged_later: dt.date
) -> None:
    publish(engine, published)

    assert judged(engine, judged_later) == {judged_later: 1}


@pytest.mark.parametrize("judged_later", [FIRST, SECOND])
def test_a_day_is_held_against_one_that_waits_for_its_publication(
    engine: DuckDBEngine, judged_later: dt.date
) -> None:
    assert judged(engine, judged_later) == {judged_later: 1}


def test_a_day_is_not_held_against_an_entry_that_was_replaced(engine: DuckDBEngine) -> None:
    publish(engine, "third")
    ops.set_candidates(engine, CONTRACT.id, {FIRST: "first anew"})

    assert judged(engine, SECOND) == {}
