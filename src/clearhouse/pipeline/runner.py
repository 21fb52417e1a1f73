"""The runner: a domain's steps, one after another, over the days of a window.

A day that a step holds, fails or can't balance goes no further; its neighbours do. Orchestrators
and the command line call the same steps through here. What a step may touch it asks of the books;
the days that it is given here only spare it the question.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog

from clearhouse.core.errors import ExitCode
from clearhouse.core.telemetry import run_context, timed
from clearhouse.core.window import Window

C = TypeVar("C")


@dataclass
class StepReport:
    """What a step did with each day, with a sentence where it did not go through.

    Attributes:
        incomplete: days that go on without a part of what they should have.
        by_others: days that one dataset stops, and that go on with another one.
        files: what the step wrote for people to open.
    """

    done: list[dt.date] = field(default_factory=list)
    skipped: list[dt.date] = field(default_factory=list)
    held: dict[dt.date, str] = field(default_factory=dict)
    failed: dict[dt.date, str] = field(default_factory=dict)
    unbalanced: dict[dt.date, str] = field(default_factory=dict)
    incomplete: dict[dt.date, str] = field(default_factory=dict)
    by_others: set[dt.date] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)

    @property
    def passed(self) -> list[dt.date]:
        """The days that go on to the next step, in order: those that any dataset goes on with."""
        stopped = {*self.held, *self.failed, *self.unbalanced}
        return sorted(({*self.done, *self.skipped} - stopped) | self.by_others)

    @property
    def exit_code(self) -> ExitCode:
        """The worst that happened to any day."""
        if self.unbalanced:
            return ExitCode.UNBALANCED
        if self.failed or self.incomplete:
            return ExitCode.FAILED
        return ExitCode.HELD if self.held else ExitCode.DONE

    def add(self, other: "StepReport", of: str = "") -> None:
        """Add what the step did with another dataset.

        Args:
            other: that.
            of: the dataset, which sentences are to name; "" where it is the only one.
        """
        go_on = {*self.passed, *other.passed}
        done = {*self.done, *other.done}
        self.skipped = sorted({*self.skipped, *other.skipped} - done)
        self.done = sorted(done)
        for name in ("held", "failed", "unbalanced", "incomplete"):
            told = getattr(self, name)
            for day, sentence in getattr(other, name).items():
                why = f"{of}: {sentence}" if of else sentence
                told[day] = f"{told[day]}; {why}" if day in told else why
        self.by_others = go_on & {*self.held, *self.failed, *self.unbalanced}


class Progress(Protocol):
    """What is reported while a run goes on."""

    def begin(self, step: str, days: int) -> None:
        """A step begins with so many days."""
        ...

    def advance(self, days: int = 1) -> None:
        """So many days more are done."""
        ...

    def fail(self, day: dt.date, why: str) -> None:
        """A day has failed; the others go on."""
        ...

    def end(self, report: StepReport) -> None:
        """The step is over."""
        ...


class Silent:
    """Progress that reports nothing."""

    def begin(self, step: str, days: int) -> None:
        """See `Progress`."""

    def advance(self, days: int = 1) -> None:
        """See `Progress`."""

    def fail(self, day: dt.date, why: str) -> None:
        """See `Progress`."""

    def end(self, report: StepReport) -> None:
        """See `Progress`."""


@dataclass(frozen=True)
class Step(Generic[C]):
    """A named function of a domain over days.

    Attributes:
        always: whether it runs over all days of the window, also those that an earlier step
            stopped: the last step has something to say of each.
    """

    name: str
    summary: str
    run: Callable[[C, Sequence[dt.date]], StepReport]
    always: bool = False


@dataclass
class RunReport:
    """What a run did, step by step."""

    run_id: str
    window: Window
    steps: dict[str, StepReport] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """The worst that happened: unbalanced books before a failure before a hold."""
        return ExitCode.worst(report.exit_code for report in self.steps.values())

    def stopped(self) -> list[tuple[dt.date, str, str, str]]:
        """Every day that did not go through: day, the first step that stopped it, what, why."""
        found: dict[dt.date, tuple[dt.date, str, str, str]] = {}
        for name, report in self.steps.items():
            kinds: Mapping[str, Mapping[dt.date, str]] = {
                "unbalanced": report.unbalanced,
                "failed": report.failed,
                "held": report.held,
                "incomplete": report.incomplete,
            }
            for kind, days in kinds.items():
                for day, why in days.items():
                    found.setdefault(day, (day, name, kind, why))
        return sorted(found.values())


def run_steps(
    steps: Iterable[Step[C]],
    context: C,
    window: Window,
    *,
    run_id: str,
    progress: Progress | None = None,
) -> RunReport:
    """Run steps over a window. An error that stops a step as a whole is raised as it is."""
    progress = progress or Silent()
    report = RunReport(run_id, window)
    days = all_days = list(window.days())
    log = structlog.get_logger()
    with run_context(run_id, str(window)):
        for step in steps:
            given = all_days if step.always else days
            if not given:
                continue
            progress.begin(step.name, len(given))
            with timed("step", step=step.name, days=len(given)):
                outcome = step.run(context, given)
            report.steps[step.name] = outcome
            progress.end(outcome)
            for day, why in {**outcome.failed, **outcome.unbalanced}.items():
                log.info("day_stopped", step=step.name, day=str(day), reason=why)
            days = outcome.passed
    return report
