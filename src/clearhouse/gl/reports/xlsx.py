"""A pack as a workbook: every total a formula, with the ledger's figure kept beside it.

A program that does not calculate reads the kept figures; one that does comes to the same. The same
pack gives the same bytes: the file is dated by the period's last day.
"""

import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from clearhouse.gl.reports.model import (
    Cell,
    Column,
    Kind,
    Pack,
    Ratio,
    Row,
    Same,
    Style,
    Sum,
    Table,
    Terms,
    Value,
)

CHECKS = "Checks"
_HEADER = 3
"""The row of the columns' titles, from 0: a title, what it is of, and a blank one stand above."""
_WIDEST = 48
_ACCENT = "#1F3A5F"
_NUMBERS: Mapping[Kind, str] = {
    Kind.MONEY: '#,##0.00_);(#,##0.00);"–"_)',
    Kind.VOLUME: '#,##0_);(#,##0);"–"_)',
    Kind.RATE: '#,##0.00_);(#,##0.00);"–"_)',
    Kind.PRICE: '#,##0.000_);(#,##0.000);"–"_)',
    Kind.PERCENT: '0.0%_);(0.0%);"–"_)',
    Kind.COUNT: '#,##0_);(#,##0);"–"_)',
    Kind.DATE: "yyyy-mm-dd",
}
_LINES: Mapping[Style, dict[str, Any]] = {
    Style.LINE: {},
    Style.HEADING: {"bold": True, "font_color": _ACCENT},
    Style.SUBTOTAL: {"bold": True, "top": 1},
    Style.TOTAL: {"bold": True, "top": 1, "bottom": 6},
}


