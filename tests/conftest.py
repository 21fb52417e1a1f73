"""What all tests share."""

import gc
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from clearhouse.core.environment import take_no_foreign_settings

# As a command does, before a library reads them.
take_no_foreign_settings()

# A failed assertion of a module that tests share shows its values too.
pytest.register_assert_rewrite("payment_trial")

# The same examples on each machine, however slow it is.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


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
        "--kills",
        type=int,
        default=5,
        help="how often services are killed under a steady load of webhooks",
    )
    parser.addoption(
        "--seed",
        default="7",
        help="of what is drawn at random there; any: another one at each time",
    )
    parser.addoption(
        "--mutations",
        type=int,
        default=2_000,
        help="how many mutated bodies are sent to a gateway and on to the normalizer",
    )


@pytest.fixture(scope="session")
def every_write(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--every-write"))
