"""Judging in a process of its own, which imports Great Expectations while other work goes on.

The import takes seconds, and two imports in one process share one interpreter lock. One worker
serves a process for as long as it lives. It ends when its standard input does, so that none is
left behind, however the process ends.
"""

import atexit
import contextlib
import datetime as dt
import gc
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from clearhouse.core.deferred import defer
from clearhouse.quality.frames import parts_of
from clearhouse.quality.verdicts import QualityError, Verdict

_NOT_NEEDED = ("altair", "scipy.stats")
"""For charts and tests of distributions: a third of the time Great Expectations is imported in."""

_STOP_SECONDS = 5.0
_lock = threading.Lock()
_worker: subprocess.Popen[bytes] | None = None


def start() -> None:
    """Start the worker, unless it runs or is not needed: it imports what it needs at once."""
    if not is_here():
        with _lock:
            _running()


def is_here() -> bool:
    """Whether this process has imported Great Expectations, and can judge by itself."""
    return "great_expectations" in sys.modules


def judge(
    project_dir: Path,
    work_dir: Path,
    checkpoint: str,
    frames: Mapping[str, Any],
    days: Sequence[dt.date],
) -> dict[dt.date, Verdict]:
    """What `Gates.judge` says, from the worker. Frames are sent part by part, as it asks for them.

    Raises:
        QualityError: as for `Gates.judge`, or the worker has ended.
    """
    with _lock:
        worker = _running()
        try:
            _send(worker.stdin, (project_dir, work_dir, checkpoint, sorted(frames), list(days)))
            while True:
                kind, answer = _receive(worker.stdout)
                if kind == "verdicts":
                    verdicts: dict[dt.date, Verdict] = answer
                    return verdicts
                if kind == "error":
                    raise QualityError(answer)
                for part in parts_of(frames[answer]):
                    _send(worker.stdin, part)
                _send(worker.stdin, None)
        except BaseException as error:
            if not isinstance(error, QualityError):
                _stop()  # it may wait for the rest of a frame
            if isinstance(error, EOFError | BrokenPipeError):
                raise QualityError("The process that judges has ended: run this again.") from error
            raise


def _running() -> "subprocess.Popen[bytes]":
    global _worker  # noqa: PLW0603  one a process
    if _worker is None or _worker.poll() is not None:
        _worker = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    return _worker


@atexit.register
def _stop() -> None:
    global _worker  # noqa: PLW0603
    if _worker is not None:
        _worker.kill()
        _worker.wait(_STOP_SECONDS)
        _worker = None


def _send(stream: IO[bytes] | None, message: object) -> None:
    if stream is None:
        raise EOFError
    pickle.dump(message, stream, protocol=5)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> Any:
    if stream is None:
        raise EOFError
    return pickle.load(stream)  # noqa: S301  from a process that we started


class _Asked:
    """The parts of a frame in the worker, asked for when they are needed."""

    def __init__(self, name: str, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._name, self._requests, self._answers = name, requests, answers
        self._parts: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self._parts is None:
            self._parts = self._receive()
        return self._parts

    def drain(self) -> None:
        """Take what is still on its way."""
        for _ in self._parts or ():
            pass

    def _receive(self) -> Iterator[Any]:
        _send(self._answers, ("frame", self._name))
        while (part := _receive(self._requests)) is not None:
            yield part


def main() -> None:
    """Answer requests from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    from clearhouse.quality import project
    from clearhouse.quality.judging import judge_frames

    defer(*_NOT_NEEDED)
    gc.disable()  # what is imported stays: looking through it again and again takes a tenth
    project.preload()
    gc.freeze()
    gc.enable()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            project_dir, work_dir, checkpoint, names, days = _receive(requests)

            frames = {name: _Asked(name, requests, answers) for name in names}
            try:
                verdicts = judge_frames(project_dir, work_dir, checkpoint, frames, days)
            except QualityError as error:
                for frame in frames.values():
                    frame.drain()
                _send(answers, ("error", error.message))
            else:
                _send(answers, ("verdicts", verdicts))


if __name__ == "__main__":
    main()
