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
    closed = run.certificates.closed(run.name)
    decisions = _decisions(run, gate, entries)
    unjudged = [
        day
        for day, entry in entries.items()
        if entry.entry_id not in decisions
        or (decisions[entry.entry_id].gate_hash != gate_hash and day not in closed)
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
        decisions = _decisions(run, gate, entries)
        newly_held = [v for d, v in verdicts.items() if decisions[entries[d].entry_id].holds]
        if newly_held:
            run.alerter.held(run.name, gate.name, *newly_held)
    held = {
        day: "; ".join(decisions[e.entry_id].failures)
        for day, e in entries.items()
        if decisions[e.entry_id].holds
    }
    return unjudged, held


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


def _decisions(run: Run, gate: Gate, entries: Mapping[dt.date, Entry]) -> dict[str, Decision]:
    found = run.decisions.of_many([entry.entry_id for entry in entries.values()])
    return {
        entry_id: decision
        for entry_id, decisions in found.items()
        for decision in decisions
        if decision.gate == gate.name
    }
