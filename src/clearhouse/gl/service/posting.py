"""Posting a journal and undoing one: checked, numbered and stored in one transaction.

The rules are asked twice: before the ledger is held, so that what is refused stops nobody, and
again while it is, when nothing of what they look at can change any more.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.journal import Journal, Line, Violation
from clearhouse.gl.periods import Period
from clearhouse.gl.rules import Facts, Reversed, invoice_of, violations
from clearhouse.gl.service import tables
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.errors import JournalRefusedError, KeyReusedError, NotFoundError
from clearhouse.gl.service.journal_lines import lines_of, wells_of
from clearhouse.gl.service.reading import Lines
from clearhouse.gl.service.recorder import periods_of, record, state_of


@dataclass(frozen=True, slots=True)
class Asked:
    """Under what a posting was asked for.

    Attributes:
        idempotency_key: the same key and body again store nothing more.
        digest: of the body.
        is_accountant: whether the user may post to a soft-closed period.
    """

    idempotency_key: str
    digest: str
    is_accountant: bool


@dataclass(frozen=True, slots=True)
class Undoing:
    """How an entry is to be undone."""

    posting_date: dt.date
    prepared_by: str
    approved_by: str
    description: str


@dataclass(frozen=True, slots=True)
class Posted:
    """A journal in the ledger.

    Attributes:
        is_repeated: it was stored by an earlier request with the same key.
    """

    journal_entry: str
    is_repeated: bool


def post(
    database: Database, journal: Journal, asked: Asked, now: dt.datetime,
    unreadable: Sequence[Violation] = (),
) -> Posted:  # fmt: skip
    """Add a journal to the ledger.

    Args:
        database: the store.
        journal: what is to be posted.
        asked: by what request.
        now: the moment of recording.
        unreadable: what was wrong before rules could be asked.

    Raises:
        JournalRefusedError: with every violation; nothing is stored.
        KeyReusedError: the key stands for another body.
    """
    with database.reading() as connection:
        known = _known(connection, journal.prepared_by, asked)
        found = [*unreadable, *violations(journal, _facts(connection, journal, asked, now))]
    if known is not None:
        return known
    if found:
        raise JournalRefusedError(found)
    with database.writing() as connection:
        state_of(connection, for_update=True)
        known = _known(connection, journal.prepared_by, asked)
        if known is not None:
            return known
        facts = _facts(connection, journal, asked, now)
        found = violations(journal, facts)
        if found:
            raise JournalRefusedError(found)
        assert facts.period is not None  # noqa: S101
        table = lines_of(journal, facts.period, wells_of(connection, journal), now)
        stored = record(connection, table, now.date())
        assert stored is not None  # noqa: S101
        name = stored.journal_entries[0]
        connection.execute(
            sa.insert(tables.request).values(
                asked_by=journal.prepared_by, idempotency_key=asked.idempotency_key,
                digest=asked.digest, journal_entry=name, at=now,
            )
        )  # fmt: skip
    return Posted(name, is_repeated=False)


def reversal_of(database: Database, name: str, undoing: Undoing) -> Journal:
    """The journal that undoes an entry: its lines with their sides swapped.

    Raises:
        NotFoundError: the ledger has no such entry.
    """
    found = Lines(database).of_journals([name]).to_pylist()
    if not found:
        raise NotFoundError(f"The ledger has no {name}.", "unknown_journal")
    return Journal(
        posting_date=undoing.posting_date,
        transaction_date=min(found[0]["transaction_date"], undoing.posting_date),
        lines=tuple(_swapped(row) for row in found),
        prepared_by=undoing.prepared_by,
        approved_by=undoing.approved_by,
        description=undoing.description,
        entry_type="reversal",
        journal_source="REVERSAL",
        transaction_type=found[0]["transaction_type"],
        reverses=name,
    )


def _swapped(row: dict[str, Any]) -> Line:
    quantity = row["quantity"]
    same = (
        "account_code", "description", "unit", "product", "share", "production_month", "well_id",
        "afe_number", "jib_number", "cost_center", "party_type", "party_id", "document", "due_date",
    )  # fmt: skip
    return Line(
        debit_minor=row["credit_minor"],
        credit_minor=row["debit_minor"],
        quantity=None if quantity is None else -quantity,
        **{name: row[name] for name in same},
    )


def _known(connection: sa.Connection, user: str, asked: Asked) -> Posted | None:
    r = tables.request.c
    statement = sa.select(r.digest, r.journal_entry).where(
        (r.asked_by == user) & (r.idempotency_key == asked.idempotency_key)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    if row.digest != asked.digest:
        raise KeyReusedError("Another journal was posted under this Idempotency-Key.")
    return Posted(row.journal_entry, is_repeated=True)


def _facts(connection: sa.Connection, journal: Journal, asked: Asked, now: dt.datetime) -> Facts:
    return Facts(
        chart=chart_of_accounts(),
        period=_period_of(connection, journal.posting_date),
        today=now.date(),
        wells=wells_of(connection, journal).keys(),
        documents=_documents(connection, journal),
        reverses=_reversed(connection, journal.reverses),
        is_accountant=asked.is_accountant,
    )


def _period_of(connection: sa.Connection, day: dt.date) -> Period | None:
    within = (each for each in periods_of(connection) if each.first_day <= day <= each.last_day)
    return next(within, None)


def _documents(connection: sa.Connection, journal: Journal) -> set[tuple[str, str]]:
    """The invoices of a journal that the ledger has already, and that were not undone."""
    asked = {invoice for line in journal.lines if (invoice := invoice_of(journal, line))}
    if not asked:
        return set()
    line, entry = tables.line.c, tables.entry.c
    undone = sa.select(entry.reverses).where(entry.reverses == line.journal_entry).exists()
    statement = sa.select(line.party_id, line.document).where(
        line.party_type == "vendor",
        line.party_id.in_(sorted({party for party, _ in asked})),
        line.document.in_(sorted({document for _, document in asked})),
        line.transaction_type == "INV",
        line.credit_minor > 0,
        line.reverses.is_(None),
        ~undone,
    )
    return asked & {(row[0], row[1]) for row in connection.execute(statement)}


def _reversed(connection: sa.Connection, name: str | None) -> Reversed | None:
    if name is None:
        return None
    e = tables.entry.c
    kind = connection.scalar(sa.select(e.entry_type).where(e.journal_entry == name))
    if kind is None:
        return None
    line = tables.line.c
    posted = sa.select(line.posting_date).where(line.journal_entry == name).limit(1)
    by = connection.scalar(sa.select(e.journal_entry).where(e.reverses == name))
    return Reversed(kind, connection.scalars(posted).one(), by)
