"""The journal of a fiscal year as files: the French FEC, and CSV.

Data flow: `marts.journal_lines`, a month of recording at a time → text columns (Arrow) → the file.
Grain: a line a journal line. Order: that of recording (`gl_entry_id`), which is that of validation.
Idempotency: the same publication gives the same bytes.

The FEC (article A47 A-1 of the LPF) has 18 columns, a continuous sequence of entries, the opening
balances first, no statistical lines, and no entry that zeroes classes 6 and 7. Amounts are in the
ledger's currency. The file is ISO 8859-15.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from clearhouse.core.errors import StoreError, UsageError
from clearhouse.core.resources import resource
from clearhouse.engines.engine import Ask

FEC_COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib",
    "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit",
    "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip
ENCODING = "iso8859-15"
_LINES = "marts.journal_lines"
_END = "\r\n"
_SEPARATORS = r"[\t|\r\n]+"
"""What would end a cell or a line; another ledger's ids may have it too."""
_OPENING = ("AN", "A-nouveaux")
_RESULT = ("1201200", "Résultat de l'exercice précédent")
_LINES_OF_FEC = """
    SELECT CASE WHEN entry_type = 'opening' THEN 'OPENING' ELSE journal_source END
            AS journal_source, journal_entry, posting_date, account_code, party_id, document,
        transaction_date, description, debit, credit, recorded_on
    FROM marts.journal_lines
    WHERE fiscal_year = $1 AND recorded_on BETWEEN $2 AND $3 AND entry_type <> 'closing'
        AND (debit <> 0 OR credit <> 0)
    ORDER BY gl_entry_id"""
_BALANCES = """
    SELECT account_code, account_class, party_id, CAST(sum(debit - credit) AS DECIMAL(18, 2)) AS net
    FROM marts.journal_lines WHERE fiscal_year < $1
    GROUP BY account_code, account_class, party_id HAVING sum(debit - credit) <> 0
    ORDER BY account_code, party_id"""
_LINES_OF_CSV = """
    SELECT * FROM marts.journal_lines
    WHERE fiscal_year = $1 AND recorded_on BETWEEN $2 AND $3 ORDER BY gl_entry_id"""


@dataclass
class Written:
    """What a file holds.

    Attributes:
        debit, credit: sums; equal in a FEC.
    """

    entries: int = 0
    lines: int = 0
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)


def fec_name(siren: str, year: int) -> str:
    """The name that the text prescribes.

    Raises:
        UsageError: it is no SIREN.
    """
    if not (siren.isascii() and siren.isdigit() and len(siren) == 9):
        raise UsageError(f"{siren!r} is no SIREN: it has nine digits.", "bad_siren")
    return f"{siren}FEC{year}1231.txt"


def write_fec(ask: Ask, year: int, file: BinaryIO) -> Written:
    """Write the FEC of a fiscal year.

    Args:
        ask: `Engine.query_readers`.
        year: the fiscal year.
        file: takes the bytes, a month of recording at a time.

    Raises:
        UsageError: the ledger has no lines of that year.
        StoreError: a line is on an account or of a source that the mapping lacks.
    """
    months = _months(ask, year)
    file.write(("\t".join(FEC_COLUMNS) + _END).encode(ENCODING))
    written = Written()
    _write_opening(ask, year, file, written)
    accounts, journals = _mapping("fec_accounts", "code"), _mapping("fec_journals", "source")
    for first, last in months:
        lines = ask(_LINES, _LINES_OF_FEC, [year, first, last])
        if lines is not None and len(lines):
            _write_lines(lines.combine_chunks(), accounts, journals, file, written)
    return written


def write_csv(ask: Ask, year: int, file: BinaryIO) -> Written:
    """Write the journal of a fiscal year as CSV, with the columns that readers see.

    Raises:
        UsageError: the ledger has no lines of that year.
    """
    written = Written()
    for first, last in _months(ask, year):
        lines = ask(_LINES, _LINES_OF_CSV, [year, first, last])
        if lines is None or not len(lines):
            continue
        is_first = not written.lines
        arrow_csv.write_csv(lines, file, arrow_csv.WriteOptions(include_header=is_first))
        _count(written, lines, len(lines["journal_entry"].unique()))
    return written


