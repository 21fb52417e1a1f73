"""Gates over entries: judge what has no verdict yet, and keep the verdicts."""

import datetime as dt
from collections.abc import Mapping

from clearhouse.books.decisions import Decision
from clearhouse.books.model import Entry
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Gate


def judge(
    run: Run, dataset: OpenDataset, gate: Gate, entries: Mapping[dt.date, Entry]
) -> tuple[list[dt.date], dict[dt.date, str]]:
    """Days that were judged now, and days that the gate holds, each with its reasons in a sentence.

    A verdict belongs to an entry and to the gate's rules as they are: an entry that was judged by
    them is not judged again, and one of a closed day is not judged by later rules.
    """
    gate_hash = dataset.versions.gates[gate.name]
    closed = run.certificates.closed_days(run.name)
    decisions = verdicts_in_force(run, gate, entries)
    unjudged = [
        day
        for day in entries
        if day not in decisions or (decisions[day].gate_hash != gate_hash and day not in closed)
    ]
    if unjudged:
        verdicts = run.gates.judge(gate.name, gate.frames(run, dataset, unjudged), unjudged)
        run.decisions.record(
            gate.name,
            gate_hash,
            {
                entries[day].entry_id: (v.passed, [f.detail for f in v.failures])
                for day, v in verdicts.items()
            },
            run.run_id,
        )
        decisions = verdicts_in_force(run, gate, entries)
        newly_held = [v for d, v in verdicts.items() if decisions[d].holds]
        if newly_held:
            run.alerter.held(run.name, gate.name, *newly_held, journal=str(run.journal.head()))
    return unjudged, {
        day: "; ".join(decision.failures) for day, decision in decisions.items() if decision.holds
    }


def release(run: Run, day: dt.date, reason: str) -> list[str]:
    """Release a day from every gate that holds it now; the gates' names.

    The release covers the failures that the verdicts in force name, and no later ones.
    """
    released = []
    for entry in run.books.current(run.name, days=[day]):
        for decision in run.decisions.of(entry.entry_id):
            if decision.holds:
                run.decisions.release(
                    entry.entry_id, decision.gate, decision.failures, reason, run.run_id
                )
                released.append(decision.gate)
    return released


def verdicts_in_force(
    run: Run, gate: Gate, entries: Mapping[dt.date, Entry]
) -> dict[dt.date, Decision]:
    """What a gate says of the entry of each day; days that it has not judged are left out."""
    found = run.decisions.of_many([entry.entry_id for entry in entries.values()])
    return {
        day: decision
        for day, entry in entries.items()
        for decision in found.get(entry.entry_id, ())
        if decision.gate == gate.name
    }
