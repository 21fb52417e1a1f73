"""A month of the sandbox's providers through the services, in this process."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from payments_home import Home

from clearhouse.landing import Landing
from clearhouse.log.log import Message
from clearhouse.payments.event import Provider
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.normalizer.archive import Archive
from clearhouse.payments.normalizer.fetching import StripeObjects
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, encode_webhook
from clearhouse.payments.worker.loop import Worker
from clearhouse.sandbox.payments import accounts
from clearhouse.sandbox.payments.delivery import Delivery
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.output import Fate
from clearhouse.sandbox.payments.world import World
from clearhouse.sandbox.server import running_sources


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


@contextmanager
def provider_apis(options: PaymentOptions) -> Iterator[dict[str, str]]:
    """The providers' APIs, as settings."""
    with running_sources({"payment_providers": options}) as urls:
        url = urls["payment_providers"]
        yield {
            "STRIPE_API_URL": url,
            "STRIPE_API_KEY": accounts.STRIPE_KEY,
            "SQUARE_API_URL": url,
            "SQUARE_ACCESS_TOKEN": accounts.SQUARE_KEY,
            "ADYEN_REPORT_URL": url,
            "ADYEN_REPORT_KEY": accounts.ADYEN_REPORT_KEY,
            "PAYPAL_API_URL": url,
            "PAYPAL_CLIENT_ID": accounts.PAYPAL_CLIENT_ID,
            "PAYPAL_CLIENT_SECRET": accounts.PAYPAL_CLIENT_SECRET,
        }


def normalize(home: Home, world: World, stripe_url: str) -> None:
    """Take all that a world sends, normalize it and archive it."""
    landing = Landing.from_url(home.settings.landing_url)
    with home.log() as log:
        log.append(list(_received(world, home.now)))
        fetcher = StripeObjects(stripe_url, accounts.STRIPE_KEY)
        normalizer = Normalizer(log, landing, fetcher, breaker=None, now=lambda: home.now)
        while normalizer.step():
            pass
        fetcher.close()
        Archive(log, landing, lambda: home.now).flush()


def record_all(home: Home, store: PaymentStore) -> None:
    """Record what was normalized."""
    with home.log() as log:
        worker = Worker(log, store, InProcess(), clock=lambda: home.now)
        while worker.step():
            pass


def _items(delivery: Delivery) -> list[str]:
    """The notifications of a request, as the gateway stores them."""
    if delivery.provider is not Provider.ADYEN:
        return [delivery.body.decode()]
    body = msgspec.json.decode(delivery.body)
    if "notificationItems" not in body:
        return [delivery.body.decode()]
    return [
        msgspec.json.encode({**body, "notificationItems": [item]}).decode()
        for item in body["notificationItems"]
    ]


def _received(world: World, now: dt.datetime) -> Iterator[Message]:
    for delivery in world.deliveries:
        fates = {world.notices[number].fate for number in delivery.notices}
        if delivery.is_forged or Fate.DEAD_GATEWAY in fates:
            continue
        items = _items(delivery)
        for n, item in enumerate(items):
            webhook = StoredWebhook(
                provider=delivery.provider, account=delivery.endpoint, key_id="1", received_at=now,
                verified_at=now, item=n, items=len(items), body=item,
                body_sha256=f"{delivery.number:064x}",
            )  # fmt: skip
            yield Message(WEBHOOKS.name, "key", encode_webhook(webhook))
