"""The worker can be killed at any durable write: what it leaves and says is as if it had not been.

Each trial forks: the child works on a copy of one log and dies at one write of the store or the
log; another child then goes on to the end.
"""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from durable_writes import Writes
from payment_lives import NOON, an_event
from sqlalchemy.engine.default import DefaultDialect

from clearhouse.log.log import Message
from clearhouse.log.opening import LogPlace
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import PaymentEvent, Provider, encode_event
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.letters import Letters, Wanted
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.tables import metadata
from clearhouse.payments.topics import EVENTS, RECORDED, REDRIVEN, WORKER_DEAD
from clearhouse.payments.worker.loop import Worker

BATCH = 8
SAID = (RECORDED, WORKER_DEAD, REDRIVEN)
PAYPAL = {"provider": Provider.PAYPAL}


def _life(number: int) -> list[PaymentEvent]:
    own = {"payment_id": f"pay{number}", "customer_id": "c"}
    return [
        an_event(T.FAILED, at=1, **own),
        an_event(T.AUTHORIZED, at=2, **own),
        an_event(T.CAPTURED, at=3, payment_id=f"cap{number}", linked_id=f"pay{number}"),
        an_event(T.REFUNDED, at=4, payment_id=f"cap{number}", refund_id=f"r{number}"),
        an_event(T.CAPTURED, at=5, amount_minor=None, currency=None, **own),
    ]


EVENTS_SENT = [
    *(event for number in range(4) for event in _life(number)[::-1]),
    *_life(0),
    an_event(T.PAYOUT_SENT),
    an_event(T.PAYOUT_FAILED, at=9),
]
FIRST_LETTER = f"worker:{EVENTS.name}:0"


def _work(folder: Path) -> None:
    """Handle everything, and have the first dead letter tried again."""
    log = open_payment_log(LogPlace(f"sqlite:///{folder}/log.db"))
    store = open_store(f"sqlite:///{folder}/payments.db")
    worker = Worker(log, store, InProcess(), batch=BATCH, clock=lambda: NOON)
    while worker.step():
        pass
    letters = Letters(log, store, lambda: NOON)
    letters.redrive(letters.find(Wanted(ids=frozenset({FIRST_LETTER}))))
    while worker.step():
        pass


def _in_a_fork(work: Callable[[], None]) -> int:
    """Run something in a child; the signal that ended it, or 0."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _killed_at(folder: Path, number: int, after: bool) -> int:
    def work() -> None:
        writes = Writes(folder / "writes", number, after)
        writes.watch(DefaultDialect, "do_commit", "store")
        writes.watch(SqliteLog, "append", "log")
        _work(folder)

    return _in_a_fork(work)


def _state(folder: Path) -> dict[str, Any]:
    """All that the store holds, and what was appended to the log."""
    engine = sa.create_engine(f"sqlite:///{folder}/payments.db")
    with engine.connect() as connection:
        state: dict[str, Any] = {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in metadata.sorted_tables
        }
    engine.dispose()
    log = open_payment_log(LogPlace(f"sqlite:///{folder}/log.db"))
    for topic in SAID:
        state[topic.name] = [record.value for record in log.read(topic.name, 0, 10_000)]
    log.close()
    return state


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the log that every trial begins with, and an empty store."""
    folder = tmp_path_factory.mktemp("sent")
    log = open_payment_log(LogPlace(f"sqlite:///{folder}/log.db"))
    log.append([Message(EVENTS.name, "k", encode_event(event)) for event in EVENTS_SENT])
    log.close()
    open_store(f"sqlite:///{folder}/payments.db").close()
    return folder


def test_killed_at_any_write_it_ends_as_undisturbed(sent: Path, tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    shutil.copytree(sent, calm)
    assert _killed_at(calm, 0, after=False) == 0
    writes = (calm / "writes").read_text().splitlines()
    expected = _state(calm)
    assert len(expected[RECORDED.name]) == len(expected["payment_event"])
    assert expected["outbox"] == []
    assert len(expected[REDRIVEN.name]) == 1

    for number, when, kind in (line.split() for line in writes):
        folder = tmp_path / f"{number}-{when}"
        shutil.copytree(sent, folder)
        where = f"killed {when} write {number}, of the {kind}"
        assert _killed_at(folder, int(number), after=when == "after") == signal.SIGKILL, where
        _in_a_fork(lambda: _work(folder))  # noqa: B023 (it ends before the next)
        found = _state(folder)
        for name, rows in expected.items():
            assert found[name] == rows, f"{where}: {name}"
        shutil.rmtree(folder)
