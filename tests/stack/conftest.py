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

LONG = [
    "test_two_datasets_on_postgres",
    "test_gl_on_postgres",
    "test_gl_stream_killed",
    "test_run_on_postgres",
    "test_kafka_rights",
    "test_killed_on_postgres",
]
"""Files of minutes, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with long files: a worker that is done would wait for one that began late."""
    items.sort(key=lambda each: LONG.index(each.path.stem) if each.path.stem in LONG else len(LONG))


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
