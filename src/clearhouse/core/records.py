"""How the books read a landed line, and the `_record_id` it gets.

The reading is defined on the line's text, by regular expressions and before any parsing, so that
every line has one, the broken ones too, and so that a person can repeat it with other tools:

- `_record_key`: the key fields' values joined by `|`; of a timestamp, the date; a part that can't
  be read is empty;
- `_record_id`: md5 hex of `<source>|<_record_key>|<the line's bytes>`;
- `amount_minor`, `currency`: the amount in minor units, or 0 of XXX where the text is not money.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.amounts import minor_of_texts
from clearhouse.core.columnar import query
from clearhouse.core.contract.model import Contract, Field
from clearhouse.core.errors import MoneyError
from clearhouse.core.money import NO_CURRENCY, minor_from_text, text_pattern

READING_SCHEMA = pa.schema(
    [
        ("line", pa.int32()),
        ("_record_id", pa.string()),
        ("_record_key", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("forms_kept", pa.bool_()),
    ]
)

_GAP = "[ \t]*"
_MOST_PLACES = 4
_DATE = "[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
_MOMENTS = {
    "timestamp": _DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?",
    "date": _DATE,
}


def key_pattern(field: Field) -> str:
    """The regular expression whose first group is the field's part of the natural key."""
    value = f"({_DATE})T" if field.physical_type == "timestamp" else r'([^"\\]*)"'
    return f'"{re.escape(field.source_name)}"{_GAP}:{_GAP}"{value}'


def amount_pattern(field: Field) -> str:
    """The regular expression whose first group is an amount's text."""
    number = text_pattern(_MOST_PLACES).replace(r"\d", "[0-9]")
    return f'"{re.escape(field.source_name)}"{_GAP}:{_GAP}({number}){_GAP}[,}}]'


def currency_pattern(field: Field) -> str:
    """The regular expression whose first group is a currency code."""
    return f'"{re.escape(field.source_name)}"{_GAP}:{_GAP}"([A-Z]{{3}})"'


def form_pattern(field: Field) -> str | None:
    """The textual form that Arrow's JSON reader does not hold a field to, if there is one.

    It takes "1.10", 1e2 and 1.100 for a decimal, dates and offsets for a timestamp, and the year 0.
    """
    start = f'"{re.escape(field.source_name)}"{_GAP}:{_GAP}'
    null = "" if field.required else "|null"
    if field.places is not None:
        number = text_pattern(field.places).replace(r"\d", "[0-9]")
        return f"{start}(?:{number}{null}){_GAP}[,}}]"
    if field.physical_type in _MOMENTS:
        return f'{start}(?:"{_MOMENTS[field.physical_type]}"{null}){_GAP}[,}}]'
    return None


def split_lines(payload: bytes) -> list[bytes]:
    """The lines of an NDJSON payload without their line feeds."""
    lines = payload.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def line_bounds(payload: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each line begins and where it ends without its line feed, in bytes."""
    ends = np.flatnonzero(np.frombuffer(payload, np.uint8) == ord("\n"))
    if payload and not payload.endswith(b"\n"):
        ends = np.append(ends, len(payload))
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    return starts, ends


def read_records(payload: bytes, contract: Contract, source: str) -> pa.Table:
    """The books' reading of each line of a landed NDJSON payload, as `READING_SCHEMA`.

    `forms_kept` is false where a money field or timestamp is not written in its one form (such a
    line may still be read as something by a JSON reader).
    """
    if not payload:
        return READING_SCHEMA.empty_table()
    if not is_utf8(payload):
        return _read_one_by_one(payload, contract, source)
    lines = pa.table({"text": text_of_lines(payload)})
    answer = query(_reading_sql(contract), [source], lines=lines)
    minor, currency = minor_of_texts(answer["number"], answer["code"])
    answer = answer.append_column("amount_minor", minor).append_column("currency", currency)
    return answer.select(READING_SCHEMA.names).cast(READING_SCHEMA)


def text_of_lines(payload: bytes) -> pa.Array:
    """The lines, as text, of a payload that is UTF-8."""
    whole = pa.array([payload.removesuffix(b"\n")], pa.binary()).view(pa.string())
    return pc.split_pattern(whole, "\n").flatten()


def is_utf8(payload: bytes) -> bool:
    """Whether all of a payload is UTF-8."""
    if payload.isascii():
        return True
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@cache
def _reading_sql(contract: Contract) -> str:
    key = " || '|' || ".join(_extract(key_pattern(f)) for f in contract.key)
    forms_kept = " AND ".join(_form_sql(f) for f in contract.fields if form_pattern(f)) or "true"
    return f"""
        SELECT (row_number() OVER ())::INTEGER AS line,
            md5($1 || '|' || _record_key || '|' || text) AS _record_id, _record_key,
            number, code, forms_kept
        FROM (
            SELECT text, {key} AS _record_key, {forms_kept} AS forms_kept,
                {_extract(amount_pattern(contract.amount))} AS number,
                {_extract(currency_pattern(contract.currency))} AS code
            FROM lines
        )"""


def _form_sql(field: Field) -> str:
    kept = f"regexp_matches(text, {_quote(form_pattern(field) or '')})"
    if field.required:
        return kept
    named = _quote(f'"{field.source_name}"')
    return f"({kept} OR NOT contains(text, {named}) AND NOT contains(text, '\\'))"


def _form_kept(field: Field, line: bytes) -> bool:
    """Whether a field stands in the line in its form; one that need not be there may be absent.

    A name could be written with escapes: of a line with a backslash nothing is said to be absent.
    """
    if re.search((form_pattern(field) or "").encode(), line):
        return True
    named = f'"{field.source_name}"'.encode()
    return not field.required and named not in line and b"\\" not in line


def _extract(pattern: str) -> str:
    return f"regexp_extract(text, {_quote(pattern)}, 1)"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _read_one_by_one(payload: bytes, contract: Contract, source: str) -> pa.Table:
    """The same reading for a payload that is not UTF-8 throughout."""
    rows = [
        {"line": number, **read_line(line, contract, source)}
        for number, line in enumerate(split_lines(payload), start=1)
    ]
    return pa.Table.from_pylist(rows, READING_SCHEMA)


def read_line(line: bytes, contract: Contract, source: str) -> Mapping[str, Any]:
    """The reading of one line: the definition that `read_records` keeps to column-wise."""

    def first(pattern: str) -> str:
        match = re.search(pattern.encode(), line)
        return match.group(1).decode("utf-8", "replace") if match else ""

    key = "|".join(first(key_pattern(f)) for f in contract.key)
    currency = first(currency_pattern(contract.currency))
    try:
        minor = minor_from_text(first(amount_pattern(contract.amount)), currency)
    except MoneyError:
        minor, currency = 0, NO_CURRENCY
    return {
        "_record_id": hashlib.md5(
            f"{source}|{key}|".encode() + line, usedforsecurity=False
        ).hexdigest(),
        "_record_key": key,
        "amount_minor": minor,
        "currency": currency,
        "forms_kept": all(_form_kept(f, line) for f in contract.fields if form_pattern(f)),
    }
