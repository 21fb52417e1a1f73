"""A pack as data: tables whose totals say what they are totals of, and checks over their cells.

A total holds no figure: it holds a rule. The PDF and the web page show what the rule comes to, and
the workbook writes it as a formula beside the figure, so that the three can't differ.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cached_property

Value = str | int | Decimal | dt.date | None
ZERO = Decimal(0)


class Kind(StrEnum):
    """What the values of a column are, which says how they are written."""

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    MONEY = "money"
    VOLUME = "volume"
    RATE = "rate"
    PRICE = "price"
    PERCENT = "percent"
    COUNT = "count"

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers, which are set to the right."""
        return self not in (Kind.TEXT, Kind.CODE, Kind.DATE)


class Style(StrEnum):
    """What a row is for a reader."""

    HEADING = "heading"
    LINE = "line"
    SUBTOTAL = "subtotal"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Terms:
    """A sum of other columns of the row, or of other rows of the column.

    Attributes:
        terms: pairs of a sign, 1 or -1, and a key.
    """

    terms: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, plus: Sequence[str], minus: Sequence[str] = ()) -> "Terms":
        """The sum of some less that of others."""
        return cls((*((1, key) for key in plus), *((-1, key) for key in minus)))


@dataclass(frozen=True, slots=True)
class Ratio:
    """A column divided by another, rounded half up; empty where the other is 0.

    Attributes:
        places: digits after the point.
    """

    of: str
    by: str
    places: int = 2


@dataclass(frozen=True, slots=True)
class Same:
    """The cell of the same row in another table."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        width: beside those of the other columns; about the characters of its longest value.
        rule: what its values are made of, in every row that has any.
    """

    key: str
    title: str
    kind: Kind
    width: float
    rule: Terms | Ratio | Same | None = None


def key_of(*parts: str | None) -> str:
    """The key of a row by all that tells it from others: no id in it makes it a total's key."""
    return repr(parts)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        adds: the rows that it is the sum of.
        is_detail: only the workbook shows it, folded below its subtotal.
    """

    key: str
    cells: Mapping[str, Value]
    style: Style = Style.LINE
    adds: Terms | None = None
    is_detail: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a pack, and a sheet of its workbook.

    Attributes:
        name: of the sheet, at most 31 characters.
        only_workbook: the PDF and the web page leave it out.
        note: a sentence below it.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    only_workbook: bool = False
    note: str = ""

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each row by its key, from 0."""
        return {row.key: i for i, row in enumerate(self.rows)}

    @cached_property
    def columns_by_key(self) -> Mapping[str, int]:
        """The place of each column by its key, from 0."""
        return {column.key: i for i, column in enumerate(self.columns)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a pack."""

    table: str
    row: str
    column: str


Sum = tuple[tuple[int, Cell], ...]
"""Cells with their signs, 1 or -1."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that has to be zero.

    Attributes:
        name: what holds then.
        tells: the figures that it is about, in words.
        parts: sums of cells with their signs, each of which is zero by itself.
        kind: of the sums.
    """

    name: str
    tells: str
    parts: tuple[Sum, ...]
    kind: Kind = Kind.MONEY


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter of a pack.

    Attributes:
        lead: what it shows, in a sentence or two.
        charts: names of its charts.
        tables: names of its tables.
        turned: its pages are wider than high.
    """

    title: str
    lead: str
    tables: tuple[str, ...]
    charts: tuple[str, ...] = ()
    turned: bool = False


@dataclass(frozen=True)
class Pack:
    """The close pack of a period.

    Attributes:
        period: such as `2024-03`.
        ended_on: the period's last day, which the files are dated by.
        facts: what the pack is made from, as pairs of a name and a value.
        charts: SVG by name.
    """

    period: str
    ended_on: dt.date
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    tables: Mapping[str, Table]
    checks: tuple[Check, ...]
    charts: Mapping[str, str] = field(default_factory=dict, repr=False)

    @cached_property
    def _values(self) -> dict[Cell, Value]:
        return {}

    def value(self, cell: Cell) -> Value:
        """What a cell holds, or what its rule comes to."""
        if cell not in self._values:
            self._values[cell] = self._worked_out(cell)
        return self._values[cell]

    def number(self, cell: Cell) -> Decimal:
        """The same of a number; an empty cell is 0."""
        found = self.value(cell)
        return Decimal(found) if isinstance(found, int | Decimal) else ZERO

    def _worked_out(self, cell: Cell) -> Value:
        table = self.tables[cell.table]
        row = table.rows[table.places[cell.row]]
        column = table.columns[table.columns_by_key[cell.column]]
        rule = self.rule(row, column)
        if isinstance(rule, Same):
            return self.value(Cell(rule.table, cell.row, rule.column))
        if isinstance(rule, Ratio):
            return self._ratio(cell, rule)
        if isinstance(rule, Terms):
            across = "column" if rule is column.rule else "row"
            return self.sum((sign, replace(cell, **{across: key})) for sign, key in rule.terms)
        return row.cells.get(cell.column)

    @staticmethod
    def rule(row: Row, column: Column) -> Terms | Ratio | Same | None:
        """What a cell is made of; None where it holds a value of its own, or nothing.

        A row's sum goes before a column's, but nothing adds up ratios.
        """
        if column.key in row.cells or row.style is Style.HEADING:
            return None
        if row.adds is None or isinstance(column.rule, Ratio):
            return column.rule
        return row.adds if column.kind.is_number else None

    def _ratio(self, cell: Cell, rule: Ratio) -> Decimal | None:
        divisor = self.number(replace(cell, column=rule.by))
        if not divisor:
            return None
        exact = self.number(replace(cell, column=rule.of)) / divisor
        return exact.quantize(Decimal(1).scaleb(-rule.places), ROUND_HALF_UP)

    def sum(self, terms: Iterable[tuple[int, Cell]]) -> Decimal:
        """The sum of cells by their signs."""
        return sum((sign * self.number(cell) for sign, cell in terms), ZERO)

    def differences(self) -> list[tuple[Check, Decimal]]:
        """What each check comes to, signs of its parts left out: zero where the pack holds."""
        return [
            (check, sum((abs(self.sum(part)) for part in check.parts), ZERO))
            for check in self.checks
        ]
