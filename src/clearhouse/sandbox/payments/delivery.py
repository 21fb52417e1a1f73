"""The requests by which notices are sent: their order, doubles, batches and signatures.

Delays are an order, not a sleep: what was delayed comes after what happened later.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import accounts, signing
from clearhouse.sandbox.payments.draws import Entity, Ids
from clearhouse.sandbox.payments.output import Fate, Notice, Object, encode
from clearhouse.sandbox.rng import Rng, stream

DOUBLED, DELAYED, FORGED = 0.02, 0.03, 0.0005
"""Shares of notices that are sent twice, that come late, and that nobody should take."""

_USUAL_SECONDS, _LATE_SECONDS = 4.0, 1.5 * 86_400
_BATCHES = (0.55, 0.75, 0.87, 0.95, 1.0)
"""Shares, added up, of Adyen's requests with 1, 2, … items."""
_SQUARE_KEYS = (accounts.SQUARE_OLD, accounts.SQUARE_NEW)
_ADYEN_KEYS = (accounts.ADYEN_OLD, accounts.ADYEN_NEW)
_CONNECT_SECRETS = (
    (accounts.STRIPE_CONNECT_OLD,),
    (accounts.STRIPE_CONNECT_OLD, accounts.STRIPE_CONNECT_NEW),
    (accounts.STRIPE_CONNECT_NEW,),
)


class Signed(StrEnum):
    """How a request is signed."""

    STRIPE = "stripe"
    SQUARE = "square"
    ADYEN_ITEMS = "adyen_items"
    ADYEN_HEADER = "adyen_header"
    PAYPAL = "paypal"


