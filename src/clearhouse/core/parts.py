"""Work cut into parts of about the same weight."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def parts_of(
    items: Iterable[T], weight: Callable[[T], int], enough: int, most: int | None = None
) -> Iterator[list[T]]:
    """The items in order, in parts that end with the item by which they weigh enough.

    Args:
        items: what is to be cut.
        weight: of an item.
        enough: the weight that ends a part.
        most: how many items a part may have; None for any number.
    """
    part: list[T] = []
    total = 0
    for item in items:
        part.append(item)
        total += weight(item)
        if total >= enough or len(part) == most:
            yield part
            part, total = [], 0
    if part:
        yield part
