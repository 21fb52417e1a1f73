"""Rows to typed columns by contract: clean ones at the speed of Arrow, the rest one by one.

`columnar` parses payloads as a whole and says which rows are in doubt; `unknown` keeps the fields
that the contract does not name; `one_by_one` judges what is in doubt by the contract's rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.contract.columnar import Columns, columns_of, doubtful, under_our_names
from clearhouse.core.contract.lines import text_of_lines
from clearhouse.core.contract.model import Contract, PayloadFormat
from clearhouse.core.contract.one_by_one import Rejected, judge
from clearhouse.core.contract.reading import read_records
from clearhouse.core.contract.rows import Rows, landed_rows
from clearhouse.core.contract.unknown import unknown_fields

_NULL_CHARACTER = r"\u0000"
"""U+0000 as JSON writes it, in the one way that there is."""


@dataclass(frozen=True)
class TypedRecords:
    """What became of a payload's rows.

    Attributes:
        reading: the books' reading of every row (`reading.READING_SCHEMA`).
        accepted: the contract's columns, then `extra` (JSON text of unknown fields in order of
            name, numbers as they were written; or null), `_record_id`, `_record_key` and `_line`;
            in the order of the rows.
        rejected: the others, in the order of the rows.
        unknown_values: of accepted records, values that an open enumeration does not name, as
            (field, value, number of records), in order.
    """

    reading: pa.Table
    accepted: pa.Table
    rejected: tuple[Rejected, ...]
    unknown_values: tuple[tuple[str, str, int], ...]


def type_records(
    payload: bytes,
    contract: Contract,
    source: str,
    reading: pa.Table | None = None,
    kind: PayloadFormat | None = None,
) -> TypedRecords:
    """Every row of a landed payload, typed by its contract or rejected with reasons.

    Args:
        payload: what has landed.
        contract: what each row should keep.
        source: name of the outside system, a part of each `_record_id`.
        reading: `read_records` of the same, where it is at hand.
        kind: the payload's format, where it is another than the contract's.
    """
    if reading is None:
        reading = read_records(payload, contract, source, kind)
    return type_payloads([payload], [reading], contract, source, kind)[0]


def type_payloads(
    payloads: Sequence[bytes],
    readings: Sequence[pa.Table],
    contract: Contract,
    source: str,
    kind: PayloadFormat | None = None,
) -> list[TypedRecords]:
    """The same of several payloads of one source and format, whose readings are at hand.

    Their rows are parsed and checked together: for some hundreds of rows, to begin takes longer.
    """
    contract = contract.of(source)
    rows = [landed_rows(payload, contract, kind) for payload in payloads]
    return list(_typed(rows, readings, contract))


def _typed(
    payloads: Sequence[Rows], readings: Sequence[pa.Table], contract: Contract
) -> Iterator[TypedRecords]:
    together = pa.concat_tables(readings)
    lines = _whole_lines(payloads)
    columns = columns_of(lines, contract)
    if columns is None and len(payloads) > 1:  # one of them may be why
        for rows, reading in zip(payloads, readings, strict=True):
            yield from _typed([rows], [reading], contract)
        return
    clean, doubt = _clean(lines, columns, together, contract)
    accepted = _with_spine(clean, together.filter(pc.invert(doubt)))
    at = of_clean = 0
    for rows, reading in zip(payloads, readings, strict=True):
        in_doubt = pc.indices_nonzero(doubt.slice(at, len(reading))).to_pylist()
        clean_rows = accepted.slice(of_clean, len(reading) - len(in_doubt))
        at, of_clean = at + len(reading), of_clean + len(clean_rows)
        yield _with_judged(rows, in_doubt, reading, clean_rows, contract)


def _with_judged(
    rows: Rows, in_doubt: Sequence[int], reading: pa.Table, clean: pa.Table, contract: Contract
) -> TypedRecords:
    """A payload's rows that are beyond doubt, and what becomes of the others."""
    judged = judge(rows, in_doubt, reading, contract)
    if len(judged.accepted):
        late = _with_spine(judged.accepted, reading.take(pa.array(judged.indices, pa.int64())))
        clean = pa.concat_tables([clean, late]).sort_by("_line")
    return TypedRecords(reading, clean, judged.rejected, tuple(_unknown_values(clean, contract)))


def _whole_lines(payloads: Sequence[Rows]) -> bytes:
    """The lines of payloads, each ended but for the last."""
    ended = (rows.lines.removesuffix(b"\n") for rows in payloads if rows.lines)
    return payloads[0].lines if len(payloads) == 1 else b"\n".join(ended)


def _unknown_values(accepted: pa.Table, contract: Contract) -> Iterator[tuple[str, str, int]]:
    for field in contract.fields:
        if not field.known_values:
            continue
        text = pc.drop_null(pc.cast(accepted[field.name], pa.string()))
        known = pa.array(field.known_values, pa.string())
        counts = text.filter(pc.invert(pc.is_in(text, value_set=known))).value_counts().to_pylist()
        yield from sorted((field.name, each["values"], each["counts"]) for each in counts)


def _clean(
    lines: bytes, columns: Columns | None, reading: pa.Table, contract: Contract
) -> tuple[pa.Table, pa.ChunkedArray]:
    """The rows that are beyond doubt, as the contract's columns and `extra`; and the doubt."""
    if columns is None:
        nothing = contract.arrow_schema.append(pa.field("extra", pa.string())).empty_table()
        return nothing, pa.chunked_array([pa.repeat(True, len(reading))])
    doubt = doubtful(columns, reading, contract)
    # To look for one character first is several times faster, and few payloads have it.
    if b"\\" in lines and _NULL_CHARACTER.encode() in lines:
        doubt = pc.or_(doubt, pc.match_substring(text_of_lines(lines), _NULL_CHARACTER))
    extra = pa.nulls(len(reading), pa.string())
    if columns.has_unknown:
        unknown = unknown_fields(lines, contract)
        doubt, extra = pc.or_(doubt, unknown.doubt), unknown.extra
    rows = under_our_names(columns.typed, contract).append_column("extra", extra)
    return rows.filter(pc.invert(doubt)), doubt


def _with_spine(columns: pa.Table, reading: pa.Table) -> pa.Table:
    for name in ("_record_id", "_record_key"):
        columns = columns.append_column(name, reading[name])
    return columns.append_column("_line", reading["line"])
