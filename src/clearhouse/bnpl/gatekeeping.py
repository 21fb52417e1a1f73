"""Gates over entries: judge what has no verdict yet, hold what fails, let pass what is released."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from clearhouse.bnpl.context import DOMAIN, Bnpl
from clearhouse.books.decisions import Decision
from clearhouse.books.model import Entry, Status

if TYPE_CHECKING:
    import pandas as pd

Frames = Callable[[Sequence[dt.date]], Mapping[str, "pd.DataFrame"]]


def hold_or_pass(
    bnpl: Bnpl, gate: str, entries: Mapping[dt.date, Entry], frames: Frames
) -> dict[dt.date, str]:
    """The days that a gate holds, each with its reasons in a sentence.

    A verdict belongs to an entry and to the gate's rules as they are now: an entry judged before
    is not judged again. The entry of a held day gets the status `held`.
    """
    decisions = _decisions(bnpl, gate, entries.values())
    unjudged = [day for day, e in entries.items() if e.entry_id not in decisions]
    if unjudged:
        verdicts = bnpl.gates.judge(gate, frames(unjudged), unjudged)
        bnpl.decisions.record(
            gate,
            bnpl.code.gates,
            {
                entries[day].entry_id: (v.passed, [f.detail for f in v.failures])
                for day, v in verdicts.items()
            },
        )
        decisions = _decisions(bnpl, gate, entries.values())
        newly_held = [v for d, v in verdicts.items() if decisions[entries[d].entry_id].holds]
        if newly_held:
            bnpl.alerter.held(DOMAIN, gate, *newly_held)
    held = {day: e for day, e in entries.items() if decisions[e.entry_id].holds}
    freed = [e for d, e in entries.items() if d not in held and e.status is Status.HELD]
    bnpl.books.set_status([e.entry_id for e in held.values()], Status.HELD)
    bnpl.books.set_status([e.entry_id for e in freed], Status.BALANCED)
    return {day: "; ".join(decisions[e.entry_id].failures) for day, e in held.items()}


def _decisions(bnpl: Bnpl, gate: str, entries: Iterable[Entry]) -> dict[str, Decision]:
    ids = [e.entry_id for e in entries]
    found = bnpl.decisions.of_many(ids, bnpl.code.gates)
    return {
        entry_id: decision
        for entry_id, decisions in found.items()
        for decision in decisions
        if decision.gate == gate
    }
