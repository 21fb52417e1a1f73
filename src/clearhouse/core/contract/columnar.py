"""Lines of NDJSON as columns, and which of them the rules have to judge one by one.

Arrow's reader parses a payload as a whole by an explicit schema. What it is lenient about is
checked beside it, column-wise.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from clearhouse.core.contract.amounts import amounts_of_columns
from clearhouse.core.contract.fields import Field
from clearhouse.core.contract.lines import is_utf8, line_bounds, text_of_lines
from clearhouse.core.contract.model import Contract
from clearhouse.core.contract.reading import without_ordinal
from clearhouse.core.contract.rules import MAX_NESTING

_BLOCK_BYTES = 1 << 22
_DATE_CHARACTERS = 10
_DEEPER = np.zeros(256, np.int64)
"""By how much each byte changes the depth."""
_DEEPER[[ord("{"), ord("[")]] = 1
_DEEPER[[ord("}"), ord("]")]] = -1


@dataclass(frozen=True)
class Columns:
    """A payload's known fields.

    Attributes:
        typed: the fields that the source sends, under its names, each of its column's type.
        parsed: the same as Arrow read them: text where `Field.json_type` is.
        has_unknown: whether any line has other fields.
    """

    typed: pa.Table
    parsed: pa.Table
    has_unknown: bool


def columns_of(lines: bytes, contract: Contract) -> Columns | None:
    """The columns, a row a line; None where Arrow can't be asked or refuses the payload."""
    starts, ends = line_bounds(lines)
    if not _has_an_object_a_line(lines, starts, ends):
        return None
    longest = int(np.max(ends - starts))
    has_unknown = False
    parsed = _parse(lines, contract, longest, "error")
    if parsed is None:
        parsed, has_unknown = _parse(lines, contract, longest, "ignore"), True
    if parsed is None or len(parsed) != len(starts):
        return None
    typed = _typed(parsed, contract)
    return None if typed is None else Columns(typed, parsed, has_unknown)


def under_our_names(typed: pa.Table, contract: Contract) -> pa.Table:
    """The columns of the dataset: fields under our names, constants, and null if not sent."""
    columns = [_column(f, typed) for f in contract.fields]
    return pa.table(columns, contract.arrow_schema.names).cast(contract.arrow_schema)


def _column(field: Field, typed: pa.Table) -> pa.ChunkedArray | pa.Array:
    if field.constant is not None:
        return pa.repeat(field.constant, len(typed))
    return typed[field.source_name] if field.source_name else pa.nulls(len(typed), field.arrow_type)


def doubtful(columns: Columns, reading: pa.Table, contract: Contract) -> pa.ChunkedArray:
    """True for each row that breaks a rule, or that the books read otherwise than Arrow."""
    doubt = pc.invert(reading["forms_kept"])
    for field in contract.sent:
        column = columns.typed[field.source_name]
        for broken in _broken(field, column):
            doubt = pc.or_(doubt, pc.fill_null(broken, False))
        if field.required and column.null_count:
            doubt = pc.or_(doubt, pc.is_null(column))
    return pc.or_(doubt, _misread(columns, reading, contract))


