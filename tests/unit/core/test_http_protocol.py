"""An answer leaves in one write, and a stream is not held back."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from clearhouse.core.http_protocol import OneWriteProtocol

HEAD = {"type": "http.response.start", "status": 200}
KIB = b"x" * 1024


class Transport(asyncio.Transport):
    """What was written to it, and whether it was closed."""

    def __init__(self):
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.writes = []
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.writes.append(bytes(data))

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed


def answered(app, request, turns=20, ends=lambda protocol, transport: None):
    """The transport after a request, so many turns of the loop, and how the connection ends."""

    async def run():
        config = uvicorn.Config(app, http=OneWriteProtocol, lifespan="off", ws="none")
        config.load()
        protocol, transport = OneWriteProtocol(config, ServerState(), {}), Transport()
        protocol.connection_made(transport)
        protocol.data_received(request)
        for _ in range(turns):
            await asyncio.sleep(0)
        ends(protocol, transport)
        protocol.connection_lost(ConnectionResetError())
        for _ in range(20):
            await asyncio.sleep(0)
        return transport

    return asyncio.run(run())


def sending(*bodies, headers=()):
    """An application that answers with parts, one right after the other."""

    async def app(scope, receive, send):
        await send({**HEAD, "headers": list(headers)})
        for number, body in enumerate(bodies, 1):
            more = number < len(bodies)
            await send({"type": "http.response.body", "body": body, "more_body": more})

    return app


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
def test_head_and_body_leave_in_one_write(method, connection):
    app = sending(b"hello", headers=[(b"content-length", b"5")])
    transport = answered(app, method + b" / HTTP/1.1\r\nconnection: " + connection + b"\r\n\r\n")
    (written,) = transport.writes
    assert written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert written.partition(b"\r\n\r\n")[2] == (b"hello" if method == b"GET" else b"")
    assert transport.closed == (connection == b"close")


def test_what_a_stream_gathers_is_bounded():
    parts = [KIB] * 200
    size = str(len(parts) * len(KIB)).encode()
    transport = answered(
        sending(*parts, headers=[(b"content-length", size)]), b"GET / HTTP/1.1\r\n\r\n"
    )
    assert max(map(len, transport.writes)) < 66 * len(KIB)
    assert b"".join(transport.writes).endswith(b"\r\n\r\n" + b"".join(parts))


def test_a_part_does_not_wait_for_the_next():
    async def app(scope, receive, send):
        await send(HEAD)
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await asyncio.Event().wait()

    transport = answered(app, b"GET / HTTP/1.1\r\n\r\n")
    assert transport.writes[-1].endswith(b"3\r\none\r\n")


def test_a_client_that_sends_no_more_is_answered_all_the_same():
    def ends(protocol, transport):
        protocol.eof_received()
        transport.close()

    app = sending(b"hello", headers=[(b"content-length", b"5")])
    transport = answered(app, b"GET / HTTP/1.1\r\n\r\n", 1, ends)
    assert transport.writes[-1].endswith(b"\r\n\r\nhello")


def test_a_client_that_is_gone_is_sent_nothing():
    app = sending(b"hello", headers=[(b"content-length", b"5")])
    assert answered(app, b"GET / HTTP/1.1\r\n\r\n", 1).writes == []


def test_who_writes_for_ever_is_ended_when_the_client_is_gone_that_asked_for_more():
    ended = []

    async def app(scope, receive, send):
        try:
            await send(HEAD)
            while True:
                await send({"type": "http.response.body", "body": b"on", "more_body": True})
                await asyncio.sleep(0)
        except BaseException as error:
            ended.append(type(error))
            raise

    transport = answered(app, b"GET / HTTP/1.1\r\n\r\n" * 2, 4, lambda _, t: t.close())
    assert transport.writes
    assert ended == [AssertionError], "not only by the end of the loop"
