"""Lists as Stripe pages them: newest first, on by `starting_after`, back by `ending_before`."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

_LIMIT, _MOST = 10, 100
_CREATED = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


class NotWholeError(Exception):
    """A parameter that has to be a whole number is none: the provider refuses it."""


def whole(query: QueryParams, name: str, otherwise: int) -> int:
    """A whole number that a query gives.

    Raises:
        NotWholeError: it gives something else.
    """
    try:
        return int(query.get(name, otherwise))
    except ValueError:
        raise NotWholeError(f"Invalid integer: {name}") from None


@dataclass(frozen=True)
class Page:
    """A part of a list.

    Attributes:
        unknown: an id by which was paged, and that is not in the list; the page is empty then.
    """

    rows: Sequence[dict[str, Any]]
    has_more: bool
    unknown: str | None = None


def page_of(rows: Sequence[dict[str, Any]], query: QueryParams) -> Page:
    """The page that is asked for.

    Args:
        rows: newest first, each with `id` and `created`.
        query: `limit`, `starting_after`, `ending_before`, `created[gte]` and the like.

    Raises:
        NotWholeError: a bound or the limit is no number.
    """
    for name, holds in _CREATED.items():
        if (field := f"created[{name}]") in query:
            bound = whole(query, field, 0)
            rows = [row for row in rows if holds(row["created"], bound)]
    limit = max(1, min(whole(query, "limit", _LIMIT), _MOST))
    after, before = query.get("starting_after"), query.get("ending_before")
    asked = after or before
    places = {row["id"]: place for place, row in enumerate(rows)} if asked else {}
    if asked and asked not in places:
        return Page([], False, asked)
    if before:
        end = places[before]
        return Page(rows[max(0, end - limit) : end], end > limit)
    begin = places[after] + 1 if after else 0
    return Page(rows[begin : begin + limit], begin + limit < len(rows))
