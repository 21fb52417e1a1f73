"""Mutations of real bodies against the gateway and the normalizer, and what must hold of each.

`python -m hostile_webhooks <count> [<seed> [<first>]]` in this folder runs as many as are named.
"""

import asyncio
import datetime as dt
import json
import random
import re
import sys
from collections import Counter
from functools import cache

import msgspec
import structlog
from gateway_driver import MemoryLog, ask, running
from webhook_signing import NOW

from clearhouse.payments.dead_letter import Unmapped
from clearhouse.payments.event import PaymentEvent, Provider
from clearhouse.payments.id_fields import ID_FIELDS
from clearhouse.payments.normalizing import normalize
from clearhouse.payments.signatures import Certificates
from clearhouse.payments.webhook import StoredWebhook
from clearhouse.sandbox.payments import accounts, certificates, signing
from clearhouse.sandbox.payments.delivery import Delivery, Signed
from clearhouse.sandbox.payments.world import World

CARDS = ("4242424242424242", "5555555555554444", "378282246310005", "3530111333300000")
_BEFORE_CARDS = (" ", "\n", "•", "é")
_CARD = re.compile("|".join(rf"(?<![0-9]){card}(?![0-9])" for card in CARDS))
_TOKENS = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", b"[" * 3_000, b"{" * 3_000,
    b'{"a":' * 2_000, b"9" * 5_000, b"1e999", b"-0", b"NaN", b"null", b"true", b'""', b"\\", b'"',
    b"x" * 70_000, b"}", b"]", b",", b":", b" ", CARDS[0].encode(), b"4242 4242 4242 4242",
    b'"' + CARDS[1].encode() + b'"', b"\\u003" + CARDS[0][1:].encode(),
)  # fmt: skip


class Case:
    """One request.

    Attributes:
        is_signed: by a live key.
    """

    def __init__(self, seed: int, number: int) -> None:
        rng = random.Random(f"{seed}:{number}")
        real = real_deliveries()
        self.delivery: Delivery = real[rng.randrange(len(real))]
        self.provider = self.delivery.provider
        self.body = _mutated(rng, _planted(rng, self.provider, self.delivery.body))
        if self.delivery.signed is Signed.ADYEN_ITEMS:
            self.body = _items_signed(self.body, self.delivery.secrets[0])
        self.is_signed = rng.random() > 0.05
        self.headers = self._headers() if self.is_signed else {}
        if rng.random() < 0.02:
            self.headers[
                rng.choice(["stripe-signature", "content-encoding", "paypal-cert-url"])
            ] = rng.choice(["", "é", "t=1", "gzip", "https://evil.example/x", "a" * 5_000])

    def _headers(self) -> dict[str, str]:
        secret = self.delivery.secrets[0] if self.delivery.secrets else ""
        return dict(
            {
                Signed.STRIPE: lambda: signing.stripe(self.body, [secret], int(NOW.timestamp())),
                Signed.SQUARE: lambda: signing.square(self.body, secret, accounts.NOTIFICATION_URL),
                Signed.ADYEN_HEADER: lambda: signing.adyen_header(self.body, secret),
                Signed.PAYPAL: lambda: signing.paypal(self.body, "t-1", NOW, secret),
                Signed.ADYEN_ITEMS: dict,
            }[self.delivery.signed]()
        )


def attack(seed: int, count: int, first: int = 0) -> Counter[str]:
    """Send cases to a gateway, check each, and normalize what it kept.

    Args:
        seed: of all cases.
        count: how many.
        first: number of the first.

    Returns:
        How many came to which outcome.

    Raises:
        AssertionError: something does not hold; it names seed and number of the case.
    """
    return asyncio.run(_attack(seed, count, first))


async def _attack(seed: int, count: int, first: int) -> Counter[str]:
    log, outcomes = MemoryLog(), Counter()
    options = {
        "accounts": accounts.sandbox_accounts(),
        "certificates": Certificates(_roots(), lambda _host, _path: certificates.chain()),
    }
    async with running(log, **options) as app:
        for number in range(first, first + count):
            case = Case(seed, number)
            log.messages.clear()
            status, _, _ = await ask(app, case.delivery.path, case.headers, case.body)
            try:
                outcomes.update(_checked(case, status, log))
            except Exception as error:
                raise AssertionError(f"seed {seed}, case {number}: {error!r}") from error
    return outcomes


def _checked(case: Case, status: int, log: MemoryLog) -> list[str]:
    assert status in {200, 202, 401, 413, 415}, status
    if status >= 400:
        assert not log.messages, "something was kept of a request that was refused"
        return [str(status)]
    assert case.is_signed or case.delivery.signed is Signed.ADYEN_ITEMS
    webhooks, letters = log.webhooks, log.letters
    assert webhooks or letters, "a request is accepted or a dead letter"
    for message in log.messages:
        assert len(message.value) < 4 << 20
    parts = [*webhooks, *filter(None, map(_stored, letters))]
    assert len({each.item for each in parts}) == len(parts), "each item is kept once"
    assert {each.items for each in parts} <= {len(webhooks) + len(letters)}
    kept = [each.body for each in sorted(parts, key=lambda each: each.item)]
    for text in kept:
        _no_card(case.provider, text)
    if len(parts) == len(webhooks) + len(letters):
        _same_ids(case, kept)
    dead = [f"dead letter: {letter.code}" for letter in letters]
    return [*dead, *(f"accepted, {_normalized(each)}" for each in webhooks)]


def _normalized(webhook) -> str:
    found = normalize(webhook, 7, NOW.date())
    if isinstance(found, list):
        assert found, "neither an event nor a problem"
        assert found[0].code
        assert not any(_CARD.search(each.reason) for each in found)
        return "problem"
    assert isinstance(found, PaymentEvent | Unmapped)
    return "event" if isinstance(found, PaymentEvent) else "not mapped"


def _stored(letter) -> StoredWebhook | None:
    """What a letter holds; None where it is no text."""
    return msgspec.json.decode(letter.message, type=StoredWebhook | None)


def _no_card(provider: Provider, text: str) -> None:
    value = _parsed(text)
    searched = [text] if value is None else _strings(value, provider)
    assert not any(_CARD.search(each) for each in searched), "a card number was kept"


def _same_ids(case: Case, kept: list[str]) -> None:
    sent = _parsed(case.body)
    found = [_parsed(text) for text in kept]
    if sent is not None and None not in found:
        before = Counter(_ids(sent, case.provider))
        assert before == Counter(each for value in found for each in _ids(value, case.provider))


def _parsed(text):
    """What strict JSON says; None for any other text."""
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return json.loads(text, parse_int=_integer)
    except (ValueError, RecursionError):
        return None


def _integer(text: str) -> int:
    """Python refuses to read the longest, which are JSON all the same."""
    return int(text) if len(text) < 4_000 else 0


def _strings(value, provider: Provider, name: str = ""):
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _strings(each, provider, key)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, provider, name if not isinstance(each, dict) else "")
    elif isinstance(value, str) and name not in ID_FIELDS[provider]:
        yield value


