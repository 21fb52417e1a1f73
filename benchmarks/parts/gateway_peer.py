"""The plain way to take webhooks into Kafka: FastAPI and aiokafka.

It makes the checks of the gateway: the limit of a body, Stripe's signature, the JSON's structure,
and card numbers masked by the same function. It publishes with acks=all before it answers. What it
does not do: several accounts and providers, dead letters, metrics, an envelope around the body.
"""

import contextlib
import hmac
import sys
import time
from collections.abc import AsyncIterator, Sequence

import msgspec
import uvicorn
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from fastapi import FastAPI, HTTPException, Request, Response

from benchmarks.parts.webhook_load import SECRET
from clearhouse.payments.cards import mask_json
from clearhouse.payments.event import Provider
from clearhouse.payments.id_fields import ID_FIELDS

_TOLERANCE_SECONDS = 300
_MOST_BYTES = 512 << 10
_KEY = SECRET.encode()
_IDS = ID_FIELDS[Provider.STRIPE]
_ACCEPTED = b'{"status":"accepted"}'


class _Object(msgspec.Struct):
    id: str
    payment_intent: str | None = None


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


def create_app(server: str, topic: str) -> FastAPI:
    """The application, which publishes to a topic of a Kafka server."""

    @contextlib.asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        app.state.producer = producer(server)
        await app.state.producer.start()
        try:
            yield
        finally:
            await app.state.producer.stop()

    app = FastAPI(lifespan=running, openapi_url=None)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/webhooks/stripe")
    async def webhook(request: Request) -> Response:
        body = await _body(request)
        _check_signature(request.headers.get("stripe-signature", ""), body)
        try:
            event = _decode(body)
        except msgspec.DecodeError:
            raise HTTPException(400, "The body is no event.") from None
        key = event.data.object.payment_intent or event.data.object.id
        masked = mask_json(body, _IDS)
        try:
            await app.state.producer.send_and_wait(topic, masked.body, key.encode())
        except KafkaError:
            raise HTTPException(503, "The webhook can't be stored now.") from None
        return Response(_ACCEPTED, media_type="application/json")

    return app


def producer(server: str) -> AIOKafkaProducer:
    """By the settings that were fastest here: see docs/guides/benchmarks.md."""
    return AIOKafkaProducer(
        bootstrap_servers=server,
        acks="all",
        enable_idempotence=True,
        linger_ms=1,
        max_batch_size=1 << 20,
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, "The body is too large.")
    return bytes(body)


def _check_signature(header: str, body: bytes) -> None:
    parts = [part.partition("=") for part in header.split(",")]
    seconds = next((value for name, _, value in parts if name == "t"), "")
    if not seconds.isdigit() or int(seconds) < time.time() - _TOLERANCE_SECONDS:
        raise HTTPException(401, "The signature is missing or too old.")
    expected = hmac.digest(_KEY, seconds.encode() + b"." + body, "sha256").hex()
    given = [value for name, _, value in parts if name == "v1"]
    if not any(hmac.compare_digest(expected, each) for each in given):
        raise HTTPException(401, "The signature is wrong.")


def main(arguments: Sequence[str]) -> None:
    """Serve until ended: `peer`, port, Kafka's address, topic."""
    _, port, server, topic = arguments
    uvicorn.run(
        create_app(server, topic),
        port=int(port),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
