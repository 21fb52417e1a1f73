"""The runner: a domain's steps, one after another, over the days of a window.

A day that a step holds, fails or can't balance goes no further; its neighbours do. Orchestrators
and the command line call the same steps through here.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

import structlog

from clearhouse.core.errors import UsageError
from clearhouse.core.telemetry import run_context, timed
from clearhouse.core.window import Window

C = TypeVar("C")


class ExitCode(IntEnum):
    """What a process ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    HELD = 3
    UNBALANCED = 4


@dataclass
class StepReport:
    """What a step did with each day, with a sentence where it did not go through."""

    done: list[dt.date] = field(default_factory=list)
    skipped: list[dt.date] = field(default_factory=list)
    held: dict[dt.date, str] = field(default_factory=dict)
    failed: dict[dt.date, str] = field(default_factory=dict)
    unbalanced: dict[dt.date, str] = field(default_factory=dict)

    @property
    def passed(self) -> list[dt.date]:
        """The days that go on to the next step, in order."""
        stopped = {*self.held, *self.failed, *self.unbalanced}
        return sorted({*self.done, *self.skipped} - stopped)

    @property
    def exit_code(self) -> ExitCode:
        """The worst that happened to any day."""
        if self.unbalanced:
            return ExitCode.UNBALANCED
        if self.failed:
            return ExitCode.FAILED
        return ExitCode.HELD if self.held else ExitCode.DONE


class Progress(Protocol):
    """What is told while a run goes on."""

    def begin(self, step: str, days: int) -> None:
        """A step begins with so many days."""
        ...

    def advance(self, days: int = 1) -> None:
        """So many days more are done."""
        ...

    def end(self, report: StepReport) -> None:
        """The step is over."""
        ...


class Silent:
    """Progress that tells nothing."""

    def begin(self, step: str, days: int) -> None:
        """See `Progress`."""

    def advance(self, days: int = 1) -> None:
        """See `Progress`."""

    def end(self, report: StepReport) -> None:
        """See `Progress`."""


@dataclass(frozen=True)
class Step(Generic[C]):
    """A named function of a domain over days.

    Attributes:
        always: whether it runs even when no day is left for it: what tells of a run must also
            tell of one in which every day was held.
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
        codes = {report.exit_code for report in self.steps.values()}
        for code in (ExitCode.UNBALANCED, ExitCode.FAILED, ExitCode.HELD):
            if code in codes:
                return code
        return ExitCode.DONE

    def stopped(self) -> list[tuple[dt.date, str, str, str]]:
        """Every day that did not go through: day, step, what (held, …) and why."""
        found = []
        for name, report in self.steps.items():
            kinds: Mapping[str, Mapping[dt.date, str]] = {
                "held": report.held,
                "failed": report.failed,
                "unbalanced": report.unbalanced,
            }
            for kind, days in kinds.items():
                found += [(day, name, kind, why) for day, why in days.items()]
        return sorted(found)


def select(steps: Sequence[Step[C]], name: str) -> Step[C]:
    """A step by its name.

    Raises:
        UsageError: there is none of that name.
    """
    for step in steps:
        if step.name == name:
            return step
    known = ", ".join(step.name for step in steps)
    raise UsageError(f"There is no step {name!r}; the steps are {known}.", "unknown_step")


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
    days = list(window.days())
    log = structlog.get_logger()
    with run_context(run_id, str(window)):
        for step in steps:
            if not days and not step.always:
                continue
            progress.begin(step.name, len(days))
            with timed("step", step=step.name, days=len(days)):
                outcome = step.run(context, days)
            report.steps[step.name] = outcome
            progress.end(outcome)
            for day, why in {**outcome.failed, **outcome.unbalanced}.items():
                log.error("day_stopped", step=step.name, day=str(day), reason=why)
            days = outcome.passed
    return report
