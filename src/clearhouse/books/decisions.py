"""What gates and people decided about entries: verdicts, and releases with their reasons."""

import datetime as dt
import getpass
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from clearhouse.books.ledger import metadata

_IDS_PER_QUERY = 500

verdict_table = sa.Table(
    "books_verdict",
    metadata,
    sa.Column("entry_id", sa.String(64), primary_key=True),
    sa.Column("gate", sa.String(60), primary_key=True),
    sa.Column("gate_hash", sa.String(64), nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("failures", sa.Text, nullable=False),
    sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
)
release_table = sa.Table(
    "books_release",
    metadata,
    sa.Column("entry_id", sa.String(64), primary_key=True),
    sa.Column("gate", sa.String(60), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("released_by", sa.String(80), nullable=False),
    sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
)


def acting_user() -> str:
    """Who decides: the operating system's name of the user, or the number of one without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gate said of an entry, and the reason for which a person let it pass, if one did."""

    gate: str
    passed: bool
    failures: tuple[str, ...]
    release_reason: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the day is held."""
        return not self.passed and self.release_reason is None


class Decisions:
    """Verdicts and releases, kept beside the books in the same store."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        metadata.create_all(engine)

    def record(
        self, gate: str, gate_hash: str, verdicts: Mapping[str, tuple[bool, Sequence[str]]]
    ) -> None:
        """Keep a gate's verdict on each entry id: whether it passed, and what failed in words."""
        with self.engine.begin() as connection:
            for entry_id, (passed, failures) in verdicts.items():
                connection.execute(
                    sa.delete(verdict_table).where(
                        (verdict_table.c.entry_id == entry_id) & (verdict_table.c.gate == gate)
                    )
                )
                connection.execute(
                    sa.insert(verdict_table).values(
                        entry_id=entry_id,
                        gate=gate,
                        gate_hash=gate_hash,
                        passed=passed,
                        failures=json.dumps(list(failures), ensure_ascii=False),
                        judged_at=dt.datetime.now(dt.UTC),
                    )
                )

    def of(self, entry_id: str) -> list[Decision]:
        """Every gate's decision on an entry."""
        return self.of_many([entry_id]).get(entry_id, [])

    def of_many(
        self, entry_ids: Sequence[str], gate_hash: str | None = None
    ) -> dict[str, list[Decision]]:
        """Decisions on entries; with `gate_hash`, only those by the gate as it is now."""
        joined = sa.outerjoin(
            verdict_table,
            release_table,
            (release_table.c.entry_id == verdict_table.c.entry_id)
            & (release_table.c.gate == verdict_table.c.gate),
        )
        columns = [*verdict_table.c, release_table.c.reason]
        statement = sa.select(*columns).select_from(joined)
        if gate_hash is not None:
            statement = statement.where(verdict_table.c.gate_hash == gate_hash)
        found: dict[str, list[Decision]] = {}
        with self.engine.connect() as connection:
            for at in range(0, len(entry_ids), _IDS_PER_QUERY):
                some = entry_ids[at : at + _IDS_PER_QUERY]
                of_some = statement.where(verdict_table.c.entry_id.in_(some))
                for row in connection.execute(of_some):
                    failures = tuple(json.loads(row.failures))
                    decision = Decision(row.gate, row.passed, failures, row.reason)
                    found.setdefault(row.entry_id, []).append(decision)
        return found

    def release(self, entry_id: str, gate: str, reason: str) -> None:
        """Let an entry pass a gate that holds it. The reason stays in the books."""
        with self.engine.begin() as connection:
            connection.execute(
                sa.delete(release_table).where(
                    (release_table.c.entry_id == entry_id) & (release_table.c.gate == gate)
                )
            )
            connection.execute(
                sa.insert(release_table).values(
                    entry_id=entry_id,
                    gate=gate,
                    reason=reason,
                    released_by=acting_user(),
                    released_at=dt.datetime.now(dt.UTC),
                )
            )
