"""The same asks give the same bytes, rows and books: in whatever order, pace and shape.

What varies is what a run may choose or meet: ranges, their order, the folder, days side by side,
the chunks of an answer, the size of a commit, threads. What stays is the content of every store, to
the last column, and the totals of every hop.
"""

import asyncio
import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import bnpl_home
import httpx
import pytest
from bnpl_home import Warehouse
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from playback import Asked, Play, Playback

from clearhouse.bnpl.source import SIMTOM
from clearhouse.books.model import Side
from clearhouse.core.columnar import query, read_parquet_sql
from clearhouse.core.window import Window
from clearhouse.landing import spine
from clearhouse.pipeline import bronze, pull
from clearhouse.pipeline.close import close_day
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.hops import HopNames
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.server import running
from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.app import create_app

SPRING = Window.starting(dt.date(2024, 3, 4), 3)
NEW_YEAR = Window.starting(dt.date(2023, 12, 30), 3)
ODD = {
    0: ("corrected", "duplicates"),
    1: ("late", "wrong_types"),
    2: ("redelivered", "new_fields"),
}
"""What makes days depend on each other, or on the order of their lines, if anything does."""
OPTIONS = SandboxOptions(
    volume="formula",
    faults={
        window.first + dt.timedelta(days=n): kinds
        for window in (SPRING, NEW_YEAR)
        for n, kinds in ODD.items()
    },
)


def drawn(examples: int) -> settings:
    """A failure is told at once, where making it small takes long."""
    return settings(
        phases=[Phase.generate],
        max_examples=examples,
    )


@pytest.fixture(scope="module")
def odd() -> Iterator[str]:
    """A sandbox of the odd days, in a process of its own."""
    with running(OPTIONS) as url:
        yield url


# --- the source ---------------------------------------------------------------------------------


def asking(window: Window, **more: object) -> dict[str, Any]:
    return {"start_date": str(window.first), "end_date": str(window.last), **more}


def answers_side_by_side(asks: Sequence[dict[str, Any]]) -> list[bytes]:
    """What a fresh sandbox in this process answers when all is asked at once."""

    async def all_at_once() -> list[bytes]:
        transport = httpx.ASGITransport(create_app(OPTIONS))
        async with httpx.AsyncClient(transport=transport, base_url="http://simtom") as client:
            asked = [client.post("/stream/bnpl", json=ask) for ask in asks]
            return [answer.content for answer in await asyncio.gather(*asked)]

    return asyncio.run(all_at_once())


@drawn(6)
@given(
    window=st.sampled_from([SPRING, NEW_YEAR, Window.starting(dt.date(2024, 2, 28), 3)]),
    asked=st.fixed_dictionaries(
        {
            "seed": st.integers(1, 2**63),
            "base_daily_volume": st.integers(1, 60),
            "noise_type": st.sampled_from(["none", "gaussian", "outliers"]),
            "noise_level": st.just(0.1),
        }
    ),
    workers=st.integers(1, 4),
    block_rows=st.sampled_from([1, 7, 8_192]),
    chunk_bytes=st.sampled_from([100, 1 << 18]),
    chance=st.randoms(use_true_random=False),
)
def test_a_day_is_the_same_bytes_from_any_process_in_any_shape(
    odd: str,
    window: Window,
    asked: dict[str, Any],
    workers: int,
    block_rows: int,
    chunk_bytes: int,
    chance: Random,
) -> None:
    asks = [asking(Window.day(day), **asked) for day in window]
    shuffled = chance.sample(asks, len(asks))
    with ThreadPoolExecutor(workers) as pool, httpx.Client(base_url=odd) as client:
        answers = pool.map(lambda ask: client.post("/stream/bnpl", json=ask).content, shuffled)
        alone = {
            str(ask["start_date"]): answer for ask, answer in zip(shuffled, answers, strict=True)
        }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wire, "BLOCK_ROWS", block_rows)
        patched.setattr("clearhouse.sandbox.answers.CHUNK_BYTES", chunk_bytes)
        whole, *singly = answers_side_by_side([asking(window, **asked), *asks])

    assert singly == [alone[str(day)] for day in window]
    assert whole == b"".join(singly)
    assert whole.count(b"data: ") > 0


