"""Judging in a process of its own, which imports Great Expectations while other work goes on.

The import takes seconds, and two imports in one process share one interpreter lock. One worker
serves a process for as long as it lives.
"""

import datetime as dt
import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clearhouse.core.collecting import collect_rarely
from clearhouse.core.deferred import defer, leave_out
from clearhouse.core.worker_process import Requests, WorkerEndedError, WorkerProcess
from clearhouse.quality.frames import parts_of
from clearhouse.quality.verdicts import QualityError, Verdict

_NOT_NEEDED = ("altair", "scipy.stats")
"""For charts and tests of distributions: a third of the time Great Expectations is imported in."""

_NOT_USED = ("sqlalchemy", "boto3", "botocore")
"""For frames in databases and stores of rules on S3: Great Expectations does without them."""

_worker = WorkerProcess("clearhouse.quality.worker")


def start() -> None:
    """Start the worker, unless it runs or is not needed: it imports what it needs at once."""
    if not is_here():
        _worker.start()


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
    try:
        with _worker.exchange() as worker:
            worker.send((project_dir, work_dir, checkpoint, sorted(frames), list(days)))
            while (message := worker.receive())[0] == "frame":
                for part in parts_of(frames[message[1]]):
                    worker.send(part)
                worker.send(None)
    except WorkerEndedError as error:
        raise QualityError("The process that judges has ended: run this again.") from error
    kind, answer = message
    if kind == "error":
        raise QualityError(answer)
    verdicts: dict[dt.date, Verdict] = answer
    return verdicts


class _Asked:
    """The parts of a frame in the worker, asked for when they are needed."""

    def __init__(self, name: str, requests: Requests) -> None:
        self._name, self._requests = name, requests
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
        self._requests.send(("frame", self._name))
        while (part := self._requests.receive()) is not None:
            yield part


def main() -> None:
    """Answer requests for as long as the process lives that started this one."""
    requests = Requests()
    from clearhouse.quality import project
    from clearhouse.quality.judging import judge_frames

    defer(*_NOT_NEEDED)
    leave_out(*_NOT_USED)
    gc.disable()  # what is imported stays: looking through it again and again takes a tenth
    project.preload()
    gc.freeze()
    collect_rarely()
    gc.enable()
    requests.begin()
    while True:
        project_dir, work_dir, checkpoint, names, days = requests.receive()
        frames = {name: _Asked(name, requests) for name in names}
        try:
            verdicts = judge_frames(project_dir, work_dir, checkpoint, frames, days)
        except QualityError as error:
            for frame in frames.values():
                frame.drain()
            requests.send(("error", error.message))
        else:
            requests.send(("verdicts", verdicts))


if __name__ == "__main__":
    main()
