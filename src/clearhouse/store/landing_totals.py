"""Totals of landed bytes, kept by what they were measured from (`landing.spine.TotalsMemory`)."""

import json
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from clearhouse.books.measure import Counted
from clearhouse.books.model import Totals
from clearhouse.core.sql_tables import writing
from clearhouse.core.sql_values import select_in

metadata = sa.MetaData()
landing_totals_table = sa.Table(
    "landing_totals",
    metadata,
    sa.Column("code_hash", sa.String(64), primary_key=True),
    sa.Column("content", sa.String(64), primary_key=True),
    sa.Column("totals", sa.Text, nullable=False),
)


class LandingTotals:
    """Totals by content, for one state of the code that reads landed lines.

    Args:
        engine: the operational store.
        code_hash: digest of that code; what another state of it measured is not used.
        reads_only: what is measured is known to this process alone.
    """

    def __init__(self, engine: sa.Engine, code_hash: str, *, reads_only: bool = False) -> None:
        self._engine = engine
        self._code_hash = code_hash
        self._reads_only = reads_only
        self._known: dict[str, Mapping[str, Counted] | None] = {}
        """By content; None where nothing is kept of it."""

    def load(self, contents: Collection[str]) -> None:
        """Read what is kept of some contents at once, before each is asked for."""
        unread = [content for content in contents if content not in self._known]
        if not unread:
            return
        c = landing_totals_table.c
        kept = sa.select(c.content, c.totals).where(c.code_hash == self._code_hash)
        with self._engine.connect() as connection:
            rows = select_in(connection, kept, c.content, unread)
        kept_totals = {row.content: _from_text(row.totals) for row in rows}
        for content in unread:  # what another thread has kept meanwhile stays
            self._known.setdefault(content, kept_totals.get(content))

    def get(self, content: str) -> Mapping[str, Counted] | None:
        """The totals of a content by kind of line, or None where they are not known."""
        self.load([content])
        return self._known.get(content)

    def keep(self, found: Mapping[str, Mapping[str, Counted]]) -> None:
        """Keep totals; those known already are left as they are."""
        fresh = {content: of for content, of in found.items() if self._known.get(content) is None}
        if fresh and not self._reads_only:
            self._write(fresh)
        self._known |= fresh

    def _write(self, fresh: Mapping[str, Mapping[str, Counted]]) -> None:
        rows = [
            {"code_hash": self._code_hash, "content": content, "totals": _to_text(totals)}
            for content, totals in fresh.items()
        ]
        table = landing_totals_table
        same = (table.c.code_hash == sa.bindparam("code")) & (table.c.content == sa.bindparam("of"))
        with writing(self._engine, table) as connection:  # another process may have kept the same
            stale = [{"code": self._code_hash, "of": content} for content in fresh]
            connection.execute(sa.delete(table).where(same), stale)
            connection.execute(sa.insert(table), rows)

    def forget(self, content: str) -> None:
        """Keep the totals of a content no longer."""
        table = landing_totals_table
        same = (table.c.code_hash == self._code_hash) & (table.c.content == content)
        if not self._reads_only:
            with self._engine.begin() as connection:
                connection.execute(sa.delete(table).where(same))
        self._known.pop(content, None)


def _to_text(counted: Mapping[str, Counted]) -> str:
    return json.dumps({str(k): [dict(c.totals.measures), c.digest] for k, c in counted.items()})


def _from_text(text: str) -> dict[str, Counted] | None:
    """Kept totals; None of a text that was edited to nonsense: they are measured again."""
    try:
        return {
            k: Counted(Totals({name: int(n) for name, n in measures.items()}), str(of))
            for k, (measures, of) in json.loads(text).items()
        }
    except (ValueError, TypeError, AttributeError):
        return None
