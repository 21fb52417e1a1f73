"""What the tests against real servers share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.server import Server, running

UNIT = Path(__file__).parents[1] / "unit"
sys.path += [str(UNIT), str(UNIT / "books")]  # tests that run here too, and what they import


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as started:
        yield started
