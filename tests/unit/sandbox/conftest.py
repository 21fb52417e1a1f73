import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.simtom.app import create_app

Text = Callable[..., str]
Records = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def pull() -> Text:
    """Text of a range from a fresh server: pull(first, last, options=…, **config)."""

    def pull(
        first: object,
        last: object | None = None,
        options: SandboxOptions | None = None,
        **more: Any,
    ) -> str:
        config = {"start_date": str(first), "end_date": str(last or first), **more}

        async def send() -> str:
            transport = httpx.ASGITransport(create_app(options))
            async with httpx.AsyncClient(transport=transport, base_url="http://simtom") as client:
                return (await client.post("/stream/bnpl", json=config)).text

        return asyncio.run(send())

    return pull


@pytest.fixture(scope="session")
def parse() -> Records:
    def parse(text: str) -> list[dict[str, Any]]:
        return [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line]

    return parse