# --- the platform -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """How days are run.

    Attributes:
        runs: which windows, in order.
        laggards: days whose answers take longer than the others'.
        chunk_bytes: of the answers.
        concurrency: days asked for side by side.
        landings: days landed side by side.
        threads: for typing, and for measuring.
        days_per_commit: of bronze.
        rows_kept: readings that are kept from landing to typing; 0 has all read again.
    """

    runs: tuple[Window, ...]
    laggards: frozenset[dt.date] = frozenset()
    chunk_bytes: int = 4_096
    concurrency: int = 4
    landings: int = 2
    threads: int = 2
    days_per_commit: int = 8
    rows_kept: int = 1_000_000

    def apply(self, patched: pytest.MonkeyPatch) -> None:
        patched.setattr(bnpl_home, "QUICK", replace(bnpl_home.QUICK, concurrency=self.concurrency))
        patched.setattr(pull, "_LANDINGS_AT_ONCE", self.landings)
        patched.setattr(bronze, "_THREADS", self.threads)
        patched.setattr(bronze, "_DAYS_PER_COMMIT", self.days_per_commit)
        patched.setattr(spine, "_THREADS", self.threads)
        patched.setattr(spine, "_MOST_ROWS_KEPT", self.rows_kept)


def shapes(window: Window) -> st.SearchStrategy[Shape]:
    """Every day is in some run; runs may overlap, and come in any order."""
    days = list(window)
    ranges = st.tuples(st.sampled_from(days), st.sampled_from(days)).map(
        lambda ends: Window(min(ends), max(ends))
    )

    def covering(cuts: set[int], more: list[Window]) -> list[Window]:
        bounds = itertools.pairwise([0, *sorted(cuts), len(days)])
        return [Window(days[low], days[high - 1]) for low, high in bounds] + more

    runs = st.builds(
        covering, st.sets(st.integers(1, len(days) - 1)), st.lists(ranges, max_size=1)
    ).flatmap(st.permutations)
    return st.builds(
        Shape,
        runs=runs.map(tuple),
        laggards=st.frozensets(st.sampled_from(days)),
        chunk_bytes=st.sampled_from([499, 4_096, 1 << 20]),
        concurrency=st.integers(1, 4),
        landings=st.integers(1, 4),
        threads=st.integers(1, 3),
        days_per_commit=st.integers(1, 3),
        rows_kept=st.sampled_from([0, 100, 1_000_000]),
    )


class Passed:
    """The sandbox's answers, passed on in chunks and after waits as a shape has them."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url)
        self.shape: Shape | None = None

    def __call__(self, asked: Asked) -> Play:
        assert self.shape is not None
        lags = dt.date.fromisoformat(asked.json["start_date"]) in self.shape.laggards
        return Play(
            self._client.post(asked.path, json=asked.json).content,
            chunk_bytes=self.shape.chunk_bytes,
            hang_seconds=0.03 if lags else 0.0,
        )


@dataclass
class Loading:
    """Days pulled and loaded into bronze and quarantine, each time in a folder of its own."""

    folder: Path
    url: str
    passed: Passed
    known: dict[tuple[int, Window], dict[str, Any]] = field(default_factory=dict)

    def load(self, seed: int, window: Window, shape: Shape) -> dict[str, Any]:
        """What the stores hold when the days of a window were loaded in a shape."""
        home = self.folder / str(len(list(self.folder.iterdir())))
        self.passed.shape = shape
        with pytest.MonkeyPatch.context() as patched:
            shape.apply(patched)
            run = Warehouse(home, self.url, base_daily_volume=40, seed=seed).open()
            run.prepares = False
            dataset = run.dataset()
            for days in map(list, shape.runs):
                assert not pull.extract_daily_batch(run, days).failed
                landed = bronze.landed_objects(dataset, days)
                bronze.load_days(run, dataset, landed, {day: f"entry of {day}" for day in days})
            hops = [dataset.hops[name] for name in ("source → landing", HopNames.bronze)]
            totals = {hop.name: hop.measure(list(window)) for hop in hops}
            run.engine.close()
        return {**loaded(run, window), "totals": totals}

    def plainly(self, seed: int, window: Window) -> dict[str, Any]:
        """The same by one run in the shape that runs have."""
        if (seed, window) not in self.known:
            self.known[seed, window] = self.load(seed, window, Shape((window,)))
        return self.known[seed, window]


@pytest.fixture(scope="module")
def loading(odd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loading]:
    passed = Passed(odd)
    with Playback(passed) as server:
        yield Loading(tmp_path_factory.mktemp("loading"), server.url, passed)


