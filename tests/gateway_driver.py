"""A gateway in process, asked by ASGI itself, with accounts and signed webhooks of tests."""

import asyncio
import contextlib
import json
from dataclasses import replace

from pydantic import SecretStr
from webhook_signing import (
    ADYEN_KEY,
    NOW,
    SQUARE_KEY,
    SQUARE_URL,
    STRIPE_SECRET,
    WEBHOOK_ID,
    PayPalSigner,
    adyen_body,
    adyen_item,
    adyen_signature,
    square_headers,
    stripe_headers,
)

from clearhouse.log.group_commit import GroupCommit
from clearhouse.log.log import LogError
from clearhouse.log.opening import LogPlace
from clearhouse.payments.accounts import Account, Scheme
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import Provider
from clearhouse.payments.gateway.app import GatewayOptions, create_app
from clearhouse.payments.signatures import Certificates
from clearhouse.payments.topics import GATEWAY_DEAD, WEBHOOKS
from clearhouse.payments.webhook import decode_webhook

PAYPAL = PayPalSigner()
ACCOUNTS = (
    Account(Provider.STRIPE, secrets=(SecretStr(STRIPE_SECRET),)),
    Account(Provider.STRIPE, "connect", (SecretStr("whsec_new"), SecretStr("whsec_old"))),
    Account(Provider.STRIPE, "thin", (SecretStr("whsec_thin"),), of="default"),
    Account(Provider.SQUARE, secrets=(SecretStr(SQUARE_KEY),), notification_url=SQUARE_URL),
    Account(Provider.ADYEN, secrets=(SecretStr(ADYEN_KEY),)),
    Account(Provider.ADYEN, "tokens", (SecretStr(ADYEN_KEY),), scheme=Scheme.ADYEN_HEADER),
    Account(Provider.ADYEN, "pos", (SecretStr(ADYEN_KEY),), automatic_capture=True),
    Account(Provider.PAYPAL, webhook_id=WEBHOOK_ID),
)
SECRETS = (STRIPE_SECRET, "whsec_new", "whsec_old", SQUARE_KEY, ADYEN_KEY)


class MemoryLog:
    """A log in memory that can be told to fail."""

    def __init__(self):
        self.messages = []
        self.error = None
        self.is_closed = False

    def appender(self):
        return GroupCommit(self)

    def append(self, messages, progress=None):
        if self.error:
            raise LogError("The log fails in this test.", self.error)
        self.messages += messages
        return range(len(self.messages) - len(messages), len(self.messages))

    def end(self, topic):
        return len(self.of(topic))

    def close(self):
        self.is_closed = True

    def of(self, topic):
        return [message.value for message in self.messages if message.topic == topic]

    @property
    def webhooks(self):
        return [decode_webhook(value) for value in self.of(WEBHOOKS.name)]

    @property
    def letters(self):
        import msgspec

        return [msgspec.json.decode(each, type=DeadLetter) for each in self.of(GATEWAY_DEAD.name)]


def options(log, **changes):
    certificates = Certificates([PAYPAL.root], lambda _host, _path: PAYPAL.pem)
    made = GatewayOptions(
        LogPlace(""), ACCOUNTS, certificates, open_log=lambda: log, clock=lambda: NOW
    )
    return replace(made, **changes)


@contextlib.asynccontextmanager
async def running(log, **changes):
    """The application, started."""
    app = create_app(options(log, **changes))
    async with app.app.router.lifespan_context(app.app):
        yield app


async def ask(app, path, headers=None, body=b"", method="POST", parts=None):
    """Status, headers and body of an answer; a body may be sent in parts, None is one that never
    comes.
    """
    waiting = list(parts or [body])
    answer = []

    async def receive():
        if not waiting:
            return {"type": "http.disconnect"}
        part = waiting.pop(0)
        if part is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message):
        answer.append(message)

    given = {"content-length": str(len(body)), **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }
    await app(scope, receive, send)
    if not answer:
        return None, {}, b""
    headers = {key.decode(): value.decode() for key, value in answer[0]["headers"]}
    return answer[0]["status"], headers, answer[1]["body"]


def sign(provider, body, account="default"):
    """Path and headers by which a body is sent as a provider's; Adyen's items sign themselves."""
    if account == "tokens":
        return "/webhooks/adyen/tokens", {"HmacSignature": adyen_signature(body)}
    headers = {
        "stripe": lambda: stripe_headers(body),
        "square": lambda: square_headers(body),
        "adyen": dict,
        "paypal": lambda: PAYPAL.headers(body),
    }[provider]()
    return f"/webhooks/{provider}", headers


def stripe_body(**more):
    charge = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", **more}
    event = {"id": "evt_1", "object": "event", "type": "charge.succeeded"}
    return json.dumps(event | {"data": {"object": charge}}).encode()


BODIES = {
    ("stripe", "default"): stripe_body(),
    ("square", "default"): b'{"event_id":"e-1","type":"payment.updated","data":{"object":{}}}',
    ("adyen", "default"): adyen_body(adyen_item()),
    ("adyen", "tokens"): b'{"eventId":"E1","type":"recurring.token.created","data":{}}',
    ("paypal", "default"): b'{"id":"WH-1","event_type":"PAYMENT.CAPTURE.DENIED","resource":{}}',
}
