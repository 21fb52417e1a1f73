"""Hops that a domain's services fill by themselves, all the time: entered and audited like others.

Data flow: what a log and an operational store hold → entries of the books.
Grain: one entry a hop and book date; a day that goes on is entered anew as more arrives.
Idempotency: an entry is a function of what the services have come to of the day. A day of which
they hold the same as when it was entered is skipped.
How to run: `clearhouse step DOMAIN prove_streams --date D`.
"""

import datetime as dt
from collections.abc import Sequence

from clearhouse.books.clerk import Clerk
from clearhouse.books.model import EntryKey, Status, digest
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import StreamHop
from clearhouse.pipeline.runner import Step, StepReport

_VERSION = digest("streams", "1")


def prove_streams(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Enter what the domain's services have done of each day."""
    report = StepReport()
    for stream in run.streams:
        report.add(prove(run, stream, days), stream.hop.name)
    run.progress.advance(len(days))
    return report


def prove(run: Run, stream: StreamHop, days: Sequence[dt.date]) -> StepReport:
    """Enter one hop of days, where more has come of it since it was entered."""
    hop = stream.hop
    reached = stream.reached(hop.kept(days))
    keys = {
        day: EntryKey(run.name, hop.name, day, digest(state.covers), _VERSION, state.covers)
        for day, state in reached.items()
    }
    entered = run.entries(hop.name, list(reached))
    marks = {day: entry.entry_id for day, entry in entered.items()}
    clerk = Clerk(run.books, hop, run.run_id)
    plan = clerk.plan(keys, marks)
    redone = [keys[day] for day in plan.redo]
    clerk.open(redone)
    statuses = clerk.close(redone)
    report = StepReport(skipped=sorted({*days} - {*plan.redo}))
    report.done = sorted(day for day, status in statuses.items() if status is Status.BALANCED)
    report.unbalanced = {
        day: f"{hop.name} does not balance: run `clearhouse books`."
        for day, status in statuses.items()
        if status is Status.UNBALANCED
    }
    report.incomplete = {day: state.waiting for day, state in reached.items() if state.waiting}
    return report


PROVE_STREAMS: Step[Run] = Step(
    "prove_streams", "enter what the services have done of each day", prove_streams, always=True
)
