"""`books --history`: what happened to each day, and how soon what landed was looked at."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from rich import box
from rich.table import Table

from clearhouse.books.model import Totals, canonical_measures
from clearhouse.cli.app import out
from clearhouse.cli.words import amounts, counted
from clearhouse.pipeline.history import LOOKS, WITHIN_DAYS, DayHistory, Moment, looked_at_within

_COLUMNS = ("landed", "balanced", *LOOKS, "closed")
_Within = dict[str, dict[int, Totals]]


def show_history(domains: Mapping[str, Mapping[date, DayHistory]], *, as_json: bool) -> None:
    """What happened to the days of domains, as a table each or for a program, by domain."""
    if as_json:
        print(json.dumps({name: _as_data(found) for name, found in domains.items()}))
        return
    for name, found in domains.items():
        if len(domains) > 1:
            out.print(f"[bold]{name}[/]")
        _show(found)


def _show(found: Mapping[date, DayHistory]) -> None:
    total, within = _totals(found)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("date", *_COLUMNS):
        table.add_column(name, no_wrap=name == "date")
    for day, each in found.items():
        table.add_row(str(day), *(_cell(each.moments.get(name)) for name in _COLUMNS))
    out.print(table)
    for look, by_days in within.items():
        for days, seen in by_days.items():
            soon = f"{look.capitalize()} within {counted(days, 'day')} of landing"
            out.print(f"{soon}: {_share(seen, total)}.", soft_wrap=True)


def _cell(moment: Moment | None) -> str:
    return f"{moment.at:%Y-%m-%d %H:%M} {moment.run_id}" if moment else "–"


def _share(part: Totals, whole: Totals) -> str:
    shares = [f"{_percent(part.records, whole.records)} of {counted(whole.records, 'record')}"]
    for (currency, minor), written in zip(whole.amounts(), amounts(whole), strict=True):
        shares.append(f"{_percent(dict(part.amounts()).get(currency, 0), minor)} of {written}")
    return ", ".join(shares)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _totals(found: Mapping[date, DayHistory]) -> tuple[Totals, _Within]:
    """What landed, and what of it was audited and verified within so many days."""
    total = sum((each.totals for each in found.values()), Totals())
    return total, {
        look: {days: looked_at_within(found, look, days) for days in WITHIN_DAYS} for look in LOOKS
    }


def _as_data(found: Mapping[date, DayHistory]) -> dict[str, Any]:
    total, within = _totals(found)
    return {
        "days": [
            {
                "book_date": str(day),
                **{
                    name: {"at": f"{moment.at:%Y-%m-%dT%H:%M:%SZ}", "run_id": moment.run_id}
                    for name, moment in each.moments.items()
                },
            }
            for day, each in found.items()
        ],
        "landed": canonical_measures(total),
        **{
            f"{look}_within_days": {
                str(days): canonical_measures(seen) for days, seen in by_days.items()
            }
            for look, by_days in within.items()
        },
    }