def _months(ask: Ask, year: int) -> list[tuple[dt.date, dt.date]]:
    """The months in which lines of a fiscal year were recorded, as first and last days."""
    sql = f"""SELECT min(recorded_on) AS first_day, max(recorded_on) AS last_day FROM {_LINES}
        WHERE fiscal_year = $1"""
    answer = ask(_LINES, sql, [year])
    first = answer["first_day"][0].as_py() if answer is not None else None
    if answer is None or first is None:
        raise UsageError(
            f"Readers are shown no journal lines of the fiscal year {year}.", "no_ledger"
        )
    last = answer["last_day"][0].as_py()
    found = []
    while first <= last:
        following = (first.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        found.append((first, following - dt.timedelta(days=1)))
        first = following
    return found


def _mapping(name: str, key: str) -> Mapping[str, Mapping[str, str]]:
    path = resource("contracts") / "gl" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def _write_opening(ask: Ask, year: int, file: BinaryIO, written: Written) -> None:
    """The balances that the years before left, as the first entry; their result as one line."""
    answer = ask(_LINES, _BALANCES, [year])
    accounts = _mapping("fec_accounts", "code")
    day = f"{year}0101"
    result = Decimal(0)
    lines = []
    for row in answer.to_pylist() if answer is not None else ():
        if row["account_class"] in ("REVENUE", "EXPENSE"):
            result += row["net"]
        elif row["account_class"] != "STATISTICAL":
            mapped = accounts[row["account_code"]]
            lines.append((mapped["compte"], mapped["libelle"], row["party_id"], row["net"]))
    if result:
        lines.append((*_RESULT, None, result))
    for account, name, party_id, net in lines:
        party = re.sub(_SEPARATORS, " ", party_id or "")
        debit, credit = (net, Decimal(0)) if net > 0 else (Decimal(0), -net)
        cells = (
            *_OPENING, "1", day, account, name, party, party, f"AN{year}", day,
            "Soldes à nouveau", _amount(debit), _amount(credit), "", "", day, "", "",
        )  # fmt: skip
        file.write(_encoded("\t".join(cells) + _END))
        written.debit += debit
        written.credit += credit
    written.entries += bool(lines)
    written.lines += len(lines)


def _encoded(text: str) -> bytes:
    """As the file has it; a character that it can't have is a question mark."""
    return text.encode(ENCODING, errors="replace")


def _amount(value: Decimal) -> str:
    return f"{value:.2f}".replace(".", ",")


def _write_lines(
    lines: pa.Table,
    accounts: Mapping[str, Mapping[str, str]],
    journals: Mapping[str, Mapping[str, str]],
    file: BinaryIO,
    written: Written,
) -> None:
    """Lines as text, a column at a time."""
    numbers = _sequence(lines["journal_entry"], written.entries)
    party = pc.fill_null(_cells(lines["party_id"]), "")
    columns = [
        *_mapped(lines["journal_source"], journals, ("code", "libelle"), "journal source"),
        pa.array(numbers).cast(pa.string()),
        _day(lines["posting_date"]),
        *_mapped(lines["account_code"], accounts, ("compte", "libelle"), "account"),
        party,
        party,
        pc.coalesce(_cells(lines["document"]), _text(lines["journal_entry"])),
        _day(lines["transaction_date"]),
        _cells(lines["description"]),
        _decimal_comma(lines["debit"]),
        _decimal_comma(lines["credit"]),
    ]
    empty = pa.array([""] * len(lines))
    columns += [empty, empty, _day(lines["recorded_on"]), empty, empty]
    whole = [c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in columns]
    joined = pc.binary_join_element_wise(*whole, "\t", null_handling="replace")
    text = _END.join(joined.to_pylist()) + _END
    file.write(_encoded(text))
    _count(written, lines, int(numbers[-1]) - written.entries)


def _count(written: Written, lines: pa.Table, entries: int) -> None:
    written.entries += entries
    written.lines += len(lines)
    written.debit += pc.sum(lines["debit"]).as_py()
    written.credit += pc.sum(lines["credit"]).as_py()


def _sequence(entries: pa.ChunkedArray, before: int) -> Any:
    """The number of each line's entry: one more wherever the entry changes."""
    names = entries.combine_chunks()
    changes = pc.not_equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)
    return before + 1 + np.concatenate(([0], np.cumsum(changes, dtype=np.int64)))


def _mapped(
    codes: pa.ChunkedArray,
    mapping: Mapping[str, Mapping[str, str]],
    fields: tuple[str, ...],
    what: str,
) -> Iterator[Any]:
    """What the mapping has for each code."""
    places = pc.index_in(_text(codes), value_set=pa.array(list(mapping)))
    if places.null_count:
        missing = codes.filter(pc.is_null(places))[0].as_py()
        raise StoreError(f"The FEC's mapping has no {what} {missing!r}.", "fec_unmapped")
    for field in fields:
        yield pa.array([row[field] for row in mapping.values()]).take(places.combine_chunks())


def _text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(pa.string())


def _cells(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(_text(values), _SEPARATORS, " ")


def _day(days: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.strftime(days.cast(pa.timestamp("s")), format="%Y%m%d")


def _decimal_comma(amounts: pa.ChunkedArray) -> pa.ChunkedArray:
    exact = amounts.cast(pa.decimal128(18, 2))
    return pc.replace_substring(exact.cast(pa.string()), ".", ",")
