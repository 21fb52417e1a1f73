"""Amounts cut by shares so that the parts sum to the whole: the method of the largest remainder.

A share is an integer of hundred-millionths: `UNIT` is the whole. A deck is a row of shares that sum
to `UNIT`; a row that has fewer parts than others is filled up with zeros, which get nothing.
"""

import numpy as np
from numpy.typing import NDArray

UNIT = 100_000_000
"""One, in shares of eight decimals."""

MAX_AMOUNT = 900_000_000_000_000
"""The largest amount that can be cut, in minor units: what is multiplied must fit 64 bits."""

_HALF_DIGITS = 10_000  # an amount is multiplied by a share in two pieces

Ints = NDArray[np.int64]


def cut(amounts: Ints, shares: Ints) -> Ints:
    """The parts of each amount.

    Every part is its exact value rounded down (toward zero); what is then left goes, one minor unit
    each, to the parts of the largest remainders, of equal ones to the first. A negative amount is
    cut as the positive one.

    Args:
        amounts: n amounts in minor units.
        shares: n rows of k shares, or one row for all.

    Returns:
        n rows of k parts; each row sums to its amount.

    Raises:
        ValueError: a row of shares doesn't sum to `UNIT` or has a negative share, or an amount is
            more than `MAX_AMOUNT`.
    """
    amounts = np.asarray(amounts, dtype=np.int64)
    shares = np.broadcast_to(shares, (len(amounts), np.shape(shares)[-1]))
    if (shares < 0).any() or (shares.sum(axis=1) != UNIT).any():
        raise ValueError("A deck has no negative share, and its shares sum to 1.00000000.")
    size = np.abs(amounts)
    if (size > MAX_AMOUNT).any():
        raise ValueError(f"An amount to be cut is at most {MAX_AMOUNT} minor units.")
    high, low = np.divmod(size, _HALF_DIGITS)
    whole, rest = np.divmod(high[:, None] * shares, UNIT)
    more, rest = np.divmod(rest * _HALF_DIGITS + low[:, None] * shares, UNIT)
    parts = _with_rest(whole * _HALF_DIGITS + more, rest, size)
    return parts * np.sign(amounts)[:, None]


def shares_of(weights: Ints) -> Ints:
    """Shares in proportion to weights.

    Args:
        weights: n rows of k weights, none negative, at most 10**10; each row has one above zero.

    Returns:
        n rows of k shares; each row sums to `UNIT`.
    """
    weights = np.asarray(weights, dtype=np.int64)
    parts, rest = np.divmod(weights * UNIT, weights.sum(axis=1)[:, None])
    return _with_rest(parts, rest, np.full(len(weights), UNIT))


def _with_rest(parts: Ints, rest: Ints, wholes: Ints) -> Ints:
    """The parts, with what is left of the wholes given out by the size of the rests."""
    left = wholes - parts.sum(axis=1)
    order = np.argsort(-rest, axis=1, kind="stable")
    rank = np.argsort(order, axis=1)
    extra: Ints = (rank < left[:, None]).astype(np.int64)
    return parts + extra
