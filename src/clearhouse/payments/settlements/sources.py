"""Providers' settlements as sources of the pipeline: what the payouts of a day consist of.

Data flow: a provider's API → `raw/<source>/…`, a line of NDJSON an entry, with the provider's own
text of it.
Grain: one answer a book date, with the entries of every payout that was told of on that day; of
PayPal, which settles nothing by payouts, with the transactions of that day.
Idempotency: a request names the payouts. A day of which none has come since is not asked for again;
what is told again of a payout brings the same entries, which count as duplicates.
How to run: `clearhouse step payments extract_daily_batch --date D`.

A provider whose API is not set itemizes nothing: its payouts stand unexplained in the tie-out.
"""

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import msgspec
from pydantic import SecretStr

from clearhouse.core.errors import UsageError
from clearhouse.core.http import HttpPolicy, ResilientClient
from clearhouse.core.not_json import NOT_JSON
from clearhouse.core.urls import SecretUrl
from clearhouse.landing import Landing
from clearhouse.payments.event import Provider
from clearhouse.payments.normalizer.archive import archived
from clearhouse.payments.recorded import RecordedStore
from clearhouse.payments.settlements.adyen import Adyen
from clearhouse.payments.settlements.entry import Payout, SettlementEntry, encode_entry
from clearhouse.payments.settlements.paypal import PayPal, listings
from clearhouse.payments.settlements.square import Square
from clearhouse.payments.settlements.stripe import Stripe
from clearhouse.pipeline.domain import STATE, Batch, Failure, Faults, Source
from clearhouse.pipeline.each_day import each_day
from clearhouse.settings import Settings

_POLICY = HttpPolicy(concurrency=8, requests_per_second=80.0)  # Stripe takes 100 a second
_REPORT = "settlement_detail_report"
Payouts = Mapping[dt.date, Sequence[Payout]]


class Asker(Protocol):
    """Asks a provider."""

    async def entries_of(self, payout: Payout) -> Sequence[SettlementEntry]:
        """The entries of a payout."""
        ...


@dataclass(frozen=True)
class Api:
    """A provider's API of settlements.

    Attributes:
        name: of the source.
        named: of whom people speak.
        url, keys: names of the settings.
        headers: by which a request bears the keys.
        asker: asks it through a client.
        payouts: those that were told of on days.
        unset: what follows where it is not set, in words.
    """

    name: str
    named: str
    url: str
    keys: tuple[str, ...]
    headers: Callable[..., Mapping[str, str]]
    asker: Callable[[ResilientClient], Asker]
    payouts: Callable[[Settings, Sequence[dt.date]], Payouts]
    unset: str = "its payouts are not itemized"


@dataclass
class SettlementConnection:
    """An API that can be asked (`pipeline.domain.Connection`); without a URL it gives nothing."""

    api: Api
    settings: Settings = field(repr=False)
    identity: str
    notice: str
    url: str = field(repr=False)
    bearing: Mapping[str, str] = field(repr=False)

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        """What would be asked for each of the days."""
        return {day: _request(payouts) for day, payouts in self._payouts(days).items()}

    async def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        """Each day as soon as all of its payouts are there."""
        wanted = self._payouts(days)
        if not self.url:
            for day in days:
                yield Batch(day, b"", _request(()))
            return
        async with ResilientClient(
            self.url, name=self.api.named, policy=_POLICY, headers=self.bearing
        ) as client:
            asker = self.api.asker(client)

            async def ask(day: dt.date) -> Batch:
                entries = await _entries_of(asker, wanted[day])
                payload = b"".join(encode_entry(each) + b"\n" for each in entries)
                return Batch(day, payload, _request(wanted[day]))

            async with aclosing(each_day(ask, days, _POLICY.concurrency)) as found:
                async for answer in found:
                    yield answer

    def _payouts(self, days: Sequence[dt.date]) -> Payouts:
        found = self.api.payouts(self.settings, days) if self.url else {}
        return {day: found.get(day, ()) for day in days}


async def _entries_of(asker: Asker, payouts: Sequence[Payout]) -> list[SettlementEntry]:
    """The entries of payouts, in their order. They are asked for side by side: the client bounds
    how many requests are under way, over all days.

    Raises:
        SourceError: one of them can't be had; the others are given up.
    """
    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(asker.entries_of(payout)) for payout in payouts]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [entry for task in asked for entry in task.result()]


def _request(payouts: Sequence[Payout]) -> dict[str, Any]:
    return {STATE: {"payouts": [[each.account, each.payout_id] for each in payouts]}}


