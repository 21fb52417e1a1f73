"""Random draws and ids of one payment: they depend on the seed and the payment's number alone."""

import base64
import hashlib
from bisect import bisect
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import accumulate
from typing import TypeVar

from clearhouse.sandbox.rng import stream

T = TypeVar("T")

DRAWS = 96
"""Of a payment: more than the longest life takes."""

_BLOCK = 2_048


class Entity(IntEnum):
    """What is drawn."""

    STRIPE = 101
    SQUARE = 102
    ADYEN = 103
    PAYPAL = 104
    DELIVERY = 105
    PAYOUT = 106


class Draws:
    """Uniform numbers, one after the other, and what is chosen by them."""

    __slots__ = ("_next",)

    def __init__(self, numbers: Iterator[float]) -> None:
        self._next = numbers.__next__

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return self._next() < share

    def between(self, low: int, high: int) -> int:
        """An integer from low to high."""
        return low + int(self._next() * (high - low + 1))

    def uniform(self) -> float:
        """From 0 to below 1."""
        return self._next()

    def pick(self, of: Sequence[T]) -> T:
        """One of several."""
        return of[int(self._next() * len(of))]

    def weighted(self, of: Sequence[tuple[T, int]]) -> T:
        """One of several, by their shares."""
        weights = _sums(tuple(share for _, share in of))
        return of[bisect(weights, self._next() * weights[-1])][0]


@lru_cache(256)
def _sums(shares: tuple[int, ...]) -> list[int]:
    return list(accumulate(shares))


class DrawsByNumber:
    """The draws of the entities of a kind, made in blocks."""

    def __init__(self, seed: int, entity: Entity) -> None:
        self._seed, self._entity = seed, entity
        self._number, self._block = -1, iter(())

    def of(self, number: int) -> Draws:
        """The draws of the entity with that number."""
        block, row = divmod(number, _BLOCK)
        if block != self._number:
            self._rows = stream(self._seed, self._entity, block).random((_BLOCK, DRAWS))
            self._number = block
        return Draws(iter(self._rows[row].tolist()))


class Ids:
    """Ids as providers make them: they look random and are the same for a seed."""

    __slots__ = ("_prefix",)

    def __init__(self, seed: int, of: str) -> None:
        self._prefix = f"{seed}|{of}|"

    def text(self, name: str, length: int = 24) -> str:
        """Letters and digits."""
        digest = hashlib.blake2b((self._prefix + name).encode(), digest_size=36).digest()
        return base64.b64encode(digest, b"Qz").decode()[:length]

    def upper(self, name: str, length: int = 16) -> str:
        """Upper-case letters and digits."""
        digest = hashlib.blake2b((self._prefix + name).encode(), digest_size=20).digest()
        return base64.b32encode(digest).decode()[:length]

    def digits(self, name: str, length: int = 16, first: str = "8") -> str:
        """Digits, the first ones as given."""
        digest = hashlib.blake2b((self._prefix + name).encode(), digest_size=16).digest()
        return first + str(int.from_bytes(digest, "big")).rjust(40, "0")[-(length - len(first)) :]

    def uuid(self, name: str) -> str:
        """A UUID of version 4."""
        text = hashlib.blake2b((self._prefix + name).encode(), digest_size=16).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


CUSTOMERS = Ids(0, "customers")
"""Customers, who pay more than once."""
