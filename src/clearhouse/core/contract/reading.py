"""How the books read a landed row, and the `_record_id` it gets.

The reading is defined on the text of the row's line (the row itself in NDJSON; see `contract.rows`
for other formats), by regular expressions and before any parsing, so that every row has one, the
broken ones too, and so that a person can repeat it with other tools:

- `_record_key`: the key fields' values joined by `|`; of a timestamp, the date as it is written; of
  a whole number, its digits; a part that can't be read is empty. Where a source can rightly repeat
  a line (`Contract.repeats`), it ends with `|<n>`: the row is the nth with this key in its payload,
  or among the rows that follow each other there with the same text of a field (`together`);
- `_record_id`: md5 hex of `<source>|<_record_key>|<the row's own bytes>`;
- `amount_minor`, `currency`: the amount in minor units, or 0 of XXX where the text is not money.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.columnar import DIALECT, query
from clearhouse.core.contract.amounts import amounts_of_texts, minor_of_text
from clearhouse.core.contract.fields import Field
from clearhouse.core.contract.forms import DATE, INTEGER, is_quoted, text_form
from clearhouse.core.contract.lines import is_utf8, split_lines, views_of_lines
from clearhouse.core.contract.model import Contract, PayloadFormat
from clearhouse.core.contract.rows import Rows, landed_rows
from clearhouse.core.errors import MoneyError
from clearhouse.core.money import NO_CURRENCY, WHOLE_PATTERN, text_pattern
from clearhouse.core.record_id import record_id

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
_END = f"{_GAP}[,}}]"
_MOST_PLACES = 4


def key_pattern(field: Field) -> str:
    """The regular expression whose first group is the field's part of the natural key."""
    if field.physical_type == "bigint":
        return _member(field, f'"({INTEGER})"' if field.is_text else f"({INTEGER}){_END}")
    return _member(field, f'"({DATE})T' if field.physical_type == "timestamp" else r'"([^"\\]*)"')


def together_pattern(field: Field) -> str:
    """The regular expression whose first group is the text that repeated lines share."""
    return _member(field, r'"([^"\\]*)"')


def amount_pattern(field: Field) -> str:
    """The regular expression whose first group is an amount's text."""
    number = f"({WHOLE_PATTERN if field.is_minor else text_pattern(_MOST_PLACES)})"
    return _member(field, (f'"{number}"' if field.is_text else number) + _END)


def currency_pattern(field: Field) -> str:
    """The regular expression whose first group is a currency code."""
    return _member(field, '"([A-Z]{3})"')


def form_pattern(field: Field) -> str | None:
    """The textual form that Arrow's reader does not hold a field to, if there is one.

    It takes "1.10", 1e2 and 1.100 for a decimal, dates and offsets for a timestamp, the year 0, and
    0x1F for a whole number in a text.
    """
    form = text_form(field)
    if form is None:
        return None
    null = "" if field.required else "|null"
    return _member(
        field, f'(?:"{form}"{null}){_END}' if is_quoted(field) else f"(?:{form}{null}){_END}"
    )


def _member(field: Field, value: str) -> str:
    """The regular expression of a member of the record's JSON object."""
    return f'"{re.escape(field.source_name)}"{_GAP}:{_GAP}{value}'


def row_texts(payload: bytes, contract: Contract, kind: PayloadFormat | None = None) -> list[bytes]:
    """Each row's own bytes, as quarantine keeps them: row `line` of a reading is at `line - 1`."""
    return own_bytes(landed_rows(payload, contract, kind))


def own_bytes(rows: Rows) -> list[bytes]:
    """Each row's own bytes."""
    return split_lines(rows.lines) if rows.own is None else list(rows.own)


def read_records(
    payload: bytes, contract: Contract, source: str, kind: PayloadFormat | None = None
) -> pa.Table:
    """The books' reading of each row of a landed payload, as `READING_SCHEMA`.

    `line` is the row's ordinal. `forms_kept` is false where a field is not written in its one form
    (such a row may still be read as something by a JSON reader).

    Args:
        payload: what has landed.
        contract: names the fields that are read.
        source: name of the outside system, a part of each `_record_id`.
        kind: the payload's format, where it is another than the contract's.
    """
    return read_payloads([payload], contract, source, kind)[0]


def read_payloads(
    payloads: Sequence[bytes],
    contract: Contract,
    source: str,
    kind: PayloadFormat | None = None,
) -> list[pa.Table]:
    """The same of several payloads of one source and format, in one query.

    A query of so many expressions takes longer to begin than to read a thousand rows.
    """
    contract = contract.of(source)
    return _read_many([landed_rows(p, contract, kind) for p in payloads], contract, source)


def _read_many(payloads: Sequence[Rows], contract: Contract, source: str) -> list[pa.Table]:
    found = [READING_SCHEMA.empty_table() for _ in payloads]
    texts: dict[int, pa.Table] = {}
    for n, rows in enumerate(payloads):
        if rows.lines and is_utf8(rows.lines) and all(map(is_utf8, rows.own or ())):
            texts[n] = _texts(rows, n)
        elif rows.lines:
            found[n] = _read_one_by_one(rows, contract, source)
    if texts:
        read = _read(pa.concat_tables(texts.values()), contract, source)
        at = 0
        for n, lines in texts.items():
            found[n] = read.slice(at, len(lines))
            at += len(lines)
    return found