def _recorded(provider: Provider, settings: Settings, days: Sequence[dt.date]) -> Payouts:
    """The payouts of a provider of which the store has recorded that they were sent or paid."""
    found = RecordedStore(settings.payments_database_url).payouts(provider, days)
    return {day: [Payout(*each) for each in some] for day, some in found.items()}


class _Item(msgspec.Struct, rename="camel"):
    event_code: str = ""
    psp_reference: str = ""
    merchant_account_code: str = ""


class _Wrapped(msgspec.Struct):
    item: _Item = msgspec.field(name="NotificationRequestItem")


class _Notification(msgspec.Struct, rename="camel"):
    live: str = ""
    notification_items: list[_Wrapped] = []


def _reports(settings: Settings, days: Sequence[dt.date]) -> Payouts:
    """The settlement reports of which Adyen has told that they can be fetched; no tests."""
    landing = Landing.from_url(settings.landing_url)
    return {day: sorted(_reports_of(landing, day), key=msgspec.structs.astuple) for day in days}


def _reports_of(landing: Landing, day: dt.date) -> set[Payout]:
    found = set()
    for _, _, webhook in archived(landing, day, holding=_REPORT.encode()):
        is_report = webhook is not None and webhook.provider is Provider.ADYEN
        if not is_report or webhook is None or _REPORT not in webhook.body:
            continue
        try:
            notification = msgspec.json.decode(webhook.body, type=_Notification)
        except NOT_JSON:  # it is a dead letter of the normalizer
            continue
        if notification.live != "true":
            continue
        for wrapped in notification.notification_items:
            item = wrapped.item
            if item.event_code == "REPORT_AVAILABLE" and item.psp_reference.startswith(_REPORT):
                found.add(Payout(item.merchant_account_code, item.psp_reference))
    return found


def _bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _basic(client_id: str, secret: str) -> Mapping[str, str]:
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


APIS = (
    Api(
        "stripe_balance",
        "Stripe's API",
        "stripe_api_url",
        ("stripe_api_key",),
        _bearer,
        Stripe,
        partial(_recorded, Provider.STRIPE),
    ),
    Api(
        "square_payouts",
        "Square's API",
        "square_api_url",
        ("square_access_token",),
        _bearer,
        Square,
        partial(_recorded, Provider.SQUARE),
    ),
    Api(
        "adyen_settlement",
        "Adyen's reports",
        "adyen_report_url",
        ("adyen_report_key",),
        lambda key: {"X-API-Key": key},
        Adyen,
        _reports,
    ),
    Api(
        "paypal_transactions",
        "PayPal's API",
        "paypal_api_url",
        ("paypal_client_id", "paypal_client_secret"),
        _basic,
        PayPal,
        lambda _, days: listings(dt.datetime.now(dt.UTC), days),
        "fees of disputes and transfers to the bank are not known",
    ),
)


def source_of(api: Api) -> Source:
    """An API as a source."""

    def connect(settings: Settings, faults: Faults) -> AbstractContextManager[SettlementConnection]:
        return _connect(api, settings, faults)

    return Source(api.name, connect, lambda settings: _check(api, settings))


@contextmanager
def _connect(api: Api, settings: Settings, faults: Faults) -> Iterator[SettlementConnection]:
    """The API that is set.

    Raises:
        UsageError: faults are asked of it.
    """
    if faults:
        raise UsageError(f"{api.named} has no faults that can be asked for.", "bad_fault")
    if missing := _missing(api, settings):
        notice = f"{missing}: of {api.named}, {api.unset}."
        yield SettlementConnection(api, settings, "", notice, "", {})
        return
    url: SecretUrl = getattr(settings, api.url)
    keys: list[SecretStr] = [getattr(settings, name) for name in api.keys]
    bearing = api.headers(*(key.get_secret_value() for key in keys))
    yield SettlementConnection(api, settings, url.identity, "", url.for_client(), bearing)


def _check(api: Api, settings: Settings) -> str:
    missing = _missing(api, settings)
    if missing:
        return f"{missing}: of {api.named}, {api.unset}"
    return f"{api.named} is asked for settlements at {api.url.upper()}"


def _missing(api: Api, settings: Settings) -> str:
    """Which setting is missing for an API to be asked, in words; "" for none."""
    unset = next((name for name in (api.url, *api.keys) if getattr(settings, name) is None), None)
    return f"{unset.upper()} is not set" if unset else ""


SOURCES = tuple(source_of(api) for api in APIS)
