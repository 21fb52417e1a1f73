import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import httpx
import pytest

from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.server import serve_sources
from clearhouse.sandbox.simtom.app import create_app

Answers = Callable[..., list[httpx.Response]]
Text = Callable[..., str]
Records = Callable[[str], list[dict[str, Any]]]
Serving = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def send() -> Answers:
    """Answers of a fresh server to one request, sent so many times: send(options, config, 3)."""

    def send(
        options: SandboxOptions | None, config: dict[str, Any], times: int = 1
    ) -> list[httpx.Response]:
        async def each() -> list[httpx.Response]:
            transport = httpx.ASGITransport(create_app(options))
            async with httpx.AsyncClient(transport=transport, base_url="http://simtom") as client:
                return [await client.post("/stream/bnpl", json=config) for _ in range(times)]

        return asyncio.run(each())

    return send


@pytest.fixture(scope="session")
def pull(send: Answers) -> Text:
    """Text of a range from a fresh server: pull(first, last, options=…, **config)."""

    def pull(
        first: object,
        last: object | None = None,
        options: SandboxOptions | None = None,
        **more: Any,
    ) -> str:
        config = {"start_date": str(first), "end_date": str(last or first), **more}
        [answer] = send(options, config)
        return answer.text

    return pull


@pytest.fixture(scope="session")
def parse() -> Records:
    def parse(text: str) -> list[dict[str, Any]]:
        return [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line]

    return parse


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Serves sources in a thread: serving(simtom=options); ended by closing the pipe it watches."""
    started = []

    def start(**sources: Any) -> dict[str, str]:
        read, write = os.pipe()
        urls: Queue[dict[str, str]] = Queue()
        server = threading.Thread(
            target=serve_sources,
            args=(sources,),
            kwargs={"on_ready": urls.put, "until": os.fdopen(read, "rb")},
        )
        started.append((write, server))
        server.start()
        return urls.get(timeout=30)

    yield start
    for write, server in started:
        os.close(write)
        server.join(timeout=30)
        assert not server.is_alive()
