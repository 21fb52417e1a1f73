"""Progress on standard error: a live bar in a terminal, elsewhere lines, never long silent."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from clearhouse.core.runner import StepReport

_HEARTBEAT_SECONDS = 2.0


def summary(report: StepReport) -> str:
    """What became of the days, in few words."""
    counts = {
        "done": len([d for d in report.passed if d in set(report.done)]),
        "unchanged": len([d for d in report.passed if d not in set(report.done)]),
        "held": len(report.held),
        "failed": len(report.failed),
        "unbalanced": len(report.unbalanced),
    }
    return ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "nothing to do"


class TerminalProgress:
    """A bar with a spinner for the step under way; finished steps stay as lines."""

    def __init__(self) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<26}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("days"),
            Elapsed(),
            TextColumn("{task.fields[outcome]}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("starting", total=None, outcome="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, step: str, days: int) -> None:
        """A step begins."""
        if self._bar.tasks[-1].description == "starting":
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(step, total=days, outcome="")

    def advance(self, days: int = 1) -> None:
        """Days are done."""
        self._bar.advance(self._task, days)

    def end(self, report: StepReport) -> None:
        """A step is over."""
        total = self._bar.tasks[-1].total
        self._bar.update(self._task, completed=total, outcome=summary(report))
        self._bar.stop_task(self._task)


class LineProgress:
    """One line a step and, while it lasts, one every two seconds."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._step = "starting"
        self._days = self._done = 0
        self._began = self._spoke = time.monotonic()

    def __enter__(self) -> Self:
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()

    def begin(self, step: str, days: int) -> None:
        """A step begins."""
        self._step, self._days, self._done = step, days, 0
        self._began = time.monotonic()

    def advance(self, days: int = 1) -> None:
        """Days are done."""
        self._done += days

    def end(self, report: StepReport) -> None:
        """A step is over."""
        took = time.monotonic() - self._began
        self._say(f"{self._step:<26} {self._days} days  {took:5.1f} s  {summary(report)}")
        self._step = "next step"

    def _beat(self) -> None:
        while not self._stop.wait(0.25):
            if time.monotonic() - self._spoke >= _HEARTBEAT_SECONDS:
                took = time.monotonic() - self._began
                self._say(f"  {self._step}: {self._done}/{self._days} days, {took:.0f} s …")

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        print(line, file=sys.stderr, flush=True)


def progress() -> TerminalProgress | LineProgress:
    """What suits standard error."""
    return TerminalProgress() if sys.stderr.isatty() else LineProgress()
