"""A worker process: what is asked and answered, and that it ends with the one that started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearhouse.core.worker_process import WorkerEndedError, WorkerProcess

WORKER = """
import os, time
from clearhouse.core.worker_process import Requests

requests = Requests()
requests.begin()
while True:
    asked = requests.receive()
    if asked == "pid":
        print("no answer")
        requests.send(os.getpid())
    if asked == "work":
        requests.send(os.getpid())
        time.sleep(3600)
    if asked == "end":
        os._exit(1)
"""
STARTED_BY = """
from clearhouse.core.worker_process import WorkerProcess

with WorkerProcess("a_worker").exchange() as worker:
    worker.send("work")
    print(worker.receive(), flush=True)
    worker.receive()
"""
_SECONDS = 60


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerProcess]:
    (tmp_path / "a_worker.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    started = WorkerProcess("a_worker")
    yield started
    started.stop()


def pid_of(worker: WorkerProcess) -> int:
    with worker.exchange() as asked:
        asked.send("pid")
        return int(asked.receive())


def ask_it_to_end(worker: WorkerProcess) -> None:
    with worker.exchange() as asked:
        asked.send("end")
        asked.receive()


def fail_while_it_works(worker: WorkerProcess) -> None:
    with worker.exchange() as asked:
        asked.send("work")
        raise ZeroDivisionError


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_one_worker_answers_all_that_is_asked(worker: WorkerProcess) -> None:
    assert not worker.is_running
    worker.start()
    assert worker.is_running
    assert pid_of(worker) == pid_of(worker) != os.getpid()


def test_one_that_ended_is_told_and_started_anew_by_the_next_request(
    worker: WorkerProcess,
) -> None:
    before = pid_of(worker)
    with pytest.raises(WorkerEndedError):
        ask_it_to_end(worker)
    assert pid_of(worker) != before


def test_an_exchange_that_is_cut_short_ends_it_and_raises_what_cut_it(
    worker: WorkerProcess,
) -> None:
    before = pid_of(worker)
    with pytest.raises(ZeroDivisionError):
        fail_while_it_works(worker)
    assert is_gone(before)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_it_ends_in_the_middle_of_its_work_when_who_started_it_is_killed(
    worker: WorkerProcess,
) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTED_BY], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert not is_gone(pid)

    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()

    give_up_at = time.monotonic() + _SECONDS
    while not is_gone(pid) and time.monotonic() < give_up_at:
        time.sleep(0.01)
    assert is_gone(pid)
