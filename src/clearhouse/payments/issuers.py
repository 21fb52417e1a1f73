"""Which numbers a card may have: the ranges of issuers, each with the lengths that they use."""

from bisect import bisect_right

_DIGITS_OF_PREFIX = 6

_RANGES: tuple[tuple[str, str, range | tuple[int, ...]], ...] = (
    ("2200", "2204", range(16, 20)),  # Mir
    ("2221", "2720", (16,)),  # Mastercard
    ("300", "305", range(14, 20)),  # Diners Club, as the next three
    ("3095", "3095", range(14, 20)),
    ("34", "34", (15,)),  # American Express
    ("3528", "3589", range(16, 20)),  # JCB
    ("36", "36", range(14, 20)),
    ("37", "37", (15,)),
    ("38", "39", range(14, 20)),
    ("4", "4", (13, 16, 19)),  # Visa
    ("50", "50", range(12, 20)),  # Maestro, Elo, Verve
    ("51", "55", (16,)),  # Mastercard
    ("56", "58", range(12, 20)),  # Maestro
    ("6", "6", range(12, 20)),  # Discover, UnionPay, Maestro, RuPay, Elo, Hipercard
    ("81", "82", range(16, 20)),  # RuPay, UnionPay
    ("9792", "9792", (16,)),  # Troy
)
_STARTS = [int(first.ljust(_DIGITS_OF_PREFIX, "0")) for first, _, _ in _RANGES]
_ENDS = [int(last.ljust(_DIGITS_OF_PREFIX, "9")) for _, last, _ in _RANGES]
_LENGTHS = [frozenset(lengths) for _, _, lengths in _RANGES]


def lengths(digits: bytes) -> frozenset[int]:
    """How many digits numbers of cards have that begin like these; none where no issuer has any.

    Args:
        digits: at least six.
    """
    prefix = int(digits[:_DIGITS_OF_PREFIX])
    at = bisect_right(_STARTS, prefix) - 1
    return _LENGTHS[at] if at >= 0 and prefix <= _ENDS[at] else frozenset()
