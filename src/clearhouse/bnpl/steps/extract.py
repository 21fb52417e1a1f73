"""Source to landing: pull each day over HTTP and put its bytes on durable storage.

Data flow: simtom → `raw/simtom/year=/month=/day=/NNNN-….ndjson.zst`.
Grain: one object a day and version of its bytes.
Idempotency: a day that has landed by the same request is not asked for again, unless refreshed;
bytes that landed before are not landed twice, other bytes become a later version.
How to run: `clearhouse step bnpl extract_daily_batch --date D`.
"""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from typing import Any

import structlog

from clearhouse.bnpl.api_client import BNPLAPIClient, DayBatch, DayFailure, request_for
from clearhouse.bnpl.context import DOMAIN, SOURCE, SOURCE_TO_LANDING, Bnpl
from clearhouse.core.background import import_beside
from clearhouse.books.clerk import Clerk
from clearhouse.books.model import EntryKey, Status, digest
from clearhouse.core.errors import ClearhouseError, UsageError
from clearhouse.pipeline.runner import StepReport
from clearhouse.core.window import Window
from clearhouse.engines import dbt
from clearhouse.quality import project

_log = structlog.get_logger("clearhouse.bnpl")

_LANDINGS_AT_ONCE = 2
_CODE = digest("landing", "1")  # what a pulled byte stream becomes: the stream without its framing