def _texts(rows: Rows, payload: int) -> pa.Table:
    """The rows of a payload: its ordinal, the row's, the line and the row's own text."""
    text = views_of_lines(rows.lines)
    own = text
    if rows.own is not None:
        own = pa.array(rows.own, pa.binary()).view(pa.string()).cast(text.type)
    ordinals = pa.repeat(pa.scalar(payload, pa.int32()), len(text))
    lines = pa.array(np.arange(1, len(text) + 1, dtype=np.int32))
    return pa.table({"payload": ordinals, "line": lines, "text": text, "own": own})


def _read(lines: pa.Table, contract: Contract, source: str) -> pa.Table:
    answer = query(_reading_sql(contract), [source], lines=lines)
    minor, currency = amounts_of_texts(answer["number"], answer["code"], contract)
    answer = answer.append_column("amount_minor", minor).append_column("currency", currency)
    return answer.select(READING_SCHEMA.names).cast(READING_SCHEMA)


@cache
def _reading_sql(contract: Contract) -> str:
    key = " || '|' || ".join(map(_key_part, contract.key))
    forms_kept = " AND ".join(_form_sql(f) for f in contract.sent if form_pattern(f)) or "true"
    constant = contract.currency.constant
    code = (
        _extract(currency_pattern(contract.currency))
        if constant is None
        else DIALECT.text(constant)
    )
    read = f"""
            SELECT payload, line, text, own, {key} AS _record_key, {forms_kept} AS forms_kept,
                {_extract(amount_pattern(contract.amount))} AS number, {code} AS code
            FROM lines"""
    if contract.repeats:
        read = _numbered_sql(read, contract.together)
    return f"""
        SELECT line, md5($1 || '|' || _record_key || '|' || own) AS _record_id, _record_key,
            number, code, forms_kept
        FROM ({read})"""


def _numbered_sql(read: str, together: Field | None) -> str:
    """SQL of rows in order of payload and `line`, their keys with the ordinal."""
    block = ""
    if together is not None:
        shared = _extract(together_pattern(together))
        in_order = "OVER (PARTITION BY payload ORDER BY line)"
        begins = f"({shared} IS DISTINCT FROM lag({shared}) {in_order})::INTEGER"
        read = f"SELECT *, {begins} AS begins FROM ({read})"
        read = f"SELECT *, sum(begins) {in_order} AS block FROM ({read})"
        block = ", block"
    nth = f"row_number() OVER (PARTITION BY payload, _record_key{block} ORDER BY line)"
    return f"""
            SELECT * REPLACE (_record_key || '|' || {nth} AS _record_key)
            FROM ({read}) ORDER BY payload, line"""


def _key_part(field: Field) -> str:
    """SQL of a field's part of the natural key."""
    return DIALECT.text(field.constant) if field.constant else _extract(key_pattern(field))


def _form_sql(field: Field) -> str:
    kept = f"regexp_matches(text, {DIALECT.text(form_pattern(field) or '')})"
    if field.required:
        return kept
    named = DIALECT.text(f'"{field.source_name}"')
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
    return f"regexp_extract(text, {DIALECT.text(pattern)}, 1)"


def _first(pattern: str, line: bytes) -> str:
    match = re.search(pattern.encode(), line)
    return match.group(1).decode("utf-8", "replace") if match else ""


def _read_one_by_one(rows: Rows, contract: Contract, source: str) -> pa.Table:
    """The same reading for rows that are not UTF-8 throughout."""
    lines = zip(split_lines(rows.lines), own_bytes(rows), strict=True)
    seen: Counter[str] = Counter()
    read: list[dict[str, Any]] = []
    shared: str | None = None
    for number, (line, own) in enumerate(lines, start=1):
        if contract.together is not None:
            before, shared = shared, _first(together_pattern(contract.together), line)
            if shared != before:
                seen.clear()
        key = key_of(line, contract)
        seen[key] += 1
        read.append({"line": number, **read_line(line, contract, source, own, nth=seen[key])})
    return pa.Table.from_pylist(read, READING_SCHEMA)


def key_of(line: bytes, contract: Contract) -> str:
    """The values of a row's key fields, joined: its `_record_key` but for the ordinal."""
    return "|".join(f.constant or _first(key_pattern(f), line) for f in contract.key)


def without_ordinal(keys: pa.ChunkedArray, contract: Contract) -> pa.ChunkedArray:
    """What `Contract.without_ordinal` says of each `_record_key`."""
    if not contract.repeats:
        return keys
    return pc.replace_substring_regex(keys, r"\|[0-9]+\z", "")


def read_line(
    line: bytes, contract: Contract, source: str, own: bytes | None = None, *, nth: int = 1
) -> Mapping[str, Any]:
    """The reading of one row: the definition that `read_payloads` keeps to column-wise.

    Args:
        line: the row's line.
        contract: names the fields that are read, as the source does.
        source: name of the outside system.
        own: the row's own bytes, where they are not the line.
        nth: which row of its key it is, from 1, where the contract counts them.
    """
    key = key_of(line, contract)
    if contract.repeats:
        key = f"{key}|{nth}"
    currency = contract.currency.constant or _first(currency_pattern(contract.currency), line)
    try:
        minor = minor_of_text(_first(amount_pattern(contract.amount), line), currency, contract)
    except MoneyError:
        minor, currency = 0, NO_CURRENCY
    return {
        "_record_id": record_id(source, key, line if own is None else own),
        "_record_key": key,
        "amount_minor": minor,
        "currency": currency,
        "forms_kept": all(_form_kept(f, line) for f in contract.sent if form_pattern(f)),
    }
