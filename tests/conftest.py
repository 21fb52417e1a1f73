"""What all tests share."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Logs are for people who run things; here they would hide what failed."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


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


@pytest.fixture(scope="session")
def every_write(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--every-write"))
