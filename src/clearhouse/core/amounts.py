"""Minor units of columns of amounts: what `minor_from_text` says of each."""

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.money import NO_CURRENCY, exponents

_MOST_PLACES = 4
_AMOUNT = pa.decimal128(17, _MOST_PLACES)


def minor_of_texts(
    numbers: pa.ChunkedArray, codes: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    r"""Minor units and currencies; 0 of XXX where the text is no exact amount of the currency.

    Args:
        numbers: texts of the form `-?\d{1,13}(\.\d{1,4})?`, or empty ones.
        codes: what should be ISO 4217 codes.
    """
    dot = pc.find_substring(numbers, ".")
    after_dot = pc.subtract(pc.subtract(pc.binary_length(numbers), dot), 1)
    decimals = pc.if_else(pc.equal(dot, -1), 0, after_dot)
    known, places_of, _ = _exponents()
    places = pc.take(places_of, pc.index_in(codes, value_set=known))
    is_exact = pc.and_(pc.not_equal(numbers, ""), pc.less_equal(decimals, places))
    is_exact = pc.fill_null(is_exact, False)
    amounts = pc.cast(pc.if_else(is_exact, numbers, "0"), _AMOUNT)
    minor = pc.if_else(is_exact, minor_of_decimals(amounts, codes), 0)
    return minor, pc.if_else(is_exact, codes, NO_CURRENCY)


def minor_of_whole_texts(
    numbers: pa.ChunkedArray, codes: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """What `minor_from_whole` says of each; 0 of XXX where it refuses one.

    Args:
        numbers: texts of the form `money.WHOLE_PATTERN`, or empty ones.
        codes: what should be ISO 4217 codes.
    """
    known, _, _ = _exponents()
    is_exact = pc.and_(pc.not_equal(numbers, ""), pc.is_in(codes, value_set=known))
    is_exact = pc.fill_null(is_exact, False)
    minor = pc.cast(pc.if_else(is_exact, numbers, "0"), pa.int64())
    return minor, pc.if_else(is_exact, codes, NO_CURRENCY)


def minor_of_decimals(amounts: pa.ChunkedArray, codes: pa.ChunkedArray) -> pa.ChunkedArray:
    """Minor units of decimals; null where one has more decimals than its currency, or none known.

    Args:
        amounts: decimals of at most 4 places and 13 digits before them.
        codes: what should be ISO 4217 codes.
    """
    known, places_of, powers = _exponents()
    scale = amounts.type.scale
    units = pc.cast(pc.multiply(amounts, pa.scalar(10**scale, pa.decimal128(5, 0))), pa.int64())
    beyond = pc.subtract(pc.take(places_of, pc.index_in(codes, value_set=known)), scale)
    widened = pc.multiply(units, pc.take(powers, pc.max_element_wise(beyond, 0, skip_nulls=False)))
    narrowing = pc.take(powers, pc.max_element_wise(pc.negate(beyond), 0, skip_nulls=False))
    minor = pc.divide(widened, narrowing)
    return pc.if_else(pc.equal(pc.multiply(minor, narrowing), widened), minor, None)


@cache
def _exponents() -> tuple[pa.Array, pa.Array, pa.Array]:
    """Currency codes, the exponent of each, and powers of ten by exponent."""
    found = exponents()
    return (
        pa.array(list(found), pa.string()),
        pa.array(list(found.values()), pa.int32()),
        pa.array([10**places for places in range(_MOST_PLACES + 1)], pa.int64()),
    )
