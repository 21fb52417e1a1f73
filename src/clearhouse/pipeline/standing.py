"""What the books say readers must see: decided from entries, verdicts, releases and rollbacks.

The pointers by which readers are served are not asked. They are what is held against this.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clearhouse.books.decisions import Decision, Decisions
from clearhouse.books.ledger import Books
from clearhouse.books.model import EntryKey, Side
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
        known, current = self.books.keys(self.scope.domain)
        built = {known[each].book_date: each for each in current if self._is_gold(known[each])}
        shown = self.publications.shown(self.scope.dataset)
        made_from = {
            each: _lineage(each, known)
            for each in {*built.values(), *(entry_id for entry_id, _ in shown.values())}
            if each in known and self._is_gold(known[each])
        }
        decided = self.decisions.of_many([each for ids in made_from.values() for each in ids])
        decisions = {
            e: [d for i in ids for d in decided.get(i, ())] for e, ids in made_from.items()
        }
        found = {}
        for day, last in sorted(built.items()):
            published, cause = shown.get(day, (None, Cause.RUN))
            is_chosen = cause is not Cause.ROLLBACK or published == last
            visible = None
            if is_chosen and self._passes(decisions[last]):
                visible = last
            elif published in decisions and known[published].book_date == day:
                is_kept = published != last and not any(d.holds for d in decisions[published])
                visible = published if is_kept else None
            found[day] = Standing(visible, None if visible == last else last)
        return found

    def _is_gold(self, key: EntryKey) -> bool:
        return key.hop == self.scope.hop

    def _passes(self, decisions: Sequence[Decision]) -> bool:
        """Whether the gate has judged, and nothing holds."""
        is_judged = any(d.gate == self.scope.gate for d in decisions)
        return is_judged and not any(d.holds for d in decisions)


def _lineage(entry_id: str, known: Mapping[str, EntryKey]) -> list[str]:
    """The ids of an entry and of those that it was made from."""
    found = [entry_id]
    while (before := known[found[-1]].input_hash) in known:
        found.append(before)
    return found


@dataclass(frozen=True)
class ReadersSides:
    """The sides of gold → readers, as what stands behind FROM for a condition on `r._book_date`.

    None of them asks the pointers, or the table of hidden records, that readers are served by.

    Attributes:
        restated: `Dataset.restated`.
    """

    fact: str
    dialect: Dialect
    judge: Judge
    restated: bool

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

    def hidden(self, of_days: str, days: Sequence[dt.date]) -> str:
        """Visible rows that readers must not see, with their `side`.

        It is `duplicate` where their bytes had arrived on an earlier day, and `superseded` where
        another version of the record counts from later on.

        What is visible is a list as long as history. It is joined to the few rows that have a key
        in common, and never asked of each row of history.
        """
        found = self.judge.standing()
        visible = ", ".join(
            f"({self.dialect.text(each.visible)})" for each in found.values() if each.visible
        )
        repeated = self._repeated(found, days)
        duplicate, superseded = (self.dialect.text(s) for s in (Side.DUPLICATE, Side.SUPERSEDED))
        return f"""(
            SELECT v.*, CASE WHEN _book_date > first_arrived_on THEN {duplicate}
                WHEN counts_from < max(counts_from) OVER (PARTITION BY _record_key)
                THEN {superseded} END AS side
            FROM (
                SELECT *, min(_book_date) OVER of_version AS first_arrived_on,
                    {"max" if self.restated else "min"}(_book_date) OVER of_version AS counts_from
                FROM {self.fact} WHERE _entry_id IN (VALUES {visible or "('')"})
                    AND {repeated}
                WINDOW of_version AS (PARTITION BY _record_key, _record_id)
            ) v
        ) r WHERE {of_days} AND r.side IS NOT NULL"""

    def _repeated(self, found: Mapping[dt.date, Standing], days: Sequence[dt.date]) -> str:
        """A condition: the rows of keys that the visible rows of the days share with other rows.

        They are found by their keys alone, and with their days, so that their other columns are
        read of these days and of no others. Of all days that stand no key need be looked for.
        """
        if found.keys() <= {*days}:
            return f"""_record_key IN (
                SELECT _record_key FROM {self.fact} GROUP BY _record_key HAVING count(*) > 1)"""
        ours = self._listed(found[day].visible for day in days if day in found)
        return f"""(_book_date, _record_key) IN (
            SELECT _book_date, _record_key FROM (
                SELECT _book_date, _record_key,
                    count(*) OVER (PARTITION BY _record_key) AS versions
                FROM {self.fact} WHERE _record_key IN (
                    SELECT _record_key FROM {self.fact} WHERE _entry_id IN ({ours}))
            ) AS keys WHERE versions > 1)"""

    def _listed(self, entries: Iterable[str | None]) -> str:
        return ", ".join(self.dialect.text(each) for each in entries if each) or "''"
