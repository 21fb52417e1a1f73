"""A module that runs as a process beside this one, and the messages that the two exchange.

The worker ends when its standard input does, also while it is at work: none is left behind, however
the process ends that started it. Messages are pickled; none is on a command line.
"""

import atexit
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Self

_STOP_SECONDS = 5.0
_OF_A_KILLED_ONE = "ignore:resource_tracker:UserWarning"
"""Python's tracker removes the semaphores of a worker that is killed; it need not warn of them."""


class WorkerEndedError(Exception):
    """The worker ended before it had answered."""


class WorkerProcess:
    """A worker, as the process that starts it sees it. One exchange goes on at a time.

    Args:
        module: what it runs; its `main` calls `requests`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

    @property
    def is_running(self) -> bool:
        """Whether it has been started, and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, unless it runs: it imports what it needs at once."""
        with self._lock:
            self._start()

    @contextmanager
    def exchange(self) -> Iterator[Self]:
        """Messages to and from it, which is started unless it runs.

        An exchange that is cut short ends the worker: it may wait for the rest of it.

        Raises:
            WorkerEndedError: it ended before it had answered.
        """
        with self._lock:
            self._start()
            try:
                yield self
            except BaseException as error:
                self.stop()
                if isinstance(error, EOFError | BrokenPipeError):
                    raise WorkerEndedError(self._module) from error
                raise

    def send(self, message: object) -> None:
        """Send a message, within an exchange."""
        _send(self._streams[0], message)

    def receive(self) -> Any:
        """The next message that it sends, within an exchange."""
        return pickle.load(self._streams[1])  # noqa: S301  from a process that we started

    @property
    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise EOFError
        return process.stdin, process.stdout

    def _start(self) -> None:
        if not self.is_running:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-W", _OF_A_KILLED_ONE, "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )

    def stop(self) -> None:
        """End it at once, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
            self._process = None


class Requests:
    """What is asked of this process, which is a worker, and the way back.

    Standard output carries the answers from now on; what a library prints goes to standard error.
    """

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
        self._requests, self._answers = sys.stdin.buffer, sys.stdout.buffer
        sys.stdout = sys.stderr
        # At most one is read ahead: rows that wait for their turn wait where they are made.
        self._received: queue.Queue[Any] = queue.Queue(1)

    def begin(self) -> None:
        """Take messages from now on, once everything is imported, and end when there are no more.

        Imports of a second thread, which messages may need, would meet those of the first.
        """
        threading.Thread(target=self._read, daemon=True).start()

    def receive(self) -> Any:
        """The next message."""
        return self._received.get()

    def send(self, message: object) -> None:
        """Send an answer."""
        try:
            _send(self._answers, message)
        except BrokenPipeError:
            os._exit(0)

    def _read(self) -> None:
        try:
            while True:
                self._received.put(pickle.load(self._requests))  # noqa: S301  from who started us
        except (EOFError, pickle.UnpicklingError):  # it has ended, perhaps within a message
            os._exit(0)


def _send(stream: IO[bytes], message: object) -> None:
    pickle.dump(message, stream, protocol=5)
    stream.flush()
