"""`POST /webhooks/{provider}[/{account}]`, before the framework: a route that has to be fast."""

import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearhouse.core.problems import PROBLEM_JSON, problem
from clearhouse.log.log import LogError
from clearhouse.payments.accounts import DEFAULT, Account
from clearhouse.payments.event import Provider
from clearhouse.payments.gateway import metrics
from clearhouse.payments.gateway.intake import Intake
from clearhouse.payments.gateway.patience import Patience
from clearhouse.payments.signatures import CertificateUnavailable, SignatureRefused

PATH = "/webhooks/"
RETRY_AFTER_SECONDS = 5

_SECONDS_FOR_A_BODY = 20.0
_Headers = list[tuple[bytes, bytes]]
_JSON = [(b"content-type", b"application/json")]
_RETRY = [(b"retry-after", str(RETRY_AFTER_SECONDS).encode())]
_ACCEPTED = (HTTPStatus.OK, _JSON, b'{"status":"accepted"}')
_ACCEPTED_ADYEN = (HTTPStatus.ACCEPTED, [(b"content-type", b"text/plain")], b"[accepted]")
_PROVIDERS = frozenset(str(each) for each in Provider)
_NOBODY = "other"
"""The provider of a path that names none."""
_log = structlog.get_logger()

Answer = tuple[HTTPStatus, _Headers, bytes]


class _NotTaken(Exception):  # noqa: N818
    """An answer that is an error, and the outcome that metrics count."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, headers: _Headers | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        body = msgspec.json.encode(problem("gateway", status, code, detail))
        told = [(b"content-type", PROBLEM_JSON.encode()), *(headers or [])]
        self.answer: Answer = (status, told, body)


class _Gone(Exception):  # noqa: N818
    """The client has gone before it had sent all: nobody is there to be answered."""


class Webhooks:
    """An ASGI application that answers webhooks itself, and passes all else on.

    Args:
        app: what answers the rest.
        accounts: those whose webhooks are taken.
        intake: of the running gateway.
        most_bytes: of a body.
    """

    def __init__(
        self,
        app: ASGIApp,
        accounts: Iterable[Account],
        intake: Callable[[], Intake],
        most_bytes: int,
    ) -> None:
        self.app = app
        self._accounts = {(str(each.provider), each.name): each for each in accounts}
        self._intake = intake
        self._most_bytes = most_bytes
        self._patience = Patience(_SECONDS_FOR_A_BODY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not scope["path"].startswith(PATH):
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        provider, _, account = scope["path"][len(PATH) :].partition("/")
        provider, account = provider.lower(), account or DEFAULT
        outcome = "failed"
        try:
            outcome, answer = await self._answer(scope, receive, provider, account)
        except _NotTaken as error:
            outcome, answer = error.code, error.answer
        except _Gone:
            outcome = "gone"
            return
        finally:
            known = provider if provider in _PROVIDERS else _NOBODY
            metrics.webhooks(known, outcome).inc()
        await _send(send, answer)
        metrics.seconds(known).observe(time.perf_counter() - begun)

    async def _answer(
        self, scope: Scope, receive: Receive, provider: str, name: str
    ) -> tuple[str, Answer]:
        account = self._accounts.get((provider, name))
        if account is None:
            raise _NotTaken(HTTPStatus.NOT_FOUND, "not_found", "No such account is configured.")
        if scope["method"] != "POST":
            raise _NotTaken(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Webhooks are sent by POST.",
                [(b"allow", b"POST")],
            )
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        self._check(headers)
        body = await self._body(receive)
        outcome = await self._taken(account, headers, body)
        return outcome, _ACCEPTED_ADYEN if account.provider is Provider.ADYEN else _ACCEPTED

    def _check(self, headers: Mapping[str, str]) -> None:
        """Refuse by the headers what need not be read."""
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise _NotTaken(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "encoding_not_supported",
                "The body is to be sent as it is, without a content encoding.",
            )
        stated = headers.get("content-length", "")
        if stated.isascii() and stated.isdigit() and int(stated[:20]) > self._most_bytes:
            raise self._too_large()

    async def _body(self, receive: Receive) -> bytes:
        try:
            return await self._patience.wait(self._whole_body(receive))
        except TimeoutError:  # a client may send headers alone
            raise _NotTaken(
                HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The body takes too long to come."
            ) from None

    async def _whole_body(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body = message.get("body", b"")  # nearly all
            if len(body) > self._most_bytes:
                raise self._too_large()
            return bytes(body)
        return await self._in_parts(message, receive)

    async def _in_parts(self, message: Message, receive: Receive) -> bytes:
        body = bytearray()
        while message["type"] == "http.request":
            body += message.get("body", b"")
            if len(body) > self._most_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)
            message = await receive()
        raise _Gone

    def _too_large(self) -> _NotTaken:
        return _NotTaken(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            f"The body has more than {self._most_bytes} bytes.",
        )

    async def _taken(self, account: Account, headers: Mapping[str, str], body: bytes) -> str:
        provider = account.provider
        try:
            return await self._intake().take(account, headers, body)
        except SignatureRefused as refused:
            metrics.REFUSED.labels(provider, refused.code).inc()
            _log.info("webhook_refused", provider=provider, account=account.name, code=refused.code)
            raise _NotTaken(
                HTTPStatus.UNAUTHORIZED,
                "signature_refused",
                refused.reason,
                [(b"www-authenticate", b"Signature")],
            ) from None
        except CertificateUnavailable as error:
            raise _NotTaken(
                HTTPStatus.SERVICE_UNAVAILABLE, error.code, error.reason, _RETRY
            ) from None
        except LogError as error:
            _log.error("log_failed", code=error.code, reason=error.message)
            raise _NotTaken(
                HTTPStatus.SERVICE_UNAVAILABLE,
                metrics.NOT_STORED,
                "The webhook can't be stored now: send it again.",
                _RETRY,
            ) from None


async def _send(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    sized = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": sized})
    await send({"type": "http.response.body", "body": body})