def _has_an_object_a_line(
    lines: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> bool:
    """Whether Arrow's reader can be asked: as many objects as lines then means one in each.

    It takes line feeds for white space, so that two objects on one line and none on another would
    go unseen; it does not check UTF-8; and deep nesting exhausts its stack, which ends the process.
    """
    if not len(starts) or not is_utf8(lines):
        return False
    content = np.frombuffer(lines, np.uint8)
    in_braces = (content[starts] == ord("{")) & (content[ends - 1] == ord("}"))
    if not in_braces.all() and not _all_in_braces_and_blanks(lines):
        return False
    braces_and_brackets = (content | 0x20) == ord("{")  # "[" | 0x20 is "{"
    if np.count_nonzero(braces_and_brackets) < len(starts) + MAX_NESTING:
        return True  # each line has one at least, so none has too many
    text = text_of_lines(lines)
    openings = pc.add(pc.count_substring(text, "{"), pc.count_substring(text, "["))
    many = text.filter(pc.greater(openings, MAX_NESTING))
    return all(map(_is_shallow, many.to_pylist()))


def _all_in_braces_and_blanks(lines: bytes) -> bool:
    text = pc.ascii_trim(text_of_lines(lines), " \t\r")
    return bool(pc.all(pc.and_(pc.starts_with(text, "{"), pc.ends_with(text, "}"))).as_py())


def _is_shallow(line: str) -> bool:
    """Whether a line nests no deeper than may be: so in JSON, and so as far as a reader gets in it.

    Braces within strings don't count: a byte is within one where an odd number of quotes stands
    before it, escaped ones not counted.
    """
    plain = line.encode().replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
    content = np.frombuffer(plain, np.uint8)
    is_in_string = np.cumsum(content == ord('"')) & 1
    depth = np.cumsum(np.where(is_in_string, 0, _DEEPER[content]))
    return bool(depth.max() <= MAX_NESTING)


def _parse(lines: bytes, contract: Contract, longest: int, unexpected: str) -> pa.Table | None:
    """The known fields under the source's names, or None where Arrow refuses the payload."""
    try:
        return pj.read_json(
            pa.BufferReader(lines),
            read_options=pj.ReadOptions(block_size=max(_BLOCK_BYTES, longest + 1)),
            parse_options=pj.ParseOptions(
                explicit_schema=contract.json_schema, unexpected_field_behavior=unexpected
            ),
        )
    except pa.ArrowInvalid:
        return None


def _typed(parsed: pa.Table, contract: Contract) -> pa.Table | None:
    """The columns with those that were read as text cast, or None where one can't be.

    A cast takes more than the form of a field; such a row is in doubt by `forms_kept`.
    """
    for index, field in enumerate(contract.sent):
        if field.json_type == pa.string() != field.arrow_type:
            try:
                column = pc.cast(parsed[field.source_name], field.arrow_type)
            except pa.ArrowInvalid:
                return None
            parsed = parsed.set_column(index, field.source_name, column)
    return parsed


def _broken(field: Field, column: pa.ChunkedArray) -> list[pa.ChunkedArray]:
    checks = []
    if field.enum:
        values = pa.array(field.enum, pa.string()).cast(field.arrow_type)
        checks.append(pc.and_(pc.invert(pc.is_in(column, value_set=values)), pc.is_valid(column)))
    if field.most_characters is not None:
        checks.append(pc.greater(pc.utf8_length(column), field.most_characters))
    if field.pattern:
        checks.append(pc.invert(pc.match_substring_regex(column, field.pattern)))
    if field.minimum is not None:
        checks.append(pc.less(column, _bound(field, field.minimum)))
    if field.maximum is not None:
        checks.append(pc.greater(column, _bound(field, field.maximum)))
    if pa.types.is_floating(column.type):  # Arrow takes NaN and Infinity, JSON has neither
        checks.append(pc.invert(pc.is_finite(column)))
    return checks


@cache
def _bound(field: Field, bound: float) -> pa.Scalar:
    return (
        pa.scalar(float(bound))
        if field.physical_type == "double"
        else pa.scalar(Decimal(str(bound)))
    )


def _misread(columns: Columns, reading: pa.Table, contract: Contract) -> pa.ChunkedArray:
    """True where the parsed key, amount or currency is not what the books read in the text."""
    parts = (pa.scalar(f.constant) if f.constant else _key_part(f, columns) for f in contract.key)
    key = pc.binary_join_element_wise(*parts, "|")
    minor, currency = amounts_of_columns(columns.typed, reading["currency"], contract)
    alike = pc.and_(
        pc.equal(without_ordinal(reading["_record_key"], contract), key),
        pc.equal(reading["amount_minor"], minor),
    )
    alike = pc.and_(alike, pc.equal(reading["currency"], currency))
    return pc.fill_null(pc.invert(alike), True)


def _key_part(field: Field, columns: Columns) -> pa.ChunkedArray:
    """A field's part of the key, as `key_pattern` finds it in the text."""
    if field.has_offset:
        return pc.utf8_slice_codeunits(columns.parsed[field.source_name], 0, _DATE_CHARACTERS)
    column = columns.typed[field.source_name]
    if field.physical_type in ("timestamp", "date"):
        return pc.cast(pc.cast(column, pa.date32()), pa.string())
    return pc.cast(column, pa.string())
