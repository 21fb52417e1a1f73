"""Lines as the ledger's service sends them: one JSON object a line, in bulk.

A record has the fields of `LINE_SCHEMA` under the same names and in the same order, but `debit`,
`credit` and `amount` (debit less credit) as text with two decimals in place of the minor units.
Other decimals are text too; dates and timestamps are ISO 8601.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clearhouse.sandbox.gl.schema import LINE_SCHEMA
from clearhouse.sandbox.text import Text, digits, encode, padded, strings, take

BLOCK_ROWS = 65_536  # about 90 MB of text: far from Arrow's 2 GB of int32 offsets
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_NULL = "null"
_DEBIT, _CREDIT = "debit_minor", "credit_minor"
_HUNDREDTHS = strings(f'.{cents:02}"' for cents in range(100))
_SIGNS = strings(('"', '"-'))

Ints = NDArray[np.int64]


def ndjson(table: pa.Table) -> bytes:
    """The lines of a table of `LINE_SCHEMA` as JSON, each with a line break after it."""
    return b"".join(blocks(table))


def blocks(table: pa.Table) -> Iterator[bytes]:
    """The same text, in blocks of up to BLOCK_ROWS whole lines."""
    for start in range(0, len(table), BLOCK_ROWS):
        rows = table.slice(start, BLOCK_ROWS).combine_chunks()
        yield encode(list(_fragments(rows)))


def _fragments(rows: pa.Table) -> Iterator[Text]:
    """The parts of a record, left to right: columns, and text that all rows share."""
    lead = "{"
    for name, values in _columns(rows):
        yield f'{lead}"{name}":'
        yield values
        lead = ","
    yield "}\n"


def _columns(rows: pa.Table) -> Iterator[tuple[str, Text]]:
    for field in LINE_SCHEMA:
        column = rows[field.name]
        array = column.chunk(0) if column.num_chunks else pa.array([], field.type)
        if field.name == _DEBIT:
            yield "debit", _money(array.to_numpy())
        elif field.name == _CREDIT:
            yield "credit", _money(array.to_numpy())
            yield "amount", _money(rows[_DEBIT].to_numpy() - array.to_numpy())
        else:
            yield field.name, _json(array)


def _json(array: Any) -> Text:
    """The values of a column as JSON."""
    if pa.types.is_integer(array.type):
        return pc.cast(array, pa.string())
    if pa.types.is_decimal(array.type):
        return _or_null(_decimal(array), array)
    if pa.types.is_timestamp(array.type):
        return _quoted(_moments(array))
    encoded = array.dictionary_encode()
    texts = pc.cast(encoded.dictionary, pa.string())
    return _or_null(pc.take(_quoted(_escaped(texts)), encoded.indices), array)


def _or_null(texts: Text, array: Any) -> Text:
    return pc.coalesce(texts, pa.scalar(_NULL)) if array.null_count else texts


def _quoted(texts: Text) -> Text:
    return pc.binary_join_element_wise('"', texts, '"', "")


def _escaped(texts: Text) -> Text:
    """The texts as they stand between quotes; few need more than to be copied."""
    if not pc.any(pc.match_substring_regex(texts, _NEEDS_ESCAPE)).as_py():
        return texts
    return strings(json.dumps(text, ensure_ascii=False)[1:-1] for text in texts.to_pylist())


def _money(cents: Ints) -> Text:
    """Cents with two decimals, in quotes: -4590 is "-45.90"."""
    size = np.abs(cents)
    whole, rest = np.divmod(size, 100)
    return _signed(cents, digits(whole), take(_HUNDREDTHS, rest))


def _decimal(array: Any) -> Text:
    """Decimals in quotes with all of their places, never an exponent; null where they are."""
    words = np.frombuffer(array.buffers()[1], dtype=np.int64)
    units = words[2 * array.offset : 2 * (array.offset + len(array)) : 2]
    units = np.where(np.asarray(array.is_valid()), units, 0)
    whole, rest = np.divmod(np.abs(units), 10**array.type.scale)
    texts = _signed(units, digits(whole), ".", padded(rest, array.type.scale), '"')
    return pc.if_else(array.is_valid(), texts, pa.scalar(None, pa.string()))


def _signed(values: Ints, *parts: Text) -> Text:
    """The parts after a quotation mark, and after the sign of a value below zero."""
    sign = take(_SIGNS, (values < 0).astype(np.int64))
    return pc.binary_join_element_wise(sign, *parts, "")


def _moments(array: Any) -> Text:
    """Timestamps as ISO 8601; without a fraction where it is zero."""
    texts = pc.utf8_replace_slice(pc.cast(array, pa.string()), start=10, stop=11, replacement="T")
    return pc.replace_substring_regex(texts, r"\.0+$", "")
