"""What a retailer is made of: its API, its shop, and how it writes a sale."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from clearhouse.sandbox.text import Text

if TYPE_CHECKING:
    from clearhouse.sandbox.retail.catalogue import Catalogue
    from clearhouse.sandbox.retail.sales import Lines

Fragments = Callable[["Lines", "Catalogue"], Sequence[Text]]


class Api(NamedTuple):
    """How to ask, and what the answer's rows stand in.

    Attributes:
        first, last: the names of the two dates, in the query, or of a POST in its JSON.
        header, scheme: the header of the key, and what stands before the key.
        rows_under: the key of the rows.
        query: the query's text before the first date, as an error of the database shows it.
        query_line: on which line of the query the dates stand.
        tests: the comparison of the column with a date, for `first` and `last`.
    """

    method: str
    path: str
    first: str
    last: str
    header: str
    scheme: str
    rows_under: str
    query: str
    query_line: int
    column: str


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
        items: names and list prices in cents.
        moved_to: the category in which some of its products stand at other times.
    """

    name: str
    season: tuple[float, ...]
    items: tuple[tuple[str, int], ...]
    moved_to: str


@dataclass(frozen=True, eq=False)
class Retailer:
    """One retailer.

    Attributes:
        api, names: its API.
        sales_a_day: sales of a usual weekday.
        by_weekday: what the days of the week make of them, Monday first.
        stores: how many it has.
        is_closed: whether it sells nothing on a day.
        categories: what it sells.
        fragments: how it writes its lines: by its own rule of amounts, in its own order of keys.
    """

    name: str
    api: Api
    names: Names
    sales_a_day: int
    by_weekday: tuple[float, ...]
    stores: int
    is_closed: Callable[[dt.date], bool]
    categories: tuple[Category, ...]
    fragments: Fragments


EVEN = (1.0,) * 12
SUMMER = (0.6, 0.7, 0.9, 1.1, 1.3, 1.5, 1.5, 1.3, 1.0, 0.8, 0.6, 0.7)
WINTER = (1.4, 1.2, 1.0, 0.8, 0.6, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.5)
GIFTS = (0.8, 0.8, 0.9, 0.9, 1.0, 0.9, 0.9, 1.0, 0.9, 1.0, 1.4, 1.5)
NEW_YEAR = (1.7, 1.3, 1.1, 1.0, 1.0, 1.0, 0.9, 0.9, 1.0, 0.8, 0.7, 0.6)
