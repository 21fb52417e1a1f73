"""The operational store of payments as a source: the events that it has recorded, by book date.

Data flow: `payment_event` of the store → `raw/payments_store/…`, a line of NDJSON an event.
Grain: one answer a book date, with every event whose webhook the log took on that UTC day.
Idempotency: a request holds the count and hash of the day in the store. A day that is as it landed
is not extracted again, and one that has changed is extracted whole: there is no high-water mark.
How to run: `clearhouse step payments extract_daily_batch --date D`.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from clearhouse.books.hop import Relation
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.core.contract import read_records
from clearhouse.core.errors import UsageError
from clearhouse.landing.spine import LandingReader
from clearhouse.payments.recorded import RecordedStore
from clearhouse.pipeline.domain import STATE, Batch, Failure, Faults, Source
from clearhouse.pipeline.each_day import each_day
from clearhouse.pipeline.rows_spine import RowsSpine
from clearhouse.settings import Settings

PAYMENTS_STORE = "payments_store"
_DAYS_AT_ONCE = 2


@dataclass
class StoreConnection:
    """The store, to be asked for days (`pipeline.domain.Connection`)."""

    store: RecordedStore
    identity: str = PAYMENTS_STORE
    notice: str = ""

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        """What would be asked for each of the days: with what the store holds of it."""
        return {day: _request(held.as_state()) for day, held in self.store.days(days).items()}

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        """Each day as soon as it is read."""

        async def ask(day: dt.date) -> Batch:
            payload, held = await asyncio.to_thread(self.store.lines, day)
            return Batch(day, payload, _request(held.as_state()))

        async with aclosing(each_day(ask, days, _DAYS_AT_ONCE)) as found:
            async for answer in found:
                yield answer


def _request(state: Mapping[str, Any]) -> dict[str, Any]:
    return {STATE: dict(state)}


@contextmanager
def connect(settings: Settings, faults: Faults) -> Iterator[StoreConnection]:
    """The store that is set.

    Raises:
        UsageError: faults are asked of it.
    """
    if faults:
        raise UsageError(
            "The operational store of payments has no faults: they are those of the webhooks that "
            "are sent to the gateway.",
            "bad_fault",
        )
    yield StoreConnection(RecordedStore(settings.payments_database_url))


def check(settings: Settings) -> str:
    """Ask the store what it holds, and say so in one sentence."""
    store = RecordedStore(settings.payments_database_url)
    today = dt.datetime.now(dt.UTC).date()
    return f"the operational store of payments has {store.days([today])[today].records} of today"


def spine(settings: Settings, landed: LandingReader) -> Relation:
    """The store's events as the books read their lines, as far as the day was extracted.

    What was recorded since then is extracted by the next run. A row that a person has corrected is
    in as it landed: the store has it as it was.
    """
    store = RecordedStore(settings.payments_database_url)

    def of_day(day: dt.date, through: int) -> pa.Table:
        payload, _ = store.lines(day, through)
        rows = read_records(payload, landed.contract, PAYMENTS_STORE)
        dated = pa.repeat(pa.scalar(day, pa.date32()), len(rows))
        return rows.append_column("_book_date", dated).select(SPINE_SCHEMA.names)

    def of_days(days: Sequence[dt.date]) -> pa.Table:
        tables = [SPINE_SCHEMA.empty_table()]
        for day, objects in landed.objects(days).items():
            through = [o.request[STATE]["through"] for o in objects if STATE in o.request]
            if through:
                tables.append(of_day(day, max(through)).cast(SPINE_SCHEMA))
                tables.append(landed.corrections(day))
        return pa.concat_tables(tables)

    return RowsSpine(of_days)


STORE = Source(PAYMENTS_STORE, connect, check, spine)
