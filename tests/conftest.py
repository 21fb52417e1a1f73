"""What all tests share."""

import pytest

from clearhouse.core.telemetry import configure_logging


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Logs are for people who run things; here they would hide what failed."""
    configure_logging("critical", "json")
