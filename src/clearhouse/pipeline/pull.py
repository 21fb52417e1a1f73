"""Source to landing: pull each day and put its bytes on durable storage.

Data flow: a source → `raw/<source>/year=/month=/day=/NNNN-…`.
Grain: one object a source, day and version of its bytes.
Idempotency: a day that has landed by the same request is not asked for again, unless refreshed;
the bytes of the last answer are not landed twice, other bytes become a later version.
How to run: `clearhouse step DOMAIN extract_daily_batch --date D`.
"""

import asyncio
import datetime as dt
import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from clearhouse.books.clerk import Clerk
from clearhouse.books.model import Entry, EntryKey, Status, digest
from clearhouse.core.background import import_beside
from clearhouse.core.contract import Contract, PayloadFormat, rows_of
from clearhouse.core.contract.rows import landed_rows
from clearhouse.core.errors import SourceError, UsageError
from clearhouse.core.event_loops import run_async
from clearhouse.core.window import Window
from clearhouse.engines import dbt_worker
from clearhouse.lake import iceberg
from clearhouse.landing import Counted, LandedObject
from clearhouse.landing.spine import ROWS_AT_ONCE
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Batch, Connection, Failure, Followable
from clearhouse.pipeline.requests import (
    SO_FAR,
    Landed,
    Requests,
    answers_of,
    as_answered,
    as_closed,
    as_kept,
    is_in_part,
    part_of,
)
from clearhouse.pipeline.runner import StepReport
from clearhouse.quality import worker

_log = structlog.get_logger("clearhouse.pull")

_LANDINGS_AT_ONCE = 2
_VERSION = digest("landing", "1")  # what an answer becomes: its bytes without their framing


