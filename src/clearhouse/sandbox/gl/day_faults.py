"""Faults of the days that the ledger's service sends, at every attempt.

Three families. Faults of the ledger (`planting.KINDS`) are in its entries: they are numbered with
them, and every day of a server is of one ledger. A fault of the export says which of its entries
are sent. Faults of lines are in the text that is sent.
"""

from types import MappingProxyType

from clearhouse.sandbox import faults
from clearhouse.sandbox.gl.planting import KINDS
from clearhouse.sandbox.hostile import HostilePlan
from clearhouse.sandbox.record_faults import (
    BROKEN_SHARE,
    CORRECTED_SHARE,
    NEW_FIELD_SHARE,
    JsonText,
    Record,
    RecordFault,
    SentDay,
    breakages,
    changed,
    duplicates,
    sent_again,
)
from clearhouse.sandbox.rng import Rng

_FORM = {"line_id": str, "gl_entry_id": int, "debit": str, "credit": str, "amount": str}


def _is_intact(record: Record) -> bool:
    return all(isinstance(record.get(field), kind) for field, kind in _FORM.items())


_LINE = JsonText(_is_intact, separators=(",", ":"))


def _a_dollar_more(record: Record) -> Record:
    """The line with a dollar more on the side of its amount."""
    side = "credit" if record["amount"].startswith("-") else "debit"
    signed = str(int(record["amount"][:-3] or 0) + (-1 if side == "credit" else 1))
    more = str(int(record[side][:-3]) + 1)
    cents = record[side][-3:]
    return {**record, side: more + cents, "amount": signed + cents}


def lost_line(day: SentDay, rng: Rng) -> list[bytes]:
    """One line is not there, and not counted: its entry has lost a side."""
    lost = int(rng.integers(len(day.texts)))
    return [text for at, text in enumerate(day.texts) if at != lost]


# The position of a fault numbers its random stream: add at the end.
LINE_FAULTS = MappingProxyType[str, RecordFault](
    {
        "lost_line": lost_line,
        "duplicates": duplicates,
        "corrected": sent_again(CORRECTED_SHARE, _LINE.record(_a_dollar_more)),
        "new_fields": changed(
            NEW_FIELD_SHARE,
            (
                _LINE.having(rig="H&P 412", crew=4),
                _LINE.having(reviewed=None),
                _LINE.having(origin={"id": "s_17", "amount": "0.01"}),
            ),
        ),
        "missing_fields": changed(
            BROKEN_SHARE,
            (
                _LINE.lacking("amount"),
                _LINE.having(account_code=None),
                _LINE.lacking("line_id"),
                _LINE.having(posting_date=None),
            ),
        ),
        "wrong_types": changed(
            BROKEN_SHARE,
            (
                _LINE.record(lambda r: {**r, "amount": float(r["amount"])}),
                _LINE.record(lambda r: {**r, "fiscal_year": str(r["fiscal_year"])}),
                _LINE.having(recorded_on="31/01/2024"),
                _LINE.having(amount="a lot"),
            ),
        ),
        "broken_rows": changed(BROKEN_SHARE, breakages(_LINE)),
        # Every line has its amount under another name: the service has changed overnight.
        "renamed_field": changed(1.0, (_LINE.renamed("amount", "net_amount"),)),
        # A text with the character U+0000, which PostgreSQL can't keep.
        "null_characters": changed(BROKEN_SHARE, (_LINE.having(description="cut\0off"),)),
    }
)

REDELIVERED = "redelivered"
"""The first entry of the day before comes once more, as it was, after the lines of the day."""

ROW_FAULTS = frozenset({*KINDS, *LINE_FAULTS, REDELIVERED})
"""Names of all faults of the lines of a day."""

# Days that would be held as a whole are no part of the plan, nor is a key that is refused.
HOSTILE = HostilePlan(
    by_chance=(
        faults.UNAVAILABLE,
        faults.TOO_MANY_REQUESTS,
        faults.HTML_PAGE,
        faults.SLOW,
        faults.CUT_STREAM,
        faults.TRUNCATED_STREAM,
        "duplicates",
        "new_fields",
    )
)
