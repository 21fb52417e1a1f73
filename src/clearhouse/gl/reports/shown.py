"""What the PDF and the web page show of a pack, as plain data: texts, styles and drawings."""

import datetime as dt
import re
from typing import Any

from clearhouse.gl.reports.model import Cell, Kind, Pack, Style, Table
from clearhouse.gl.reports.written import NONE, written

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WIDTH = re.compile(r'<svg[^>]* width="(\d+)')


def shown(pack: Pack) -> dict[str, Any]:
    """A pack as JSON can hold it."""
    return {
        "period": pack.period,
        "ended_on": spelled(pack.ended_on),
        "facts": [list(fact) for fact in pack.facts],
        "checks": [
            {
                "name": check.name,
                "tells": check.tells,
                "figure": written(difference, check.kind),
                "passed": not difference,
            }
            for check, difference in pack.differences()
        ],
        "sections": [
            {
                "title": section.title,
                "lead": section.lead,
                "turned": section.turned,
                "charts": [
                    {"svg": svg, "width": int(_WIDTH.findall(svg)[0])}
                    for svg in (pack.charts.get(name) for name in section.charts)
                    if svg
                ],
                "tables": [_table(pack, pack.tables[name]) for name in section.tables],
            }
            for section in pack.sections
        ],
    }


def spelled(day: dt.date) -> str:
    """A date in words, whatever the machine's language."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _table(pack: Pack, table: Table) -> dict[str, Any]:
    rows = [row for row in table.rows if not row.is_detail]
    return {
        "name": table.name,
        "note": table.note,
        "columns": [
            {
                "title": column.title,
                "width": column.width,
                "number": column.kind.is_number,
                "code": column.kind is Kind.CODE,
            }
            for column in table.columns
        ],
        "rows": [
            {
                "style": str(row.style),
                "cells": [
                    _text(pack, Cell(table.name, row.key, column.key), column.kind)
                    for column in table.columns
                ],
            }
            for row in rows
        ],
        "empty": not any(row.style is Style.LINE for row in rows),
    }


def _text(pack: Pack, cell: Cell, kind: Kind) -> str:
    value = pack.value(cell)
    if value is None and kind is Kind.MONEY:
        row = pack.tables[cell.table].rows[pack.tables[cell.table].places[cell.row]]
        return "" if row.style is Style.HEADING else NONE
    return written(value, kind)
