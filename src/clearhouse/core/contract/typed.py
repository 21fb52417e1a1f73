"""Records to typed columns by contract: clean ones at the speed of Arrow, the rest one by one.

A payload is parsed as a whole with an explicit schema; what Arrow's reader is lenient about is
checked beside it, column-wise. Only lines in doubt (or all lines of a payload that does not parse)
go through the contract's rules one at a time, and come out accepted or with their violations.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from clearhouse.core.amounts import are_minor_of
from clearhouse.core.columnar import query
from clearhouse.core.contract.model import Contract, Field
from clearhouse.core.contract.rules import (
    MAX_NESTING,
    NumberText,
    Violation,
    decode,
    violations,
)
from clearhouse.core.errors import ContractError, MoneyError
from clearhouse.core.money import minor_from_text
from clearhouse.core.records import (
    is_utf8,
    line_bounds,
    read_records,
    split_lines,
    text_of_lines,
)

_BLOCK_BYTES = 1 << 22
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_BOM = "\ufeff".encode()
_ESCAPED_IN_JSON = re.compile(r'["\\\x00-\x1f]')


@dataclass(frozen=True)
class Rejected:
    """A record that breaks its contract, whole, with the books' reading of it."""

    line: int
    record_id: str
    record_key: str
    amount_minor: int
    currency: str
    raw: bytes
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class TypedRecords:
    """What became of a payload's records.

    Attributes:
        reading: the books' reading of every line (`records.READING_SCHEMA`).
        accepted: the contract's columns, then `extra` (JSON text of unknown fields in order of
            name, numbers as they were written; or null), `_record_id`, `_record_key` and `_line`;
            in the order of the lines.
        rejected: the others, in the order of the lines.
        unknown_fields: keys of the JSON that the contract does not name.
        unknown_values: of accepted records, values that an open enumeration does not name, as
            (field, value, number of records), in order.
    """

    reading: pa.Table
    accepted: pa.Table
    rejected: tuple[Rejected, ...]
    unknown_fields: tuple[str, ...]
    unknown_values: tuple[tuple[str, str, int], ...]


def type_records(
    payload: bytes, contract: Contract, source: str, reading: pa.Table | None = None
) -> TypedRecords:
    """Every record of an NDJSON payload, typed by its contract or rejected with reasons.

    Args:
        payload: whole lines, each ended by a newline.
        contract: what each line should keep.
        source: name of the outside system, a part of each `_record_id`.
        reading: `read_records` of the same three, where it is at hand.
    """
    if reading is None:
        reading = read_records(payload, contract, source)
    starts, ends = line_bounds(payload)
    parsed = None
    if _has_an_object_a_line(payload, starts, ends):
        parsed = _parse(payload, contract, int(np.max(ends - starts)))
    if parsed is None or len(parsed) != len(reading):
        suspects = list(range(len(reading)))
        clean = contract.arrow_schema.append(pa.field("extra", pa.string())).empty_table()
        clean_reading = reading.slice(0, 0)
        unknown: set[str] = set()
    else:
        doubt = _doubt(parsed, payload, reading, contract)
        suspects = pc.indices_nonzero(doubt).to_pylist()
        unknown = set(parsed.column_names) - set(contract.by_source_name)
        clean_reading = reading
        if suspects:
            keep = pc.invert(doubt)
            parsed, clean_reading = parsed.filter(keep), reading.filter(keep)
        clean = _columns(parsed, payload, clean_reading, contract, sorted(unknown))
    accepted = _with_spine(clean, clean_reading)
    mended, rejected, more_unknown = _one_by_one(payload, suspects, reading, contract)
    if len(mended):
        accepted = pa.concat_tables([accepted, mended]).sort_by("_line")
    return TypedRecords(
        reading,
        accepted,
        rejected,
        tuple(sorted(unknown | more_unknown)),
        tuple(_unknown_values(accepted, contract)),
    )


def _unknown_values(accepted: pa.Table, contract: Contract) -> Iterator[tuple[str, str, int]]:
    for field in contract.fields:
        if not field.known_values:
            continue
        text = pc.drop_null(pc.cast(accepted[field.name], pa.string()))
        known = pa.array(field.known_values, pa.string())
        counts = text.filter(pc.invert(pc.is_in(text, value_set=known))).value_counts().to_pylist()
        yield from sorted((field.name, each["values"], each["counts"]) for each in counts)


