"""What gates and people decided about entries: verdicts, and releases with their reasons.

The latest verdict of each gate on an entry is in force. A release names the failures that it
covers: a later verdict that finds others holds the entry again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from clearhouse.books.in_store import InStore
from clearhouse.books.journal import recording
from clearhouse.books.schema import release_table, verdict_table
from clearhouse.core.sql_values import select_in


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gate said of an entry, and the reason for which a person let it pass, if one did.

    Attributes:
        gate_hash: the rules that it was judged by.
        failures: a sentence for each rule that was broken.
        release_reason: of the latest release that covers all failures.
    """

    gate: str
    passed: bool
    failures: tuple[str, ...]
    release_reason: str | None = None
    gate_hash: str = ""

    @property
    def holds(self) -> bool:
        """Whether the day is held."""
        return not self.passed and self.release_reason is None


class Decisions(InStore):
    """Verdicts and releases, kept beside the books in the same store."""

    def record(
        self,
        gate: str,
        gate_hash: str,
        verdicts: Mapping[str, tuple[bool, Sequence[str]]],
        run_id: str,
    ) -> None:
        """Keep a gate's verdict on each entry id: whether it passed, and what failed in words."""
        rows = [
            {
                "entry_id": entry_id,
                "gate": gate,
                "gate_hash": gate_hash,
                "passed": passed,
                "failures": json.dumps(list(failures), ensure_ascii=False),
            }
            for entry_id, (passed, failures) in verdicts.items()
        ]
        with recording(self.engine, "verdicts", run_id) as record:
            record.add(verdict_table, rows)

    def of(self, entry_id: str) -> list[Decision]:
        """Every gate's decision on an entry."""
        return self.of_many([entry_id]).get(entry_id, [])

    def of_many(self, entry_ids: Sequence[str]) -> dict[str, list[Decision]]:
        """The decisions in force on entries, one a gate."""
        with self.engine.connect() as connection:
            return _in_force(connection, entry_ids)

    def release(
        self, entry_id: str, gate: str, failures: Sequence[str], reason: str, run_id: str
    ) -> None:
        """Let an entry pass a gate in spite of some failures. The reason stays in the books."""
        row = {
            "entry_id": entry_id,
            "gate": gate,
            "failures": json.dumps(list(failures), ensure_ascii=False),
            "reason": reason,
        }
        with recording(self.engine, "release", run_id) as record:
            record.add(release_table, [row])


def held_among(connection: sa.Connection, entry_ids: Sequence[str]) -> set[str]:
    """The entries that a gate holds."""
    decisions = _in_force(connection, entry_ids)
    return {entry_id for entry_id, found in decisions.items() if any(d.holds for d in found)}


def _in_force(connection: sa.Connection, entry_ids: Sequence[str]) -> dict[str, list[Decision]]:
    latest: dict[tuple[str, str], sa.Row[tuple[object, ...]]] = {}
    releases: dict[tuple[str, str], list[tuple[frozenset[str], str]]] = {}
    verdicts = sa.select(verdict_table).order_by(verdict_table.c.seq)
    for row in select_in(connection, verdicts, verdict_table.c.entry_id, entry_ids):
        latest[row.entry_id, row.gate] = row
    released = sa.select(release_table).order_by(release_table.c.seq)
    for row in select_in(connection, released, release_table.c.entry_id, entry_ids):
        covered = frozenset(json.loads(row.failures))
        releases.setdefault((row.entry_id, row.gate), []).append((covered, row.reason))
    found: dict[str, list[Decision]] = {}
    for key, row in latest.items():
        failures = tuple(json.loads(row.failures))
        reason = None
        for covered, why in releases.get(key, ()):
            reason = why if covered.issuperset(failures) else reason
        decision = Decision(row.gate, row.passed, failures, reason, row.gate_hash)
        found.setdefault(row.entry_id, []).append(decision)
    return found
