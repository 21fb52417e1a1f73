"""Columns of numbers as text, in bulk: Arrow string arrays, joined row by row by one kernel."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Text = Any  # a pyarrow string array, or a str that all rows share; pyarrow has no types


def strings(texts: Iterable[str]) -> Text:
    """A table of ready text, to be taken from by index."""
    return pa.array(list(texts), pa.string())


def digits(numbers: NDArray[np.int64]) -> Text:
    """Integers as text."""
    return pc.cast(pa.array(numbers), pa.string())


def padded(numbers: NDArray[np.int64], width: int) -> Text:
    """Integers as text, with zeros before those of fewer digits."""
    return pc.utf8_lpad(digits(numbers), width, "0")


def money(cents: NDArray[np.int64]) -> Text:
    """Cents as JSON prints the amount: 4590 is 45.9, 4500 is 45.0, -5 is -0.05."""
    size = np.abs(cents)
    sign = take(_SIGNS, (cents < 0).astype(np.int64))
    return pc.binary_join_element_wise(sign, digits(size // 100), take(_CENTS, size % 100), "")


def take(table: Text, index: NDArray[np.int64]) -> Text:
    """Entries of a table, by index."""
    return pc.take(table, pa.array(index))


def encode(fragments: Sequence[Text]) -> bytes:
    """The rows, each its fragments from left to right, one after the other; 2 GB at most."""
    joined = pc.binary_join_element_wise(*fragments, "")
    _validity, offsets, data = joined.buffers()
    end = int(np.frombuffer(offsets, dtype=np.int32)[len(joined)])
    return bytes(memoryview(data)[:end])


_SIGNS = strings(("", "-"))
_CENTS = strings(repr(cents / 100)[1:] for cents in range(100))