def _has_an_object_a_line(
    payload: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> bool:
    """Whether Arrow's reader can be asked: as many objects as lines then means one in each.

    It takes line feeds for white space, so that two objects on one line and none on another would
    go unseen; it does not check UTF-8; and deep nesting exhausts its stack, which ends the process.
    """
    if not len(starts) or not is_utf8(payload):
        return False
    if not payload.isascii() and _BOM in payload:
        return False
    content = np.frombuffer(payload, np.uint8)
    in_braces = (content[starts] == ord("{")) & (content[ends - 1] == ord("}"))
    if not in_braces.all() and not _all_in_braces_and_blanks(payload):
        return False
    braces_and_brackets = (content | 0x20) == ord("{")  # "[" | 0x20 is "{"
    if np.count_nonzero(braces_and_brackets) < len(starts) + MAX_NESTING:
        return True  # each line has one at least, so none has too many
    text = text_of_lines(payload)
    openings = pc.add(pc.count_substring(text, "{"), pc.count_substring(text, "["))
    return bool(pc.all(pc.less_equal(openings, MAX_NESTING)).as_py())


def _all_in_braces_and_blanks(payload: bytes) -> bool:
    text = pc.ascii_trim(text_of_lines(payload), " \t\r")
    return bool(pc.all(pc.and_(pc.starts_with(text, "{"), pc.ends_with(text, "}"))).as_py())


def _parse(payload: bytes, contract: Contract, longest_line: int) -> pa.Table | None:
    """The payload as columns under the source's names, or None where Arrow refuses it."""
    options = pj.ParseOptions(
        explicit_schema=contract.json_schema, unexpected_field_behavior="infer"
    )
    try:
        return pj.read_json(
            pa.BufferReader(payload),
            read_options=pj.ReadOptions(block_size=max(_BLOCK_BYTES, longest_line + 1)),
            parse_options=options,
        )
    except pa.ArrowInvalid:
        return None


def _doubt(
    parsed: pa.Table, payload: bytes, reading: pa.Table, contract: Contract
) -> pa.ChunkedArray:
    """True for each row that breaks a rule, or that the books read otherwise than Arrow."""
    doubt = pc.invert(reading["forms_kept"])
    for field in contract.fields:
        column = parsed[field.source_name]
        for broken in _broken(field, column):
            doubt = pc.or_(doubt, pc.fill_null(broken, False))
        if field.required and column.null_count:
            doubt = pc.or_(doubt, pc.is_null(column))
    for column in parsed.columns:
        if pa.types.is_floating(column.type):  # Arrow takes NaN and Infinity, JSON has neither
            doubt = pc.or_(doubt, pc.fill_null(pc.invert(pc.is_finite(column)), False))
        if pa.types.is_nested(column.type):  # a name inside it could pass for the record's own
            doubt = pc.or_(doubt, pc.is_valid(column))
    if parsed.num_columns > len(contract.fields) and b"\\" in payload:  # an escaped name could, too
        doubt = pc.or_(doubt, pc.match_substring(text_of_lines(payload), "\\"))
    return pc.or_(doubt, _misread(parsed, reading, contract))


def _broken(field: Field, column: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    checks = []
    if field.enum:
        values = pa.array(field.enum, pa.string()).cast(field.arrow_type)
        checks.append(pc.and_(pc.invert(pc.is_in(column, value_set=values)), pc.is_valid(column)))
    if field.pattern:
        checks.append(pc.invert(pc.match_substring_regex(column, field.pattern)))
    if field.minimum is not None:
        checks.append(pc.less(column, pa.scalar(field.minimum)))
    if field.maximum is not None:
        checks.append(pc.greater(column, pa.scalar(field.maximum)))
    return checks


def _misread(parsed: pa.Table, reading: pa.Table, contract: Contract) -> pa.ChunkedArray:
    """True where the parsed key, amount or currency is not what the books read in the text."""
    parts = [
        pc.cast(pc.cast(parsed[f.source_name], pa.date32()), pa.string())
        if f.physical_type in ("timestamp", "date")
        else parsed[f.source_name]
        for f in contract.key
    ]
    amount, code = (parsed[f.source_name] for f in (contract.amount, contract.currency))
    alike = pc.and_(
        pc.equal(reading["_record_key"], pc.binary_join_element_wise(*parts, "|")),
        pc.and_(
            pc.equal(reading["currency"], code),
            are_minor_of(reading["amount_minor"], amount, code),
        ),
    )
    return pc.fill_null(pc.invert(alike), True)


def _columns(
    parsed: pa.Table, payload: bytes, reading: pa.Table, contract: Contract, unknown: Sequence[str]
) -> pa.Table:
    """The contract's columns under our names, with `extra` from the unknown ones."""
    plain = [name for name in unknown if not _ESCAPED_IN_JSON.search(name)]
    extra = pa.nulls(len(parsed), pa.string())
    if plain and len(parsed):
        text = text_of_lines(payload).take(pc.subtract(reading["line"], 1))
        extra = query(_extra_sql(plain), lines=pa.table({"text": text}))["extra"]
    return _known_columns(parsed, contract).append_column("extra", extra)


def _known_columns(parsed: pa.Table, contract: Contract) -> pa.Table:
    table = parsed.select([f.source_name for f in contract.fields])
    return table.rename_columns([f.name for f in contract.fields]).cast(contract.arrow_schema)


_VALUE = r'("[^"]*"|[^"\s,{}\[\]]+)'


def _extra_sql(names: Sequence[str]) -> str:
    """SQL for the unknown fields of records without nesting and escapes, as they were written.

    (A JSON function would read 1.10 as a double.)
    """
    members = []
    for name in names:
        found = _sql_text(f'"{re.escape(name)}"\\s*:\\s*{_VALUE}')
        start = _sql_text(f'"{name}":')
        members.append(f"{start} || nullif(regexp_extract(text, {found}, 1), '')")
    return f"""
        SELECT CASE WHEN members <> '' THEN '{{' || members || '}}' END AS extra
        FROM (SELECT concat_ws(',', {", ".join(members)}) AS members FROM lines)"""


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _with_spine(columns: pa.Table, reading: pa.Table) -> pa.Table:
    for name in ("_record_id", "_record_key"):
        columns = columns.append_column(name, reading[name])
    return columns.append_column("_line", reading["line"])


def _one_by_one(
    payload: bytes, suspects: Sequence[int], reading: pa.Table, contract: Contract
) -> tuple[pa.Table, tuple[Rejected, ...], set[str]]:
    """Lines in doubt: those that keep the contract as columns, the others with their reasons."""
    lines = split_lines(payload) if suspects else []
    spine = reading.take(pa.array(suspects, pa.int64())).to_pylist()
    good: list[dict[str, Any]] = []
    good_at: list[int] = []
    rejected: list[Rejected] = []
    for index, read in zip(suspects, spine, strict=True):
        broken = violations(lines[index], contract)
        record = {} if broken else decode(lines[index])
        if not broken and not _read_alike(record, read, contract):
            broken = [_AMBIGUOUS]
        if broken:
            rejected.append(_rejected(read, lines[index], broken))
        else:
            good.append(record)
            good_at.append(index)
    table, unknown = _retyped(good, contract)
    return _with_spine(table, reading.take(pa.array(good_at, pa.int64()))), tuple(rejected), unknown


_AMBIGUOUS = Violation(
    "", "ambiguous", "The books and a JSON reader find different keys or amounts in the text."
)


def _read_alike(record: dict[str, Any], read: dict[str, Any], contract: Contract) -> bool:
    parts = [
        str(record[f.source_name])[:10] if f.physical_type == "timestamp" else record[f.source_name]
        for f in contract.key
    ]
    currency = record[contract.currency.source_name]
    try:
        minor = minor_from_text(str(record[contract.amount.source_name]), currency)
    except MoneyError:
        return False
    as_read = (read["_record_key"], read["currency"], read["amount_minor"])
    return as_read == ("|".join(parts), currency, minor)


def _rejected(read: dict[str, Any], raw: bytes, broken: Sequence[Violation]) -> Rejected:
    return Rejected(
        line=read["line"],
        record_id=read["_record_id"],
        record_key=read["_record_key"],
        amount_minor=read["amount_minor"],
        currency=read["currency"],
        raw=raw,
        violations=tuple(broken),
    )


def _retyped(records: Sequence[dict[str, Any]], contract: Contract) -> tuple[pa.Table, set[str]]:
    """Records that keep the contract, as columns: the known fields by Arrow's reader once more."""
    known = contract.by_source_name
    extras = [{k: r[k] for k in sorted(r) if k not in known} for r in records]
    lines = [_json({k: r[k] for k in known if k in r}).encode() + b"\n" for r in records]
    parsed: pa.Table | None = contract.json_schema.empty_table()
    if lines:
        parsed = _parse(b"".join(lines), contract, max(map(len, lines)))
    if parsed is None or len(parsed) != len(records):
        raise ContractError(
            f"The rules of {contract.id} accept a record that its columns can't hold; "
            "please report this with the day it happened on."
        )
    extra = pa.array([_json(e) if e else None for e in extras], pa.string())
    return _known_columns(parsed, contract).append_column("extra", extra), {
        k for e in extras for k in e
    }


def _json(value: Any) -> str:
    """JSON text with every number as it was written."""
    if isinstance(value, NumberText):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(k)}:{_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return _ENCODER.encode(value)
