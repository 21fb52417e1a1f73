"""Amounts of money from text, column-wise: what `minor_from_text` says of each pair."""

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.money import NO_CURRENCY, iso_exponents


def minor_of_texts(
    numbers: pa.ChunkedArray, codes: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    r"""Minor units and currencies; 0 of XXX where the text is no exact amount of the currency.

    Args:
        numbers: texts of the form `-?\d{1,13}(\.\d+)?` of at most 18 digits, or empty ones.
        codes: what should be ISO 4217 codes.
    """
    known, places_of, powers = _exponents()
    places = pc.take(places_of, pc.index_in(codes, value_set=known))
    dot = pc.find_substring(numbers, ".")
    after_dot = pc.subtract(pc.subtract(pc.binary_length(numbers), dot), 1)
    decimals = pc.if_else(pc.equal(dot, -1), 0, after_dot)
    is_exact = pc.and_(pc.not_equal(numbers, ""), pc.less_equal(decimals, places))
    is_exact = pc.fill_null(is_exact, False)
    digits = pc.replace_substring(pc.if_else(is_exact, numbers, "0"), ".", "", max_replacements=1)
    missing = pc.if_else(is_exact, pc.subtract(places, decimals), 0)
    minor = pc.multiply(pc.cast(digits, pa.int64()), pc.take(powers, missing))
    return minor, pc.if_else(is_exact, codes, NO_CURRENCY)


def are_minor_of(
    minor: pa.ChunkedArray, amounts: pa.ChunkedArray, codes: pa.ChunkedArray
) -> pa.ChunkedArray:
    """Whether minor units are exactly those of decimal amounts; null where one is missing.

    Args:
        minor: int64.
        amounts: decimals of at most 4 places and 13 digits before them.
        codes: ISO 4217 codes; null is given for others.
    """
    known, places_of, powers = _exponents()
    scale = amounts.type.scale
    units = pc.cast(pc.multiply(amounts, pa.scalar(10**scale, pa.decimal128(5, 0))), pa.int64())
    beyond = pc.subtract(pc.take(places_of, pc.index_in(codes, value_set=known)), scale)
    widened = pc.multiply(units, pc.take(powers, pc.max_element_wise(beyond, 0, skip_nulls=False)))
    back = pc.max_element_wise(pc.negate(beyond), 0, skip_nulls=False)
    return pc.equal(widened, pc.multiply(minor, pc.take(powers, back)))


@cache
def _exponents() -> tuple[pa.Array, pa.Array, pa.Array]:
    """Currency codes, the exponent of each, and powers of ten by exponent."""
    exponents = iso_exponents()
    most = max(exponents.values())
    return (
        pa.array(list(exponents), pa.string()),
        pa.array(list(exponents.values()), pa.int32()),
        pa.array([10**places for places in range(most + 1)], pa.int64()),
    )
