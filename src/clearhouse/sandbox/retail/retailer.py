"""What a retailer is made of: its API, its shop, and how it writes a sale."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from clearhouse.sandbox.text import Text

if TYPE_CHECKING:
    from clearhouse.sandbox.retail.catalogue import Catalogue
    from clearhouse.sandbox.retail.sales import Lines

OwnColumns = Callable[["Lines", "Catalogue"], Mapping[str, Text]]


class Entity(IntEnum):
    """What is drawn. The values are part of the data of every seed: add only, never renumber."""

    CATALOGUE = 1
    VOLUME = 2
    SALES = 3
    RETURNS = 4
    LATE = 5


class Api(NamedTuple):
    """How to ask, and what the database says when it can't be asked so.

    Attributes:
        first, last: the names of the two dates: in the query string, or in the JSON of a POST.
        header, scheme: the header of the key, and what stands before the key in it.
        rows_under: the key of the answer's rows.
        query, query_line, column: the SQL before the dates, on which line it stands, and the column
            that is compared with them.
    """

    method: str
    path: str
    first: str
    last: str
    header: str
    scheme: str
    rows_under: str
    query: str
    column: str
    query_line: int


class Names(NamedTuple):
    """What the API calls the fields that all retailers have."""

    id: str
    time: str
    customer: str
    quantity: str
    price: str
    total: str


class Category(NamedTuple):
    """Products of one kind.

    Attributes:
        season: demand by month, January first, relative to the year's mean.
        moved_to: the category in which some of its products stand at other times.
        items: list prices in cents, by name.
    """

    name: str
    season: tuple[float, ...]
    moved_to: str
    items: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Retailer:
    """One retailer.

    Attributes:
        sales_a_day: sales of a usual weekday.
        by_weekday: what the days of the week make of them, Monday first.
        stores: how many it has.
        closed: months and days on which it sells nothing.
        categories: what it sells.
        row: how a line is written, with `<column>` for each value; see `wire`.
        own_columns: the columns that only this retailer has: its rule of amounts among them.
    """

    name: str
    api: Api
    names: Names
    sales_a_day: int
    by_weekday: tuple[float, ...]
    stores: int
    closed: frozenset[tuple[int, int]]
    categories: tuple[Category, ...]
    row: str
    own_columns: OwnColumns

    def is_closed(self, day: dt.date) -> bool:
        """Whether it sells nothing on a day."""
        return (day.month, day.day) in self.closed


EVEN = (1.0,) * 12
SUMMER = (0.6, 0.7, 0.9, 1.1, 1.3, 1.5, 1.5, 1.3, 1.0, 0.8, 0.6, 0.7)
WINTER = (1.4, 1.2, 1.0, 0.8, 0.6, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.5)
GIFTS = (0.8, 0.8, 0.9, 0.9, 1.0, 0.9, 0.9, 1.0, 0.9, 1.0, 1.4, 1.5)
NEW_YEAR = (1.7, 1.3, 1.1, 1.0, 1.0, 1.0, 0.9, 0.9, 1.0, 0.8, 0.7, 0.6)
