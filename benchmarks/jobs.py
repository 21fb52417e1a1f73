"""What a part is given and what it gives back: the words that all files here share."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clearhouse.bnpl.data_patterns import DataPattern, pattern_for
from clearhouse.core.window import Window

FIRST_DAY = dt.date(2024, 1, 1)
SEED = 42


class BenchmarkError(Exception):
    """A benchmark that says nothing: a part failed, or two sides did not do the same."""


@dataclass(frozen=True)
class Job:
    """One measurement to make.

    Attributes:
        part: a name in `benchmarks.parts.PARTS`.
        days: how many from FIRST_DAY on.
        inputs: folder with one NDJSON file a day, for the parts that read files.
        home: an empty folder for whatever the part writes.
    """

    part: str
    days: int
    inputs: Path
    home: Path

    @property
    def window(self) -> Window:
        """The days."""
        return Window.starting(FIRST_DAY, self.days)

    def file(self, day: dt.date) -> Path:
        """The records of a day."""
        return self.inputs / f"{day}.ndjson"

    @property
    def files(self) -> list[Path]:
        """The records of all days, in order."""
        return [self.file(day) for day in self.window]


@dataclass
class Stopwatch:
    """Seconds by name. It is a `Progress` of the runner too: each step is a name."""

    seconds: dict[str, float] = field(default_factory=dict)
    _step: str = ""
    _began: float = 0.0

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the time of the block to a name."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Add to a name."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def watch(self, owner: object, method: str, name: str, during: str | None = None) -> None:
        """From now on, add the time of each call of an object's method (in a step) to a name."""
        inner = getattr(owner, method)

        def watched(*args: object, **kwargs: object) -> object:
            if during not in (None, self._step):
                return inner(*args, **kwargs)
            with self.timed(name):
                return inner(*args, **kwargs)

        setattr(owner, method, watched)

    def begin(self, step: str, days: int) -> None:
        """See `clearhouse.pipeline.runner.Progress`."""
        self._step, self._began = step, time.perf_counter()

    def advance(self, days: int = 1) -> None:
        """See `clearhouse.pipeline.runner.Progress`."""

    def fail(self, day: dt.date, why: str) -> None:
        """See `clearhouse.pipeline.runner.Progress`."""

    def end(self, report: object) -> None:
        """See `clearhouse.pipeline.runner.Progress`."""
        self.add(self._step, time.perf_counter() - self._began)


@dataclass(frozen=True)
class Done:
    """What a part did.

    Attributes:
        records: how many records it handled.
        payload_bytes: their NDJSON, uncompressed.
        phases: seconds of what can be told apart within it. They may overlap.
    """

    records: int
    payload_bytes: int
    phases: dict[str, float] = field(default_factory=dict)


def nothing_to_compare() -> dict[str, str]:
    """The content of a part that leaves nothing that another one leaves too."""
    return {}


@dataclass(frozen=True)
class Task:
    """A part that is ready to be measured.

    Attributes:
        run: what is measured. Imports are made, inputs are there, servers answer.
        content: afterwards and unmeasured: what it left behind, by name, as figures that every
            part that made the same must share; raises BenchmarkError where it is wrong in itself.
    """

    run: Callable[[], Done]
    content: Callable[[], dict[str, str]] = nothing_to_compare


Part = Callable[[Job, ExitStack], Task]
"""Gets a part ready. What has to be ended afterwards goes on the stack."""


def pattern() -> DataPattern:
    """How many records each day has: as `clearhouse demo` asks for."""
    return pattern_for("day_type", SEED)


def volume_of(files: list[Path]) -> tuple[int, int]:
    """Records and bytes of NDJSON files."""
    records = payload_bytes = 0
    for file in files:
        payload = file.read_bytes()
        records += payload.count(b"\n")
        payload_bytes += len(payload)
    return records, payload_bytes
