"""What the retailers' ways of writing their lines have in common."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.retail.catalogue import catalogue
from clearhouse.sandbox.retail.sales import Lines
from clearhouse.sandbox.text import Text, encode, padded, strings, take

_CLOCK = strings(f"{minute // 60:02}:{minute % 60:02}:00" for minute in range(24 * 60))


def texts(parts: Iterable[Lines]) -> list[bytes]:
    """The lines as the retailer writes them, each a JSON object."""
    return [text for lines in parts if len(lines) for text in _of(lines)]


def _of(lines: Lines) -> list[bytes]:
    goods = catalogue(lines.retailer, lines.seed, lines.day)
    return encode([*lines.retailer.fragments(lines, goods), "\n"]).split(b"\n")[:-1]


def number(numbers: NDArray[np.int64]) -> Text:
    """A number in an id: three digits, or more where it needs them."""
    return padded(numbers, 3)


def clock(lines: Lines) -> Text:
    """The time of day, as 08:48:00."""
    return take(_CLOCK, lines.minute)


def percent(cents: NDArray[np.int64], percents: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """So many percent of amounts, in cents, halves up; of a negative amount, the same negative."""
    size = (2 * np.abs(cents) * percents + 100) // 200
    return np.where(cents < 0, -size, size)