def xlsx(pack: Pack) -> bytes:
    """The workbook's bytes."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        created = dt.datetime.combine(pack.ended_on, dt.time())  # a workbook's times have no zone
        workbook.set_properties(
            {"title": f"Close pack {pack.period}", "author": "Clearhouse", "created": created}
        )
        sheets = _Sheets(pack, workbook, {})
        sheets.checks()
        for table in pack.tables.values():
            sheets.table(table)
    return file.getvalue()


@dataclass
class _Sheets:
    """The sheets of a workbook as they are written."""

    pack: Pack
    workbook: xlsxwriter.Workbook
    formats: dict[tuple[Any, ...], Any]

    def checks(self) -> None:
        """The first sheet: what the pack is made from, and formulas that are all zero."""
        sheet = self._sheet(CHECKS, f"Close pack {self.pack.period}", (36, 70, 20, 10))
        for at, title in enumerate(("Check", "What has to be zero", "Difference", "")):
            sheet.write(_HEADER, at, title, self._header(is_number=at == 2))
        first = _HEADER + 1
        text = self._format(Kind.TEXT, Style.LINE)
        for at, (check, difference) in enumerate(self.pack.differences(), first):
            sheet.write(at, 0, check.name, text)
            sheet.write(at, 1, check.tells, text)
            number = self._format(check.kind, Style.LINE)
            formula = "=" + "+".join(f"ABS({self._sum(part)})" for part in check.parts)
            sheet.write_formula(at, 2, formula if check.parts else "=0", number, float(difference))
            told = f'=IF(C{at + 1}=0,"holds","FAILS")'
            sheet.write_formula(at, 3, told, text, "FAILS" if difference else "holds")
        below = first + len(self.pack.checks) + 1
        for at, (name, value) in enumerate(self.pack.facts, below):
            sheet.write(at, 0, name, text)
            sheet.write_string(at, 1, value, text)

    def _sum(self, part: Sum) -> str:
        """Cells of sheets with their signs; to the cent, as their sums are floats to a program."""
        places = [
            ("+" if sign > 0 else "-") + self._place(cell.table, cell.row, cell.column)
            for sign, cell in part
        ]
        return f"ROUND({''.join(places).removeprefix('+')},2)"

    def _place(self, table: str, row: str, column: str) -> str:
        found = self.pack.tables[table]
        at = xl_rowcol_to_cell(_HEADER + 1 + found.places[row], found.columns_by_key[column])
        return f"'{table}'!{at}"

    def table(self, table: Table) -> None:
        """A table on a sheet of its own."""
        widths = tuple(max(8.0, min(column.width + 2, _WIDEST)) for column in table.columns)
        sheet = self._sheet(table.name, f"{table.name}, {self.pack.period}", widths)
        for at, column in enumerate(table.columns):
            sheet.write(_HEADER, at, column.title, self._header(is_number=column.kind.is_number))
        for at, row in enumerate(table.rows):
            place = _HEADER + 1 + at
            if row.is_detail:
                sheet.set_row(place, None, None, {"level": 1})
            for number, column in enumerate(table.columns):
                self._cell(sheet, table, row, column, (place, number))
        if table.note:
            sheet.write(_HEADER + 2 + len(table.rows), 0, table.note, self._format(Kind.TEXT))

    def _sheet(self, name: str, title: str, widths: tuple[float, ...]) -> Worksheet:
        """A sheet with its title and columns, that prints on pages of one width."""
        sheet = self.workbook.add_worksheet(name)
        bold = self._format(Kind.TEXT, Style.HEADING)
        sheet.write(0, 0, title, bold)
        sheet.write(1, 0, "General ledger, USD", self._format(Kind.TEXT))
        for at, width in enumerate(widths):
            sheet.set_column(at, at, width)
        sheet.freeze_panes(_HEADER + 1, 1)
        sheet.repeat_rows(_HEADER)
        sheet.set_paper(9)  # A4
        if sum(widths) > 95:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(f"&L{title.replace('&', '&&')}&RPage &P of &N")
        sheet.hide_gridlines(2)
        return sheet

    def _cell(
        self, sheet: Worksheet, table: Table, row: Row, column: Column, place: tuple[int, int]
    ) -> None:
        value = self.pack.value(Cell(table.name, row.key, column.key))
        style = self._format(column.kind, row.style, is_detail=row.is_detail)
        rule = self.pack.rule(row, column)
        if rule is None or (value is None and not isinstance(rule, Ratio)):
            _write(sheet, place, value, style)
            return
        kept = "" if value is None else float(value) if isinstance(value, Decimal) else value
        sheet.write_formula(*place, self._formula(table, row, column, rule), style, kept)

    def _formula(self, table: Table, row: Row, column: Column, rule: Terms | Ratio | Same) -> str:
        def across(key: str) -> str:
            return self._local(table, row.key, key)

        if isinstance(rule, Same):
            return "=" + self._place(rule.table, row.key, rule.column)
        if isinstance(rule, Ratio):
            of, by = across(rule.of), across(rule.by)
            return f'=IF({by}=0,"",ROUND({of}/{by},{rule.places}))'
        if rule is column.rule:
            return _added([(sign, across(key)) for sign, key in rule.terms])
        return self._down(table, column, rule)

    def _down(self, table: Table, column: Column, rule: Terms) -> str:
        """A sum of rows; of rows that stand together, by their range."""
        places = [table.places[key] for _, key in rule.terms]
        if not places:
            return "=0"
        run = range(places[0], places[0] + len(places))
        if len(places) > 1 and places == [*run] and all(sign > 0 for sign, _ in rule.terms):
            ends = (self._local(table, rule.terms[at][1], column.key) for at in (0, -1))
            return f"=SUM({':'.join(ends)})"
        return _added([(s, self._local(table, key, column.key)) for s, key in rule.terms])

    @staticmethod
    def _local(table: Table, row: str, column: str) -> str:
        return str(xl_rowcol_to_cell(_HEADER + 1 + table.places[row], table.columns_by_key[column]))

    def _header(self, *, is_number: bool) -> Any:
        key = ("header", is_number)
        if key not in self.formats:
            self.formats[key] = self.workbook.add_format(
                {
                    "bold": True,
                    "font_color": _ACCENT,
                    "bottom": 1,
                    "text_wrap": True,
                    "valign": "bottom",
                    "align": "right" if is_number else "left",
                }
            )
        return self.formats[key]

    def _format(self, kind: Kind, style: Style = Style.LINE, *, is_detail: bool = False) -> Any:
        key = (kind, style, is_detail)
        if key not in self.formats:
            how: dict[str, Any] = dict(_LINES[style])
            if kind in _NUMBERS:
                how["num_format"] = _NUMBERS[kind]
            if is_detail:
                how |= {"font_color": "#666666"} | ({} if kind.is_number else {"indent": 1})
            self.formats[key] = self.workbook.add_format(how)
        return self.formats[key]


def _added(terms: list[tuple[int, str]]) -> str:
    added = "".join(("+" if sign > 0 else "-") + place for sign, place in terms)
    return "=" + (added.removeprefix("+") or "0")


def _write(sheet: Worksheet, place: tuple[int, int], value: Value, style: Any) -> None:
    """A value as what it is; text stays text, whatever it begins with."""
    if value is None or value == "":
        sheet.write_blank(*place, None, style)
    elif isinstance(value, str):
        sheet.write_string(*place, value, style)
    elif isinstance(value, dt.date):
        sheet.write_datetime(*place, value, style)
    else:
        sheet.write_number(*place, float(value), style)