def _ids(value, provider: Provider):
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ID_FIELDS[provider] and isinstance(each, str):
                yield key, each
            yield from _ids(each, provider)
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each, provider)


def _planted(rng: random.Random, provider: Provider, body: bytes) -> bytes:
    """A body with a card number in a text of it, and one's look in an id."""
    value = _parsed(body)
    if not isinstance(value, dict):
        return body
    places = list(_places(value))
    for is_id in (False, True):
        fitting = [(at, k) for at, k in places if (k in ID_FIELDS[provider]) == is_id]
        if fitting and rng.random() < 0.4:
            at, key = rng.choice(fitting)
            card = rng.choice(CARDS)
            before = rng.choice(_BEFORE_CARDS)
            at[key] = card if is_id else f"{at[key]}{before}{card}"
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _places(value):
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, str):
                yield value, key
            yield from _places(each)
    elif isinstance(value, list):
        for each in value:
            yield from _places(each)


def _mutated(rng: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 4))):
        at = rng.randrange(len(changed) + 1)
        to = min(len(changed), at + rng.choice((0, 1, 1, 4, 30, 400)))
        kind = rng.randrange(5)
        if kind == 0:
            changed[at:to] = rng.choice(_TOKENS)
        elif kind == 1:
            changed[at:to] = bytes(rng.randrange(256) for _ in range(to - at))
        elif kind == 2:
            del changed[at:to]
        elif kind == 3:
            changed[at:at] = changed[at:to]
        elif rng.random() < 0.1:
            changed = changed[:at] if rng.random() < 0.8 else changed * 300
    return bytes(changed)


def _items_signed(body: bytes, key: str) -> bytes:
    """Adyen's items with the signatures that they have after the changes, where they are items."""
    value = _parsed(body)
    try:
        for each in value["notificationItems"]:
            item = each["NotificationRequestItem"]
            item["additionalData"]["hmacSignature"] = signing.adyen_item(item, key)
        return json.dumps(value).encode()
    except (TypeError, KeyError, AttributeError, UnicodeEncodeError):
        return body


@cache
def real_deliveries() -> list[Delivery]:
    """Requests as the sandbox's providers send them."""
    return [each for each in World(7, 400, today=dt.date(2026, 3, 1)).deliveries if each.secrets]


@cache
def _roots():
    from cryptography import x509

    return x509.load_pem_x509_certificates(certificates.root())


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    count, seed, first = (
        int(each) for each in (*sys.argv[1:], *("1", "1", "0")[len(sys.argv) - 1 :])
    )
    for outcome, times in sorted(attack(count=count, seed=seed, first=first).items()):
        print(f"{times:8,d}  {outcome}")
