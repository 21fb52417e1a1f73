"""Whole runs on the embedded profile: a real sandbox server, real stores, a folder a test."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bnpl_home import DAY, Warehouse

from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.server import running


@pytest.fixture(scope="session")
def simtom() -> Iterator[str]:
    """A sandbox whose days have simtom's own volumes, so that they fit the `source` profile."""
    with running(SandboxOptions(volume="formula")) as url:
        yield url


@pytest.fixture(scope="session")
def simtom_with() -> Iterator[Callable[..., str]]:
    """Sandboxes with faults, as `simtom_with({day: ("negative_amounts",)})`."""
    opened: list[Any] = []

    def start(faults: dict[dt.date, tuple[str, ...]]) -> str:
        context = running(SandboxOptions(volume="formula", faults=faults))
        opened.append(context)
        return context.__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, simtom: str) -> Warehouse:
    """A published day, for tests that don't change it."""
    warehouse = Warehouse(tmp_path_factory.mktemp("published") / "home", simtom)
    report = warehouse.run(DAY)
    assert report.exit_code == 0, report.stopped()
    return warehouse
