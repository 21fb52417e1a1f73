"""What all tests share."""

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Logs are for people who run things; here they would hide what failed."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
