"""Progress on standard error: a live bar in a terminal, elsewhere lines, never long silent."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.text import Text

from clearhouse.cli.app import err
from clearhouse.cli.heartbeat import heartbeat, lasting
from clearhouse.cli.words import counted
from clearhouse.pipeline.runner import StepReport

_ETA_AFTER_SECONDS = 4.0
"""Sooner, the first days' start-up would be taken for their pace."""


def summary(report: StepReport) -> str:
    """What became of the days, in few words."""
    done = set(report.done)
    counts = {
        "done": len([d for d in report.passed if d in done]),
        "unchanged": len([d for d in report.passed if d not in done]),
        "held": len(report.held),
        "failed": len(report.failed),
        "unbalanced": len(report.unbalanced),
    }
    return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n) or "nothing to do"


def seconds_left(done: float, days: float, seconds: float) -> float | None:
    """How long the rest of the days lasts at the pace so far; None while that can't be said."""
    if seconds < _ETA_AFTER_SECONDS or not 0 < done < days:
        return None
    return seconds / done * (days - done)


@contextmanager
def under_way(what: str) -> Iterator[None]:
    """Say what is under way for as long as the block lasts, where that is long."""
    if sys.stderr.isatty():
        with err.status(f"{what} …"):
            yield
        return
    heartbeat.at(what)
    try:
        yield
    finally:
        heartbeat.at(None)


@contextmanager
def telling(what: str) -> Iterator[Callable[[str], None]]:
    """The same, where the block knows more of it all the while: it tells what is yielded."""
    if sys.stderr.isatty():
        with err.status(f"{what} …") as status:
            yield lambda now: status.update(f"{escape(now)} …")
        return
    said = what

    def say(now: str) -> None:
        nonlocal said
        said = now

    heartbeat.at(lambda seconds: said + lasting(seconds))
    try:
        yield say
    finally:
        heartbeat.at(None)


class _Outcome(ProgressColumn):
    """What came of a step, or how long it will still take."""

    def render(self, task: Task) -> Text:
        outcome = task.fields["outcome"]
        left = seconds_left(task.completed, task.total or 0, task.elapsed or 0)
        return Text(outcome or ("" if left is None else f"about {left:.0f} s left"))


class TerminalProgress:
    """A bar with a spinner for the step under way; finished steps stay as lines."""

    def __init__(self) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<23}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[days]}", justify="right"),
            Elapsed(),
            _Outcome(),
            console=err,
        )
        self._days, self._done = 0, 0
        self._task = self._bar.add_task("opening the stores", total=None, days="", outcome="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave_opening()
        self._bar.stop()

    def begin(self, step: str, days: int) -> None:
        """A step begins."""
        self._leave_opening()
        self._days, self._done = days, 0
        self._task = self._bar.add_task(step, total=days, days=self._told(), outcome="")

    def advance(self, days: int = 1) -> None:
        """Days are done."""
        self._done += days
        self._bar.update(self._task, advance=days, days=self._told())

    def fail(self, day: date, why: str) -> None:
        """A day has failed; the others go on."""
        self._bar.console.print(f"[red]{day} failed[/]: {escape(why)}", soft_wrap=True)
        self.advance()

    def end(self, report: StepReport) -> None:
        """A step is over."""
        self._bar.update(
            self._task,
            completed=self._days,
            days=counted(self._days, "day"),
            outcome=summary(report),
        )
        self._bar.stop_task(self._task)

    def _told(self) -> str:
        return f"{self._done:,} of {counted(self._days, 'day')}"

    def _leave_opening(self) -> None:
        if self._bar.tasks and self._bar.tasks[0].total is None:
            self._bar.remove_task(self._bar.tasks[0].id)


class LineProgress:
    """One line a step and, while it lasts, one every two seconds."""

    def __init__(self) -> None:
        self._step = ""
        self._days = self._done = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        heartbeat.at("opening the stores")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        heartbeat.at(None)

    def begin(self, step: str, days: int) -> None:
        """A step begins."""
        self._step, self._days, self._done = step, days, 0
        self._began = time.monotonic()
        heartbeat.at(self._told)

    def advance(self, days: int = 1) -> None:
        """Days are done."""
        self._done += days

    def fail(self, day: date, why: str) -> None:
        """A day has failed; the others go on."""
        heartbeat.say(f"  {day} failed: {why}")
        self.advance()

    def end(self, report: StepReport) -> None:
        """A step is over."""
        took = time.monotonic() - self._began
        days = counted(self._days, "day")
        heartbeat.say(f"{self._step:<23}  {days:>9}  {took:6.1f} s  {summary(report)}")
        heartbeat.at("going on")

    def _told(self, seconds: float) -> str:
        told = f"{self._step}: {self._done:,} of {counted(self._days, 'day')}{lasting(seconds)}"
        left = seconds_left(self._done, self._days, seconds)
        return told if left is None else f"{told}, about {left:.0f} s left"


def progress() -> TerminalProgress | LineProgress:
    """What suits standard error."""
    return TerminalProgress() if sys.stderr.isatty() else LineProgress()