def extract_daily_batch(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Land every day that has not landed by the request it would be asked for with.

    All sources are pulled side by side. A day that one of a dataset's sources did not give is
    incomplete: it goes on with what the others gave, and its interval stays open in the books.
    """
    arrivals = _Arrivals(run, sum(len(dataset.declared.sources) for dataset in run.chosen))
    pulls = [
        _planned(run, dataset, source.name, days, arrivals)
        for dataset in run.chosen
        for source in dataset.declared.sources
    ]
    if any(pull.wanted for pull in pulls):
        with _preparing_what_comes_next(run):
            run_async(_pull_all(run, [pull for pull in pulls if pull.wanted], arrivals))
    report = StepReport()
    for dataset in run.chosen:
        its_own = [_closed(run, pull) for pull in pulls if pull.dataset is dataset]
        report.add(_of_all_sources(its_own), run.called(dataset))
    return report


class _Arrivals:
    """Days of which sources have answered: a day is done when all have."""

    def __init__(self, run: Run, sources: int) -> None:
        self._run, self._sources = run, sources
        self._answered: Counter[dt.date] = Counter()

    def add(self, *days: dt.date) -> None:
        """A source has answered for these days."""
        self._answered.update(days)
        done = sum(self._answered[day] == self._sources for day in days)
        if done:
            self._run.progress.advance(done)


@dataclass
class _Pull:
    """What one source is asked for.

    Attributes:
        requests: what is asked for each day, as it is kept.
        keys: the entry of each day.
        wanted: days that it is asked for.
        report: what became of the others, and in the end of all.
        landed, failed: what became of the days that it was asked for.
    """

    dataset: OpenDataset
    source: str
    connection: Connection
    requests: Requests
    keys: Mapping[dt.date, EntryKey]
    wanted: list[dt.date]
    report: StepReport
    landed: list[dt.date] = field(default_factory=list)
    failed: dict[dt.date, str] = field(default_factory=dict)

    def clerk(self, run: Run) -> Clerk:
        """Who keeps its entries."""
        return Clerk(
            run.books, self.dataset.hops[self.dataset.names.landed[self.source]], run.run_id
        )


def _of_all_sources(reports: Sequence[StepReport]) -> StepReport:
    """What became of the days over all sources of a dataset."""
    report = StepReport()
    for each in reports:
        report.done += each.done
        report.skipped += each.skipped
        report.failed |= each.failed
        report.unbalanced |= each.unbalanced
    landed = {*report.done, *report.skipped}
    report.incomplete = {day: why for day, why in report.failed.items() if day in landed}
    report.failed = {day: why for day, why in report.failed.items() if day not in landed}
    report.skipped = [day for day in report.skipped if day not in set(report.done)]
    return report


def _planned(
    run: Run, dataset: OpenDataset, source: str, days: Sequence[dt.date], arrivals: _Arrivals
) -> _Pull:
    """What a source is to be asked for, entered as begun."""
    connection = run.connections.get(source)
    if connection is None:
        raise UsageError("There is no source to pull from: set its URL.", "no_source")
    if run.follows:
        connection = _following(run, dataset, source, connection, days)
    closed = run.certificates.closed_days(run.name)
    is_asked_again = run.refresh or run.follows
    window = Window(min(days), max(days))
    landed: Landed = {} if is_asked_again else run.landing.days(source, window)
    requests = {
        day: as_kept(connection, request, part_of(run, day, request))
        for day, request in connection.requests(days).items()
    }
    keys = {day: key_of_pull(run, dataset, source, day, requests[day]) for day in days}
    entered = run.entries(dataset.names.landed[source], list(landed))
    keys |= as_closed(
        requests, entered, {day: some for day, some in landed.items() if day in closed}
    )
    pull = _Pull(dataset, source, connection, requests, keys, [], StepReport())
    in_place = _landed_by(run, pull, landed, entered, closed)
    plan = pull.clerk(run).plan(keys, in_place)
    pull.wanted = [day for day in plan.redo if day not in closed]
    pull.report.skipped = list(plan.skip)
    pull.report.failed = {day: closed_day(run, day) for day in plan.redo if day in closed}
    arrivals.add(*plan.skip)
    if pull.wanted:
        _warn_of_another_request(run, dataset, source, connection, pull.wanted)
        pull.clerk(run).open(keys[day] for day in pull.wanted)
    return pull


def _following(
    run: Run, dataset: OpenDataset, source: str, connection: Connection, days: Sequence[dt.date]
) -> Connection:
    """A source that is asked for what came after what has landed: landing itself is the cursor.

    Raises:
        UsageError: the source can't be asked so.
    """
    if not isinstance(connection, Followable):
        raise UsageError(f"{source} gives whole days only: it can't be followed.", "not_followable")
    landed = run.landing.days(source, Window(min(days), max(days)))
    contract = dataset.contract.of(source)

    def last_records(day: dt.date) -> list[bytes]:
        payloads = map(run.landing.read, landed.get(day, ()))
        answers = (landed_rows(payload, contract).lines for payload in payloads)
        return [lines.splitlines()[-1] for lines in answers if lines]

    return connection.following({day: last_records(day) for day in days})


def _closed(run: Run, pull: _Pull) -> StepReport:
    """Enter what landed of one source."""
    clerk, report = pull.clerk(run), pull.report
    clerk.fail(pull.keys[day] for day in pull.failed)
    report.failed |= pull.failed
    statuses = clerk.close(pull.keys[day] for day in pull.landed)
    report.done = [day for day, status in statuses.items() if status is Status.BALANCED]
    report.unbalanced = {
        day: f"What landed of {pull.source} is not what it holds: run `clearhouse books`."
        for day, status in statuses.items()
        if status is Status.UNBALANCED
    }
    return report


def closed_day(run: Run, day: dt.date) -> str:
    """Why nothing more is landed for a day."""
    return (
        f"{day} is closed, and what has landed for it stays as it was sealed: "
        f'`clearhouse reopen {run.name} --date {day} --reason "…"` opens it.'
    )


def close_landing(run: Run, dataset: OpenDataset, source: str, days: Iterable[dt.date]) -> None:
    """Measure days again to which something was landed by another way than a pull."""
    hop = dataset.names.landed[source]
    entries = run.entries(hop, list(days))
    Clerk(run.books, dataset.hops[hop], run.run_id).close(e.key for e in entries.values())


def key_of_pull(
    run: Run, dataset: OpenDataset, source: str, day: dt.date, request: Mapping[str, Any]
) -> EntryKey:
    """The entry of a day that the source was asked for by this request."""
    asked = digest(json.dumps(request, sort_keys=True))
    return EntryKey(run.name, dataset.names.landed[source], day, asked, _VERSION)


def _warn_of_another_request(
    run: Run,
    dataset: OpenDataset,
    source: str,
    connection: Connection,
    days: Sequence[dt.date],
) -> None:
    """Say so when days are pulled again because they would be asked for otherwise."""
    entered = run.entries(dataset.names.landed[source], days)
    if run.refresh or run.follows or not entered:
        return
    landed = run.landing.days(source, Window(min(entered), max(entered)))
    # A day that was followed, or pulled so far, is pulled whole when it is over: that is no other
    # way to ask for it.
    again = {day for day in entered if not any(is_in_part(o.request) for o in landed.get(day, ()))}
    if again:
        _log.warning(
            "days that have landed are pulled again, since they would be asked for otherwise now; "
            "what comes is a correction of what came before",
            days=len(again),
            first=str(min(again)),
            source=connection.identity,
        )


@contextmanager
def _preparing_what_comes_next(run: Run) -> Iterator[None]:
    """Import and read what is slow to (dbt, Great Expectations) while the source is waited for.

    dbt first, whose start takes longer. When the pull is done first, the steps go on and wait where
    they need them. A run that fails waits for the imports of its own process too: modules can't be
    imported while Python shuts down.
    """
    if not run.prepares:
        yield
        return
    dbt_worker.start()
    worker.start()
    importing = import_beside(run.dbt.prepare, iceberg.preload)
    try:
        yield
    except BaseException:
        importing.join()
        raise


def _landed_by(
    run: Run,
    pull: _Pull,
    landed: Landed,
    entered: Mapping[dt.date, Entry],
    closed: Container[dt.date],
) -> dict[dt.date, str]:
    """Days that have landed whole by the request they would be asked with, and still verify.

    The manifest of the last answer says the request that first gave these bytes; another one that
    gave the same bytes is known to the books. A day that goes on is asked for each time.
    """
    found = {}
    for day, key in pull.keys.items():
        objects = landed.get(day, ())
        if not objects or (SO_FAR in pull.requests[day] and day not in closed):
            continue
        answers = answers_of(objects)
        asked = bool(answers) and answers[-1].request == pull.requests[day]
        known = day in entered and entered[day].entry_id == key.entry_id
        if (asked or known) and all(map(run.landing.verify, objects)):
            found[day] = key.entry_id
    return found


async def _pull_all(run: Run, pulls: Sequence[_Pull], arrivals: _Arrivals) -> None:
    """Pull all sources side by side, and land what they give."""
    with ThreadPoolExecutor(_LANDINGS_AT_ONCE) as pool:
        try:
            async with asyncio.TaskGroup() as group:
                for pull in pulls:
                    group.create_task(_pull(run, pull, pool, arrivals))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None


async def _pull(run: Run, pull: _Pull, pool: ThreadPoolExecutor, arrivals: _Arrivals) -> None:
    """Pull one source: its answers land as they come, and are measured some at a time."""
    failed: list[Failure] = []
    landing: set[asyncio.Future[LandedObject | Failure]] = set()
    measuring: list[asyncio.Future[None]] = []
    unmeasured: list[LandedObject] = []
    loop = asyncio.get_running_loop()

    def measure() -> None:
        days = [landed.book_date for landed in unmeasured]
        unmeasured.clear()
        reader = pull.dataset.reader
        measuring.append(loop.run_in_executor(pool, reader.measure, days, pull.source))

    async def wait_for_all_but(most: int) -> None:
        for done in await _all_but(most, landing):
            if isinstance(done, Failure):
                failed.append(done)
                continue
            arrivals.add(done.book_date)
            pull.landed.append(done.book_date)
            unmeasured.append(done)
        if sum(landed.records for landed in unmeasured) >= ROWS_AT_ONCE:
            measure()

    try:
        async with aclosing(pull.connection.pull(pull.wanted)) as answers:
            async for answer in answers:
                if isinstance(answer, Failure):
                    run.progress.fail(answer.book_date, answer.error.message)
                    failed.append(answer)
                    continue
                landing.add(loop.run_in_executor(pool, _land, run, pull, answer))
                # A slow disk slows the source: memory stays as it is.
                await wait_for_all_but(_LANDINGS_AT_ONCE)
        await wait_for_all_but(0)
        if unmeasured:
            measure()
        await asyncio.gather(*measuring)
    finally:
        await asyncio.gather(*landing, *measuring, return_exceptions=True)
    pull.failed = {each.book_date: each.error.message for each in failed}
    pull.landed.sort()


async def _all_but(
    most: int, landing: set[asyncio.Future[LandedObject | Failure]]
) -> list[LandedObject | Failure]:
    """Wait until at most so many are left, and take out those that are done."""
    done: set[asyncio.Future[LandedObject | Failure]] = set()
    while len(landing) > most:
        newly, _ = await asyncio.wait(landing, return_when=asyncio.FIRST_COMPLETED)
        landing -= newly
        done |= newly
    return [each.result() for each in done]


def _land(run: Run, pull: _Pull, batch: Batch) -> LandedObject | Failure:
    """Land a day; an answer of no use is a failure."""
    try:
        counted = _counted(batch.payload, pull.dataset.contract.of(pull.source))
    except SourceError as error:
        run.progress.fail(batch.book_date, error.message)
        return Failure(batch.book_date, error)
    asked = pull.requests[batch.book_date]
    request = as_answered(pull.connection, asked, batch.request)
    return run.landing.put(pull.source, batch.book_date, batch.payload, request, counted)


def _counted(payload: bytes, contract: Contract) -> Counted | None:
    """How many rows an answer has; None of NDJSON, whose lines landing counts itself.

    Raises:
        SourceError: the answer is not of its contract's format.
    """
    if contract.payload_format is PayloadFormat.NDJSON:
        return None
    return Counted(contract.payload_format, rows_of(payload, contract).lines.count(b"\n"))
