"""One stack for all tests of a worker that need servers, with a folder and ports of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.commands import Stack, own_ports
from stack.server import Server

UNIT = Path(__file__).parents[1] / "unit"
sys.path += [
    str(UNIT),
    str(UNIT / "books"),
    str(UNIT / "payments"),
]  # tests that run here too, and what they import


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Running before each session; a test that kills a server starts it again."""
    mine = Stack(**own_ports())
    try:
        mine.up()
        yield mine
    finally:
        mine.remove()


@pytest.fixture(scope="session")
def server(stack: Stack) -> Server:
    """The stack's PostgreSQL."""
    return Server(stack)


@pytest.fixture(scope="session")
def redis_url(stack: Stack) -> str | None:
    """The stack's Redis, where it has one."""
    return stack.settings.get("REDIS_URL")