@dataclass(slots=True)
class Delivery:
    """One request, that is sent again until it is answered with 2xx.

    Attributes:
        number: its id; in the order of sending.
        endpoint: name of the account, in the path.
        notices: numbers of what it holds.
        secrets: that sign it.
        at: when what it tells happened, in Unix seconds.
        is_forged: its signature is of no one.
    """

    number: int
    provider: Provider
    endpoint: str
    body: bytes
    notices: tuple[int, ...]
    signed: Signed
    secrets: tuple[str, ...]
    at: int
    is_forged: bool = False
    _headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Of the URL."""
        name = "" if self.endpoint == "default" else f"/{self.endpoint}"
        return f"/webhooks/{self.provider}{name}"

    def headers(self, now: float) -> Mapping[str, str]:
        """The headers of a request that is sent now (in Unix seconds, by the real clock)."""
        if self.signed is Signed.STRIPE:
            return signing.stripe(self.body, self.secrets, int(now))
        if not self._headers:
            self._headers = self._signature()
        return self._headers

    def _signature(self) -> Mapping[str, str]:
        if self.signed is Signed.SQUARE:
            return signing.square(self.body, self.secrets[0], accounts.NOTIFICATION_URL)
        if self.signed is Signed.ADYEN_HEADER:
            return signing.adyen_header(self.body, self.secrets[0])
        if self.signed is Signed.PAYPAL:
            sent_at = dt.datetime.fromtimestamp(self.at, dt.UTC)
            transmission = Ids(0, "transmission").uuid(str(self.number))
            return signing.paypal(self.body, transmission, sent_at, self.secrets[0])
        return {"content-type": "application/json"}  # each item has its signature


def deliveries(notices: Sequence[Notice], seed: int, unsent: Collection[int]) -> list[Delivery]:
    """The requests in the order in which they are sent.

    Args:
        notices: what is told.
        seed: of the world.
        unsent: numbers of notices that the provider fails to send.
    """
    rng = stream(seed, Entity.DELIVERY, 0)
    order = _order(notices, rng)
    kinds = [_signed(notices[n]) for n in order]
    drawn = rng.random(len(order))
    batches = np.searchsorted(_BATCHES, rng.random(len(order)), side="right") + 1
    forged = rng.random(len(order)) < FORGED
    made: list[Delivery] = []
    waiting: dict[bool, list[int]] = {True: [], False: []}
    for place, (number, kind) in enumerate(zip(order, kinds, strict=True)):
        if number in unsent:  # only here: the others' batches and keys are as if it were sent
            continue
        notice = notices[number]
        if kind is not Signed.ADYEN_ITEMS:
            made.append(_single(len(made), notices[number], number, kind, float(drawn[place])))
        else:
            batch = waiting[notice.is_live]
            batch.append(number)
            if len(batch) >= batches[place]:
                made.append(_batch(len(made), notices, batch, float(drawn[place])))
                batch.clear()
        if forged[place] and kind in (Signed.SQUARE, Signed.STRIPE):
            made.append(_forged(len(made), notice, kind))
    for batch in waiting.values():
        if batch:
            made.append(_batch(len(made), notices, batch, 0.0))
    return made


def fates(
    made: Sequence[Delivery], notices: Sequence[Notice], taken: Collection[int] | None
) -> Counter[Fate]:
    """How many items of requests have which fate.

    Args:
        made: all requests.
        notices: what they hold.
        taken: numbers of those that were acknowledged; None for all.
    """
    counts: Counter[Fate] = Counter()
    for delivery in made:
        if not delivery.is_forged and (taken is None or delivery.number in taken):
            counts.update(notices[number].fate for number in delivery.notices)
    return counts


def _order(notices: Sequence[Notice], rng: Rng) -> list[int]:
    """Numbers of notices as they are sent: some late, some twice."""
    size = len(notices)
    at = np.fromiter((notice.at for notice in notices), np.float64, size)
    late = rng.random(size) < DELAYED
    at += rng.exponential(_USUAL_SECONDS, size) + late * rng.exponential(_LATE_SECONDS, size)
    twice = np.flatnonzero(rng.random(size) < DOUBLED)
    again = at[twice] + rng.exponential(_LATE_SECONDS / 4, len(twice))
    numbers = np.concatenate([np.arange(size), twice])
    order = np.argsort(np.concatenate([at, again]), kind="stable")
    return [int(number) for number in numbers[order]]


def _signed(notice: Notice) -> Signed:
    if notice.provider is not Provider.ADYEN:
        return Signed(notice.provider.value)
    return Signed.ADYEN_HEADER if isinstance(notice.content, bytes) else Signed.ADYEN_ITEMS


def _single(number: int, notice: Notice, of: int, kind: Signed, drawn: float) -> Delivery:
    assert isinstance(notice.content, bytes)  # noqa: S101
    return Delivery(number, notice.provider, notice.endpoint, notice.content, (of,), kind,
                    _secrets(notice, kind, drawn), notice.at)  # fmt: skip


def _secrets(notice: Notice, kind: Signed, drawn: float) -> tuple[str, ...]:
    if kind is Signed.STRIPE:
        if notice.endpoint == accounts.CONNECT:
            return _CONNECT_SECRETS[int(drawn * 3)]
        return (accounts.STRIPE_THIN if notice.is_thin else accounts.STRIPE_SNAPSHOTS,)
    if kind is Signed.SQUARE:
        return (_SQUARE_KEYS[int(drawn * 2)],)
    if kind is Signed.ADYEN_HEADER:
        return (accounts.ADYEN_HEADER,)
    return (accounts.PAYPAL_WEBHOOK_ID,)


def _batch(number: int, notices: Sequence[Notice], of: list[int], drawn: float) -> Delivery:
    """Adyen's items in one request, each signed."""
    key = _ADYEN_KEYS[int(drawn * 2)]
    items = []
    for each in of:
        item = notices[each].content
        assert isinstance(item, dict)  # noqa: S101
        data = {**item["additionalData"], "hmacSignature": signing.adyen_item(item, key)}
        items.append({"NotificationRequestItem": {**item, "additionalData": data}})
    first = notices[of[0]]
    body: Object = {"live": "true" if first.is_live else "false", "notificationItems": items}
    return Delivery(number, Provider.ADYEN, first.endpoint, encode(body), tuple(of),
                    Signed.ADYEN_ITEMS, (key,), first.at)  # fmt: skip


def _forged(number: int, notice: Notice, kind: Signed) -> Delivery:
    """A body that its provider never sent, with a signature by a secret that is no one's."""
    assert isinstance(notice.content, bytes)  # noqa: S101
    body = notice.content.replace(b'"id":"', b'"id":"forged', 1)
    return Delivery(number, notice.provider, notice.endpoint, body, (), kind,
                    ("whsec_of_no_one",), notice.at, is_forged=True)  # fmt: skip
