"""A supervisor keeps its children running, and leaves none behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clearhouse.core.supervisor import Child, Patience, State, Supervisor, SupervisorError

SOON_SECONDS = 20.0
QUICK = Patience(restart_seconds=0.01, restart_most_seconds=0.05, stop_seconds=5)

WAITS = "import sys; print('here', flush=True); sys.stdin.read()"


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + SOON_SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def python(name: str, code: str) -> Child:
    return Child(name, (sys.executable, "-c", textwrap.dedent(code)))


@contextmanager
def kept_running(*children: Child) -> Iterator[tuple[Supervisor, list[tuple[str, str]]]]:
    told: list[tuple[str, str]] = []
    supervisor = Supervisor(children, lambda name, line: told.append((name, line)), QUICK)
    stop = threading.Event()
    supervisor.start()
    thread = threading.Thread(target=supervisor.run_until, args=(stop,))
    thread.start()
    try:
        yield supervisor, told
    finally:
        stop.set()
        thread.join(SOON_SECONDS)


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_that_is_killed_is_started_again() -> None:
    with kept_running(python("one", WAITS), python("two", WAITS)) as (supervisor, told):
        until(lambda: ("one", "here") in told)
        one, two = supervisor.running
        first, other = one.pid, two.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: told.count(("one", "here")) == 2)
        assert one.pid != first
        assert (one.restarts, two.restarts, two.pid) == (1, 0, other)
        assert any(name == "one" and "signal 9" in line for name, line in told)
    assert [each.state for each in supervisor.running] == [State.STOPPED, State.STOPPED]
    assert not is_alive(other)


def test_the_waits_grow_while_a_child_keeps_dying() -> None:
    with kept_running(python("one", "raise SystemExit(1)")) as (_, told):
        waits = lambda: [line.split()[-2] for _, line in told if "started again" in line]  # noqa: E731
        until(lambda: len(waits()) >= 4)
    assert waits()[:4] == ["0.01", "0.02", "0.04", "0.05"]


def test_a_child_that_the_settings_keep_from_running_stops_all() -> None:
    told: list[tuple[str, str]] = []
    supervisor = Supervisor(
        [python("good", WAITS), python("bad", "print('why'); raise SystemExit(2)")],
        lambda name, line: told.append((name, line)),
        QUICK,
    )
    supervisor.start()
    pid = supervisor.running[0].pid
    with pytest.raises(SupervisorError, match="bad can't run"):
        supervisor.run_until(threading.Event())
    until(lambda: ("bad", "why") in told)
    assert not is_alive(pid)


def test_children_are_stopped_in_the_reverse_order_and_may_finish() -> None:
    finishes = """
        import signal, sys, time
        def stop(*_):
            time.sleep(0.1)
            print("finished", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, stop)
        print("here", flush=True)
        time.sleep(60)
    """
    with kept_running(python("store", finishes), python("door", finishes)) as (_, told):
        until(lambda: {("store", "here"), ("door", "here")} <= set(told))
    until(lambda: len([line for _, line in told if line == "finished"]) == 2)
    assert [name for name, line in told if line == "finished"] == ["door", "store"]


def test_no_child_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    child = f"""
        import os, time
        from clearhouse.core.supervised import end_with_supervisor
        end_with_supervisor()
        with open({str(pids)!r}, "a") as file:
            file.write(str(os.getpid()) + "\\n")
        time.sleep(60)
    """
    parent = f"""
        import sys, threading
        from clearhouse.core.supervisor import Child, Supervisor
        command = (sys.executable, "-c", {textwrap.dedent(child)!r})
        supervisor = Supervisor([Child("a", command), Child("b", command)], lambda *_: None)
        supervisor.start()
        supervisor.run_until(threading.Event())
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(parent)])
    try:
        until(lambda: pids.exists() and pids.read_text().count("\n") == 2)
        started = [int(line) for line in pids.read_text().split()]
        assert all(is_alive(pid) for pid in started)
    finally:
        process.kill()
        process.wait()
    until(lambda: not any(is_alive(pid) for pid in started))