def extract_daily_batch(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Land every day that has not landed by this request yet."""
    requests = _requests(bnpl, days)
    keys = {day: key_of_pull(bnpl, day, requests[day]) for day in days}
    clerk = Clerk(bnpl.books, bnpl.hops[SOURCE_TO_LANDING], bnpl.run_id)
    plan = clerk.plan(keys, {} if bnpl.refresh else _marks(bnpl, keys, requests))
    report = StepReport(skipped=list(plan.skip))
    bnpl.progress.advance(len(plan.skip))
    if not plan.redo:
        return report
    closed = bnpl.certificates.closed(DOMAIN)
    refused = {day: closed_day(day) for day in plan.redo if day in closed}
    wanted = [day for day in plan.redo if day not in closed]
    if not wanted:
        report.failed = refused
        return report
    if bnpl.connect is None:
        raise UsageError("There is no source to pull from: set BNPL_API_URL.", "no_source")
    _warn_of_another_source(bnpl, wanted)
    clerk.open(keys[day] for day in wanted)
    with _preparing_what_comes_next(bnpl):
        landed, failed = asyncio.run(_pull(bnpl, bnpl.connect(), wanted))
    clerk.fail(keys[day] for day in failed)
    report.failed = {**refused, **failed}
    statuses = clerk.close(keys[day] for day in landed)
    report.done = [day for day, status in statuses.items() if status is Status.BALANCED]
    return report


def closed_day(day: dt.date) -> str:
    """Why nothing more is landed for a day."""
    return (
        f"{day} is closed, and what has landed for it stays as it was sealed: "
        f'`clearhouse reopen {DOMAIN} --date {day} --reason "…"` opens it.'
    )


def _warn_of_another_source(bnpl: Bnpl, days: Sequence[dt.date]) -> None:
    """Say so when days are pulled again because they would be asked for otherwise."""
    again = bnpl.entries(SOURCE_TO_LANDING, days)
    if again and not bnpl.refresh:
        _log.warning(
            "days that have landed are pulled again, since they would be asked for otherwise now; "
            "what comes is a correction of what came before",
            days=len(again),
            first=str(min(again)),
            source=bnpl.source_identity,
        )


@contextmanager
def _preparing_what_comes_next(bnpl: Bnpl) -> Iterator[None]:
    """Import and read what is slow to (dbt, Great Expectations) while the source is waited for.

    When the pull is done first, the steps go on and wait for it where they need it. A run that
    fails waits for it too: modules can't be imported while Python shuts down.
    """
    importing = import_beside(project.preload, dbt.preload, bnpl.dbt.prepare)
    try:
        yield
    except BaseException:
        importing.join()
        raise


def close_landing(bnpl: Bnpl, days: Iterable[dt.date]) -> None:
    """Measure days again to which something was landed by another way than a pull."""
    entries = bnpl.entries(SOURCE_TO_LANDING, list(days))
    Clerk(bnpl.books, bnpl.hops[SOURCE_TO_LANDING], bnpl.run_id).close(
        entry.key for entry in entries.values()
    )


def _requests(bnpl: Bnpl, days: Sequence[dt.date]) -> dict[dt.date, dict[str, Any]]:
    if bnpl.ask_by == "range":
        ask = bnpl.pattern.ask(min(days))
        whole = request_for(min(days), max(days), ask.base_daily_volume, ask.seed)
        return dict.fromkeys(days, _asked_of(bnpl, whole))
    asks = [bnpl.pattern.ask(day) for day in days]
    return {
        a.day: _asked_of(bnpl, request_for(a.day, a.day, a.base_daily_volume, a.seed)) for a in asks
    }


def _asked_of(bnpl: Bnpl, request: Mapping[str, Any]) -> dict[str, Any]:
    """A request with whom it is put to: another source's answer is another day."""
    return {"source": bnpl.source_identity, **request}


def key_of_pull(bnpl: Bnpl, day: dt.date, request: Mapping[str, Any]) -> EntryKey:
    """The entry of a day that the source was asked for by this request."""
    asked = digest(json.dumps(request, sort_keys=True))
    return EntryKey(DOMAIN, SOURCE_TO_LANDING, day, asked, _CODE)


def _marks(
    bnpl: Bnpl, keys: Mapping[dt.date, EntryKey], requests: Mapping[dt.date, Mapping[str, Any]]
) -> dict[dt.date, str]:
    """Days that have landed whole by the request they would be asked with, and still verify.

    The manifest says the first request that gave these bytes; another one that gave the same
    bytes is known to the books.
    """
    landed = bnpl.landing.days(SOURCE, Window(min(keys), max(keys)))
    entered = bnpl.entries(SOURCE_TO_LANDING, list(keys))
    found = {}
    for day, key in keys.items():
        objects = landed.get(day, [])
        asked = any(o.request == requests[day] for o in objects)
        known = day in entered and entered[day].entry_id == key.entry_id
        if objects and (asked or known) and all(map(bnpl.landing.verify, objects)):
            found[day] = key.entry_id
    return found


async def _pull(
    bnpl: Bnpl, url: str, days: Sequence[dt.date]
) -> tuple[list[dt.date], dict[dt.date, str]]:
    landed: list[dt.date] = []
    failed: dict[dt.date, str] = {}
    landing: set[asyncio.Future[dt.date]] = set()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(_LANDINGS_AT_ONCE) as pool:
        async with BNPLAPIClient(url, policy=bnpl.policy) as client:
            pull = _by_range if bnpl.ask_by == "range" else _by_day
            try:
                async with aclosing(pull(bnpl, client, days)) as answers:
                    async for answer in answers:
                        if isinstance(answer, DayFailure):
                            failed[answer.day] = answer.error.message
                            bnpl.progress.advance()
                            continue
                        landing.add(loop.run_in_executor(pool, _land, bnpl, answer))
                        # A slow disk slows the source: memory stays as it is.
                        landed += await _all_but(_LANDINGS_AT_ONCE, landing)
                landed += await _all_but(0, landing)
            finally:
                await asyncio.gather(*landing, return_exceptions=True)
    return sorted(landed), failed


async def _all_but(most: int, landing: set[asyncio.Future[dt.date]]) -> list[dt.date]:
    """Wait until at most so many are left, and take out those that are done."""
    done: set[asyncio.Future[dt.date]] = set()
    while len(landing) > most:
        newly, _ = await asyncio.wait(landing, return_when=asyncio.FIRST_COMPLETED)
        landing -= newly
        done |= newly
    return [each.result() for each in done]


def _land(bnpl: Bnpl, batch: DayBatch) -> dt.date:
    """Land a day, and measure it while others are pulled."""
    request = _asked_of(bnpl, batch.request)
    bnpl.landing.put(SOURCE, batch.book_date, batch.payload, request)
    bnpl.reader.measure(batch.book_date)
    bnpl.progress.advance()
    return batch.book_date


def _by_day(
    bnpl: Bnpl, client: BNPLAPIClient, days: Sequence[dt.date]
) -> AsyncGenerator[DayBatch | DayFailure, None]:
    return client.get_daily_batches(bnpl.pattern.ask(day) for day in days)


async def _by_range(
    bnpl: Bnpl, client: BNPLAPIClient, days: Sequence[dt.date]
) -> AsyncGenerator[DayBatch | DayFailure, None]:
    ask = bnpl.pattern.ask(min(days))
    try:
        batches = await client.get_bnpl_data(
            min(days), max(days), base_daily_volume=ask.base_daily_volume, seed=ask.seed
        )
    except ClearhouseError as error:
        for day in days:
            yield DayFailure(day, error)
        return
    wanted = set(days)
    for batch in batches:
        if batch.book_date in wanted:
            yield batch
