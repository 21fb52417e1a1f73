"""What Stripe lists among its events, as it was answered, and what of it came: a hop of the books.

Data flow: Stripe's list → `raw/stripe_events/…` → the hop `stripe list → webhooks`.
Grain: one line an event; one entry a UTC day on which Stripe made listed events.
Idempotency: what was listed once counts from then on. An entry is made anew when more was listed
or came.
How to run: `clearhouse payments gaps`.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby

import msgspec
import pyarrow as pa

from clearhouse.books.hop import Hop
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.books.model import Side, digest
from clearhouse.core.columnar import query
from clearhouse.core.money import NO_CURRENCY
from clearhouse.core.not_json import NOT_JSON
from clearhouse.core.window import Window
from clearhouse.landing.store import Landing
from clearhouse.payments.event import Provider
from clearhouse.payments.normalizer.archive import archived
from clearhouse.pipeline.domain import StreamHop, StreamState
from clearhouse.pipeline.rows_spine import SidesOfRows, SidesRead

SOURCE = "stripe_events"
NAME = "stripe list → webhooks"

DAYS = 30
"""How far back Stripe lists its events: an event comes within so many days, or never."""

Key = tuple[str, str]
"""Connected account, "" for one's own, and id of an event."""

_ROWS = f"""
    SELECT book_date AS _book_date, md5(key) AS _record_id, key AS _record_key,
        0::BIGINT AS amount_minor, '{NO_CURRENCY}' AS currency
    FROM (SELECT book_date, concat_ws('|', nullif(account, ''), event_id) AS key FROM found)"""
_FOUND = pa.schema(
    [("book_date", pa.date32()), ("account", pa.string()), ("event_id", pa.string())]
)


class Listed(msgspec.Struct, frozen=True):
    """An event as a list names it.

    Attributes:
        account: the connected account that it is of, "" for one's own.
        created: when Stripe made it, in seconds since 1970.
    """

    account: str
    id: str
    type: str
    created: int

    @property
    def created_at(self) -> dt.datetime:
        """When Stripe made it, in UTC."""
        return dt.datetime.fromtimestamp(self.created, dt.UTC)

    @property
    def key(self) -> Key:
        """What names it."""
        return self.account, self.id


class _Head(msgspec.Struct):
    id: str = ""
    account: str | None = None


_HEAD = msgspec.json.Decoder(_Head)
_LISTED = msgspec.json.Decoder(Listed)


def land(landing: Landing, listed: Iterable[Listed]) -> list[dt.date]:
    """Keep a list in landing, each event under the day on which it was made; which days these are.

    Raises:
        StoreError, ServerError: landing can't be written.
    """
    days = []
    in_order = sorted(listed, key=lambda each: (each.created, *each.key))
    for day, events in groupby(in_order, key=lambda each: each.created_at.date()):
        lines = b"".join(msgspec.json.encode(each) + b"\n" for each in events)
        landing.put(SOURCE, day, lines, {"path": "v1/events"})
        days.append(day)
    return days


def came_on(landing: Landing, day: dt.date) -> Iterator[Key]:
    """Events of Stripe that the archive holds of a day."""
    return (key for key, _ in filed_on(landing, day))


def filed_on(landing: Landing, day: dt.date) -> Iterator[tuple[Key, str]]:
    """The same, each with the account of the endpoint that it came by."""
    for each in archived(landing, day, b'"stripe"'):
        webhook = each.webhook
        if webhook is not None and webhook.provider is Provider.STRIPE:
            try:
                head = _HEAD.decode(webhook.body)
            except NOT_JSON:  # it is a dead letter of the normalizer
                continue
            yield (head.account or "", head.id), webhook.account


def listed_hop(landing: Landing) -> StreamHop:
    """The hop: what was listed of a day, and what of it came, whenever that was."""

    def compared(days: Sequence[dt.date]) -> dict[dt.date, tuple[set[Key], set[Key]]]:
        listed = {day: events for day, events in _listed(landing, days).items() if events}
        came = _came(landing, [*listed])
        return {day: (events, events & came) for day, events in listed.items()}

    def sides(days: Sequence[dt.date]) -> SidesRead:
        found = compared(days)
        return {
            side: _rows({day: both[n] for day, both in found.items()})
            for n, side in enumerate((Side.IN, Side.OUT))
        }

    def reached(days: Sequence[dt.date]) -> Mapping[dt.date, StreamState]:
        return {day: StreamState(_covers(*both)) for day, both in compared(days).items()}

    hop = Hop(NAME, SidesOfRows(sides).legs([Side.IN, Side.OUT]), certified=False)
    return StreamHop(hop, reached)


def _listed(landing: Landing, days: Sequence[dt.date]) -> dict[dt.date, set[Key]]:
    """What was listed of each of the days, at any time."""
    if not days:
        return {}
    landed = landing.days(SOURCE, Window(min(days), max(days)))
    return {
        day: {
            _LISTED.decode(line).key
            for each in landed[day]
            for line in landing.read(each).splitlines()
        }
        for day in days
    }


def _came(landing: Landing, days: Sequence[dt.date]) -> set[Key]:
    """What came of events that were made on days: clocks of two hosts may differ on the first."""
    today = dt.datetime.now(dt.UTC).date()
    looked_at = {
        day + dt.timedelta(n)
        for day in days
        for n in range(-1, DAYS + 2)
        if day + dt.timedelta(n) <= today
    }
    return {key for day in looked_at for key in came_on(landing, day)}


def _covers(listed: set[Key], came: set[Key]) -> str:
    return f"{len(came)} of {len(listed)} listed, {_named(came)} of {_named(listed)}"


def _named(keys: set[Key]) -> str:
    return digest(*chain.from_iterable(sorted(keys)))[:12]


def _rows(found: Mapping[dt.date, set[Key]]) -> pa.Table:
    rows = [(day, *key) for day, keys in found.items() for key in keys]
    columns = [*zip(*rows, strict=True)] or [()] * len(_FOUND)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, _FOUND, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=_FOUND)
    return query(_ROWS, found=table).cast(SPINE_SCHEMA)