def content(rows: str, ask: Callable[..., Any] = query) -> list[dict[str, Any]]:
    """Number of rows, and a digest of all columns of all rows, in whatever order they lie."""
    line = "SELECT CAST(r AS VARCHAR) AS line FROM rows r"
    sql = f"WITH rows AS ({rows}) SELECT count(*) AS n, md5(string_agg(line, '\n' ORDER BY line))"
    return list(ask(f"{sql} AS digest FROM ({line})").to_pylist())


def loaded(run: Run, window: Window) -> dict[str, Any]:
    """All that landing, bronze, quarantine and the books say, but for when it was said."""
    dataset = run.dataset().id
    landed = run.landing.days(SIMTOM, window).values()
    return {
        "landing": [[(o.key, o.object_sha256, o.request) for o in day] for day in landed],
        "bronze": content(read_parquet_sql(run.lake.files(dataset))),
        "quarantine": run.quarantine.of_days(dataset, limit=1_000),
        "entries": {
            (e.key.hop, e.key.book_date): (e.entry_id, e.status, e.totals)
            for e in run.books.current(run.name)
        },
    }


@drawn(4)
@given(data=st.data(), window=st.sampled_from([SPRING, NEW_YEAR]))
def test_what_is_loaded_does_not_depend_on_how(
    loading: Loading, data: st.DataObject, window: Window
) -> None:
    plain = loading.plainly(42, window)

    assert loading.load(42, window, data.draw(shapes(window))) == plain
    assert plain["quarantine"]


def test_another_seed_is_another_content_at_every_hop(loading: Loading) -> None:
    one, other = (loading.plainly(seed, SPRING)["totals"] for seed in (42, 43))

    for hop, by_day in one.items():
        for day, sides in by_day.items():
            assert sides.totals[Side.OUT] != other[hop][day].totals[Side.OUT]


# --- all the way to the readers -----------------------------------------------------------------


def published(run: Run) -> dict[str, Any]:
    """The rows of every table and view of the engine and of the readers, in every column."""

    def readers(sql: str) -> Any:
        return run.engine.query_readers("marts.mart_bnpl_transactions", sql)

    names = """SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
        WHERE table_schema IN ('silver', 'gold', 'marts') ORDER BY name"""
    return {
        f"{who}{name}": content(f"FROM {name}", ask)
        for who, ask in (("", run.engine.query), ("readers' ", readers))
        for name in ask(names)["name"].to_pylist()
    }


def run_through(folder: Path, url: str, shape: Shape) -> Run:
    """A folder in which all steps were run in a shape."""
    warehouse = Warehouse(folder, url)
    with pytest.MonkeyPatch.context() as patched:
        shape.apply(patched)
        for run in shape.runs:
            report = warehouse.run(run.first, run.last)
            assert report.exit_code == 0, report.stopped()
    return warehouse.open()


@pytest.fixture(scope="module")
def at_once(odd: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_through(tmp_path_factory.mktemp("at_once"), odd, Shape((SPRING,)))


@pytest.fixture(scope="module")
def bit_by_bit(odd: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The last days first, then the first one, with one of them again."""
    first, second, last = SPRING
    runs = Window(second, last), Window(first, second)
    shape = Shape(runs, concurrency=1, landings=1, threads=1, days_per_commit=1, rows_kept=0)
    return run_through(tmp_path_factory.mktemp("bit_by_bit"), odd, shape)


def test_two_folders_have_the_same_books_at_every_hop(at_once: Run, bit_by_bit: Run) -> None:
    books = loaded(at_once, SPRING)

    assert loaded(bit_by_bit, SPRING) == books
    assert len(books["entries"]) == 5 * len(SPRING)
    one, other = (
        [close_day(run, day).certificate.seal for day in SPRING] for run in (at_once, bit_by_bit)
    )
    assert one == other
    assert at_once.certificates.verify_chain("bnpl") == []


def test_two_folders_have_the_same_rows_in_every_table(at_once: Run, bit_by_bit: Run) -> None:
    tables = published(at_once)

    assert published(bit_by_bit) == tables
    assert {
        "silver.stg_bnpl_raw_transactions",
        "readers' gold.fct_bnpl_transactions",
        "readers' gold.int_bnpl_hidden_records",
        "readers' marts.mart_bnpl_ml_features",
    } <= tables.keys()
    assert [name for name, [found] in tables.items() if not found["n"]] == []
