"""The contract of a log, on SQLite."""

import pytest
from log_contract import TOPICS, LogContract

from clearhouse.log.opening import LogPlace, open_log


@pytest.fixture
def opened(tmp_path):
    logs = []

    def open_it():
        logs.append(open_log(LogPlace(f"sqlite:///{tmp_path}/log.db"), TOPICS))
        return logs[-1]

    yield open_it
    for log in logs:
        log.close()


class TestSqlite(LogContract):
    pass
