"""Processes of one program, kept running: started, started again when they die, stopped in order.

A child that dies is started again after a wait that doubles with each death in a row. One that ends
with the exit code for wrong usage can't run with these settings, and stops everything. Children are
not in the supervisor's process group, so that Ctrl-C reaches it alone and it stops them in order;
they end with it, also when it is killed (`core.supervised`).
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from clearhouse.core.errors import ClearhouseError, ExitCode
from clearhouse.core.supervised import GRACE_SECONDS, VARIABLE

_LOOKS_EVERY_SECONDS = 0.1


class State(StrEnum):
    """What a child is doing."""

    RUNNING = "running"
    WAITING = "waiting to restart"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running.

    Attributes:
        command: program and arguments.
        environment: what is set for it beside what is set for the supervisor.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How soon and how long. Times in seconds.

    Attributes:
        restart_seconds: the wait after the first death; it doubles with each in a row.
        steady_seconds: a child that has run for so long begins with the first wait again.
        stop_seconds: from SIGTERM to SIGKILL; longer than any service takes to end in order.
    """

    restart_seconds: float = 0.25
    restart_most_seconds: float = 15.0
    steady_seconds: float = 20.0
    stop_seconds: float = GRACE_SECONDS


class SupervisorError(ClearhouseError):
    """A child can't run at all."""

    code = "service_failed"


class Running:
    """A child as it is.

    Attributes:
        state: what it is doing.
        restarts: how often it was started again.
    """

    def __init__(self, child: Child, patience: Patience, tell: Callable[[str, str], None]) -> None:
        self.child = child
        self.state = State.STOPPED
        self.restarts = 0
        self._patience = patience
        self._tell = tell
        self._wait_seconds = patience.restart_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._changed_at = 0.0

    @property
    def pid(self) -> int | None:
        """Of the process that runs; None while none does."""
        return self._process.pid if self._process and self.state is State.RUNNING else None

    def start(self) -> None:
        """Start it. What it writes is told line by line."""
        self._process = subprocess.Popen(  # noqa: S603  (the program itself, from the declaration)
            self.child.command,
            env={**os.environ, **self.child.environment, VARIABLE: "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.state, self._changed_at = State.RUNNING, time.monotonic()
        threading.Thread(target=self._pass_on, args=(self._process,), daemon=True).start()

    def tend(self) -> None:
        """See whether it lives, and start it again when its wait is over.

        Raises:
            SupervisorError: it ended in a way that no restart mends.
        """
        now = time.monotonic()
        if self.state is State.RUNNING and self._process and self._process.poll() is not None:
            self._close()
            if self._process.returncode == ExitCode.USAGE:
                raise SupervisorError(
                    f"{self.child.name} can't run with these settings: what it said is above."
                )
            if now - self._changed_at >= self._patience.steady_seconds:
                self._wait_seconds = self._patience.restart_seconds
            self.state, self._changed_at = State.WAITING, now
            self._tell(
                self.child.name,
                f"ended ({_ending(self._process.returncode)}); "
                f"it is started again in {self._wait_seconds:g} s",
            )
        elif self.state is State.WAITING and now - self._changed_at >= self._wait_seconds:
            most = self._patience.restart_most_seconds
            self._wait_seconds = min(self._wait_seconds * 2, most)
            self.restarts += 1
            self.start()

    def ask_to_stop(self) -> None:
        """Ask it to stop; nothing where it does not run."""
        self.state = State.STOPPED
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def see_stopped(self) -> None:
        """Wait until it has stopped; make it, where it takes too long."""
        if not self._process:
            return
        try:
            self._process.wait(self._patience.stop_seconds)
        except subprocess.TimeoutExpired:
            self._tell(self.child.name, "does not stop, and is killed")
            self._process.kill()
            self._process.wait()
        self._close()

    def kill(self) -> None:
        """End it at once."""
        self.state = State.STOPPED
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
            self._close()

    def _close(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def _pass_on(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None  # noqa: S101  (it was asked for)
        with process.stdout:
            for line in process.stdout:
                self._tell(self.child.name, line.decode("utf-8", "replace").rstrip())


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


class Supervisor:
    """Keeps children running.

    Args:
        children: in the order in which they are started; they are stopped in the reverse order.
        tell: is told a child's name and a line: what it writes, and what became of it. It is called
            from several threads.
    """

    def __init__(
        self,
        children: Sequence[Child],
        tell: Callable[[str, str], None],
        patience: Patience | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self.running = [Running(child, self._patience, tell) for child in children]

    def start(self) -> None:
        """Start all children."""
        for each in self.running:
            each.start()

    def run_until(self, stop: threading.Event, look: Callable[[], None] = lambda: None) -> None:
        """Keep them running until the event is set, then stop them; `look` is called all the while.

        Raises:
            SupervisorError: one can't run; the others are stopped.
        """
        try:
            while not stop.wait(_LOOKS_EVERY_SECONDS):
                for each in self.running:
                    each.tend()
                look()
        finally:
            self.stop()

    @contextmanager
    def keeping_on(self) -> Iterator[None]:
        """Start them and keep them running beside the block, and stop them at its end.

        Raises:
            SupervisorError: one can't run; the block should have ended with an error of its own.
        """
        stop = threading.Event()
        errors: list[SupervisorError] = []

        def keep() -> None:
            try:
                self.run_until(stop)
            except SupervisorError as error:
                errors.append(error)

        self.start()
        thread = threading.Thread(target=keep, name="supervisor")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            if errors:
                raise errors[0]

    def stop(self) -> None:
        """Stop them one after the other, the last that was started first."""
        try:
            for each in reversed(self.running):
                each.ask_to_stop()
                each.see_stopped()
        finally:
            for each in self.running:
                each.kill()
