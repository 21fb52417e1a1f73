"""What is wrong in a ledger that balances at first sight: faults found by asking its lines.

Each kind is one query over the lines that readers see, and those of days that are held. It names
the entry, the day on which it was recorded, why it is a finding, and what money is at stake.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import pyarrow as pa

from clearhouse.gl.periods import CLOSES_ON_DAY

CLOSED_AFTER_DAYS = CLOSES_ON_DAY - 1
"""What is recorded later than so many days after a period's end came after close. Only the entries
that close a year come later."""

DECK = ("well_id", "product", "production_month")
"""What tells the ownership decks of one entry apart: a late change re-books several months."""


class Asked(Protocol):
    """What answers SQL: an engine of the pipeline."""

    def query(self, sql: str) -> pa.Table:
        """The answer of a query."""
        ...


@dataclass(frozen=True)
class Finding:
    """One journal entry that is wrong.

    Attributes:
        kind: a key of `KINDS`.
        reason: in words.
        amount: money at stake; 0 where none is.
    """

    kind: str
    journal_entry: str
    recorded_on: dt.date
    reason: str
    amount: Decimal


_ENTRIES = """
    SELECT ledger, fiscal_period, entry_number, journal_entry,
        max(entry_type) AS entry_type, max(reverses) AS reverses,
        max(transaction_type) AS transaction_type, max(recorded_on) AS recorded_on,
        max(created_by) AS created_by, max(approved_by) AS approved_by, sum(debit) AS debit,
        sum(amount) AS amount
    FROM lines GROUP BY ledger, fiscal_period, entry_number, journal_entry"""

_INVOICES = """
    SELECT lines.journal_entry, party_id, document, lines.recorded_on, sum(-lines.amount) AS amount
    FROM lines JOIN entries ON entries.journal_entry = lines.journal_entry
    WHERE account_code = '2010' AND entries.reverses IS NULL AND lines.transaction_type = 'INV'
        AND NOT EXISTS (
            SELECT 1 FROM entries AS back WHERE back.reverses = lines.journal_entry)
    GROUP BY lines.journal_entry, party_id, document, lines.recorded_on
    HAVING sum(-lines.amount) > 0"""

_PLACES = """
    SELECT {key}, {value}, row_number() OVER (
        PARTITION BY {key} ORDER BY count(*) DESC, {value}) AS place
    FROM lines WHERE {key} IS NOT NULL AND {value} IS NOT NULL GROUP BY {key}, {value}"""

# The first period may be known from its middle on only: what came before its first number is not.
KINDS: Mapping[str, str] = {
    "one_cent_imbalance": """
        SELECT journal_entry, recorded_on, 'its debits and credits differ by ' || amount AS reason,
            abs(amount) AS amount
        FROM entries WHERE amount <> 0""",
    "unapproved": """
        SELECT journal_entry, recorded_on, created_by || ' prepared and approved it' AS reason,
            debit AS amount
        FROM entries WHERE created_by = approved_by""",
    "missing_number": """
        SELECT journal_entry, recorded_on, 'number ' || (before + 1) ||
            CASE WHEN entry_number - before > 2 THEN ' to ' || (entry_number - 1) ELSE '' END
            || ' of ' || fiscal_period || ' is missing before it' AS reason, 0 AS amount
        FROM (
            SELECT entries.*, coalesce(
                lag(entry_number) OVER (
                    PARTITION BY ledger, fiscal_period ORDER BY entry_number),
                CASE WHEN fiscal_period > min(fiscal_period) OVER ledger
                    OR entry_type = 'opening' THEN 0 ELSE entry_number - 1 END) AS before
            FROM entries WINDOW ledger AS (PARTITION BY ledger)) AS numbered
        WHERE entry_number - before > 1""",
    "reversed_twice": """
        SELECT journal_entry, recorded_on, reverses || ' was reversed before' AS reason,
            debit AS amount
        FROM (
            SELECT entries.*, row_number() OVER (
                PARTITION BY reverses ORDER BY recorded_on, journal_entry) AS nth
            FROM entries WHERE reverses IS NOT NULL) AS reversals
        WHERE nth > 1""",
    "entry_after_close": f"""
        SELECT entries.journal_entry, entries.recorded_on, 'recorded '
            || (entries.recorded_on - ended.day) || ' days after ' || entries.fiscal_period
            || ' ended' AS reason, debit AS amount
        FROM entries
        JOIN (SELECT fiscal_period, max(posting_date) AS day FROM lines GROUP BY fiscal_period)
            AS ended ON ended.fiscal_period = entries.fiscal_period
        WHERE entries.recorded_on - ended.day > {CLOSED_AFTER_DAYS}
            AND entry_type <> 'closing'""",
    "duplicate_invoice": """
        SELECT journal_entry, recorded_on, 'invoice ' || document || ' of ' || party_id
            || ' was entered before' AS reason, amount
        FROM (
            SELECT invoices.*, row_number() OVER (
                PARTITION BY party_id, document ORDER BY recorded_on, journal_entry) AS nth
            FROM invoices) AS numbered
        WHERE nth > 1""",
    "deck_not_one": f"""
        SELECT journal_entry, max(recorded_on) AS recorded_on, 'the shares of '
            || coalesce(max(well_id), 'its deck') || ' sum to ' || sum(share) AS reason,
            0 AS amount
        FROM lines WHERE share IS NOT NULL GROUP BY journal_entry, {", ".join(DECK)}
        HAVING sum(share) <> 1""",
    "misposted_well": """
        SELECT lines.journal_entry, max(lines.recorded_on) AS recorded_on,
            max(lines.well_id) || ' is a well of ' || max(known.lease_name)
            || ', not of ' || max(lines.lease_name) AS reason, sum(lines.debit) AS amount
        FROM lines JOIN wells AS known ON known.well_id = lines.well_id AND known.place = 1
        WHERE lines.lease_name <> known.lease_name GROUP BY lines.journal_entry""",
}
"""SQL by kind, over `lines`, `entries`, `invoices` and `wells`: journal_entry, recorded_on, reason,
amount."""


def found_in(
    engine: Asked, lines: str, first: dt.date | None = None, last: dt.date | None = None
) -> list[Finding]:
    """The findings in a relation of journal lines, by the day on which entries were recorded.

    Args:
        engine: what holds the lines.
        lines: SQL, to be used behind FROM, for all lines: what is wrong shows beside the others.
        first: day of recording from which on findings are kept.
        last: the last such day.
    """
    kinds = " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, journal_entry, recorded_on, CAST(reason AS VARCHAR) AS reason, "
        f"CAST(amount AS DECIMAL(18, 2)) AS amount FROM ({sql}) AS of_{kind}"
        for kind, sql in KINDS.items()
    )
    bounds = [f"recorded_on >= DATE '{first}'"] if first else []
    bounds += [f"recorded_on <= DATE '{last}'"] if last else []
    wells = _PLACES.format(key="well_id", value="lease_name")
    answer = engine.query(f"""
        WITH lines AS (SELECT * FROM {lines}), entries AS ({_ENTRIES}), invoices AS ({_INVOICES}),
            wells AS ({wells})
        SELECT * FROM ({kinds}) AS found WHERE {" AND ".join(bounds) or "true"}
        ORDER BY recorded_on, journal_entry, kind""")
    return [Finding(**row) for row in answer.to_pylist()]


def recorded_lines(readers: str, dataset: str, gold: str) -> str:
    """SQL, to be used behind FROM, for all lines: those readers see, and those of held days.

    Args:
        readers: the relation that readers see.
        dataset: whose.
        gold: its fact, of which the candidates are what was built last.
    """
    return f"""(
        SELECT * FROM {readers}
        UNION ALL
        SELECT r.* FROM {gold} r JOIN ops.candidate c
            ON c.dataset = '{dataset}' AND c.book_date = r._book_date AND c.entry_id = r._entry_id
        WHERE NOT EXISTS (
            SELECT 1 FROM ops.publication p
            WHERE p.dataset = '{dataset}' AND p.book_date = r._book_date)
    ) AS recorded"""
