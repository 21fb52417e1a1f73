"""One stack for all tests that need servers, with a folder and ports of its own."""

from collections.abc import Iterator

import pytest

from stack.commands import Stack, free_port


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Running before each session; a test that kills a server starts it again."""
    mine = Stack(STACK_POSTGRES_PORT=free_port(), STACK_S3_PORT=free_port())
    try:
        mine.up()
        yield mine
    finally:
        mine.remove()
