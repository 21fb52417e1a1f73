"""What the books say readers must see: decided from entries, verdicts, releases and rollbacks.

The pointers by which readers are served are not asked. They are what is held against this.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clearhouse.books.decisions import Decision, Decisions
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry
from clearhouse.books.publications import Cause, Publications
from clearhouse.core.columnar import Dialect


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for a day in gold.

    Attributes:
        visible: the entry that readers must see; None: nothing.
        withheld: the entry built last, where readers must not see it.
    """

    visible: str | None
    withheld: str | None

    @property
    def entries(self) -> set[str]:
        """All of them."""
        return {each for each in (self.visible, self.withheld) if each}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose days: a domain's dataset, the hop that its gold is entered under, and the gate."""

    domain: str
    dataset: str
    hop: str
    gate: str


@dataclass
class Judge:
    """Says what stands for the days of one dataset."""

    books: Books
    decisions: Decisions
    publications: Publications
    scope: Scope
    _known: tuple[object, dict[dt.date, Standing]] | None = None

    def standing(self) -> dict[dt.date, Standing]:
        """What stands for each day that gold holds an entry of."""
        state = self.books.state()
        if self._known is None or self._known[0] != state:
            self._known = (state, self._standing())
        return self._known[1]

    def _standing(self) -> dict[dt.date, Standing]:
        known = {e.entry_id: e for e in self.books.current(self.scope.domain)}
        current = {e.key.book_date: e for e in known.values() if e.key.hop == self.scope.hop}
        shown = self.publications.shown(self.scope.dataset)
        before = {e.entry_id: e for e in self._earlier(current, shown)}
        decided = self._decided([*current.values(), *before.values()], known)
        found = {}
        for day, entry in current.items():
            published, cause = shown.get(day, (None, Cause.RUN))
            is_chosen = cause is not Cause.ROLLBACK or published == entry.entry_id
            visible = None
            if is_chosen and self._passes(decided[entry.entry_id]):
                visible = entry.entry_id
            elif published in before and not any(d.holds for d in decided[published]):
                visible = published
            withheld = None if visible == entry.entry_id else entry.entry_id
            found[day] = Standing(visible, withheld)
        return found

    def _earlier(
        self,
        current: Mapping[dt.date, Entry],
        shown: Mapping[dt.date, tuple[str | None, Cause]],
    ) -> Iterable[Entry]:
        """Entries that were published and are not the last of their day."""
        for day, entry in current.items():
            entry_id, _ = shown.get(day, (None, Cause.RUN))
            earlier = self.books.find(entry_id) if entry_id and entry_id != entry.entry_id else None
            if earlier and (earlier.key.hop, earlier.key.book_date) == (self.scope.hop, day):
                yield earlier

    def _decided(
        self, entries: Iterable[Entry], known: Mapping[str, Entry]
    ) -> dict[str, list[Decision]]:
        """Of each entry, the decisions on it and on those that it was made from."""
        made_from = {e.entry_id: self._lineage(e, known) for e in entries}
        decided = self.decisions.of_many([each for ids in made_from.values() for each in ids])
        return {
            entry_id: [d for each in ids for d in decided.get(each, ())]
            for entry_id, ids in made_from.items()
        }

    def _lineage(self, entry: Entry, known: Mapping[str, Entry]) -> list[str]:
        """The ids of an entry and of those that it was made from; most of them are current."""
        found: list[str] = []
        following: Entry | None = entry
        while following is not None:
            found.append(following.entry_id)
            before = following.key.input_hash
            following = known.get(before) or self.books.find(before)
        return found

    def _passes(self, decisions: Iterable[Decision]) -> bool:
        """Whether the gate has judged, and nothing holds."""
        decided = list(decisions)
        return any(d.gate == self.scope.gate for d in decided) and not any(d.holds for d in decided)


@dataclass(frozen=True)
class ReadersSides:
    """The sides of gold → readers, as what stands behind FROM for a condition on `r._book_date`.

    None of them asks the pointers, or the table of hidden records, that readers are served by.
    """

    fact: str
    dialect: Dialect
    judge: Judge

    def standing(self, of_days: str, days: Sequence[dt.date]) -> str:
        """Gold rows of all that stands for the days."""
        found = self.judge.standing()
        entries = sorted(each for day in days if day in found for each in found[day].entries)
        return f"{self.fact} r WHERE {of_days} AND r._entry_id IN ({self._listed(entries)})"

    def withheld(self, of_days: str, days: Sequence[dt.date]) -> str:
        """Gold rows of the entries that readers must not see."""
        found = self.judge.standing()
        entries = [found[day].withheld for day in days if day in found]
        return f"{self.fact} r WHERE {of_days} AND r._entry_id IN ({self._listed(entries)})"

    def duplicate(self, of_days: str, days: Sequence[dt.date]) -> str:
        """Visible rows whose bytes had arrived on an earlier day."""
        return self._hidden(of_days, days, "r._book_date > r.first_arrived_on")

    def superseded(self, of_days: str, days: Sequence[dt.date]) -> str:
        """Visible rows of which another version arrived later, counted from its first arrival."""
        is_older = "r._book_date = r.first_arrived_on AND r.first_arrived_on < r.last_arrived_on"
        return self._hidden(of_days, days, is_older)

    def _hidden(self, of_days: str, days: Sequence[dt.date], where: str) -> str:
        found = self.judge.standing()
        visible = self._listed(each.visible for each in found.values())
        ours = self._listed(found[day].visible for day in days if day in found)
        return f"""(
            SELECT v.*, max(first_arrived_on) OVER (PARTITION BY _record_key) AS last_arrived_on
            FROM (
                SELECT *, min(_book_date) OVER (
                    PARTITION BY _record_key, _record_id) AS first_arrived_on
                FROM {self.fact} WHERE _entry_id IN ({visible}) AND _record_key IN (
                    SELECT _record_key FROM {self.fact}
                    WHERE _entry_id IN ({visible}) AND _record_key IN (
                        SELECT _record_key FROM {self.fact} WHERE _entry_id IN ({ours}))
                    GROUP BY _record_key HAVING count(*) > 1)
            ) v
        ) r WHERE {of_days} AND {where}"""

    def _listed(self, entries: Iterable[str | None]) -> str:
        return ", ".join(self.dialect.text(each) for each in entries if each) or "''"
