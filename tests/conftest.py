"""What all tests share."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Logs are for people who run things; here they would hide what failed."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture(autouse=True, scope="session")
def few_collections() -> None:
    """As the command itself has it: what is imported stays, and is not looked through in vain."""
    gc.set_threshold(100_000)


@pytest.fixture(autouse=True, scope="module")
def imports_stay(few_collections: None) -> None:
    """What the tests before imported is no garbage, and need not be looked through again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def logs_as_before(quiet_logs: None) -> Iterator[None]:
    """What a command sets up would hide from the next test what it looks for in the logs."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-write",
        action="store_true",
        help="kill runs at every durable write, and not at some",
    )
    parser.addoption(
        "--stack",
        action="store_true",
        help="run the tests that start servers, too",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Servers are started by `make test-stack` alone. None: as pytest would have it."""
    needs_servers = collection_path == Path(__file__).with_name("stack")
    return True if needs_servers and not config.getoption("--stack") else None


@pytest.fixture(scope="session")
def every_write(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--every-write"))
