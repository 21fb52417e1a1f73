"""Shares of a day's records by class, as one query over its rows; what drift is measured of."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

_CLASS = "class_of_"


def amount_class(amount: str, edges: Sequence[int]) -> str:
    """The class of an amount as SQL, by edges in ascending order.

    Args:
        amount: SQL of the amount.
        edges: in units of it.
    """
    under = " ".join(f"WHEN {amount} < {edge} THEN 'under_{edge}'" for edge in edges)
    return f"CASE WHEN {amount} <= 0 THEN 'not_positive' {under} ELSE '{edges[-1]}_and_over' END"


def shares_sql(
    rows: str, distributions: Mapping[str, str], figures: Mapping[str, str], by: Sequence[str]
) -> str:
    """A query over a query of rows, whose answer `shares_of` reads.

    Columns: those of `by`, records, the figures, and for each distribution its class in the rows
    that count its classes. The rows in which no class stands count all of a group.

    Args:
        rows: the query.
        distributions: the class of a row as SQL, by name.
        figures: aggregates as SQL, by name.
        by: columns that a group is of.
    """
    classes = ", ".join(
        f"coalesce(CAST(({sql}) AS VARCHAR), '') AS {_CLASS}{name}"
        for name, sql in distributions.items()
    )
    own = "".join(f", {sql} AS {name}" for name, sql in figures.items())
    names = [f"{_CLASS}{name}" for name in distributions]
    group = ", ".join(by)
    sets = ", ".join(f"({group}, {name})" for name in names)
    return f"""
        SELECT {group}, count(*) AS records{own}, {", ".join(names)}
        FROM (SELECT judged.*, {classes} FROM ({rows}) AS judged) AS classed
        GROUP BY GROUPING SETS (({group}), {sets}) ORDER BY {group}"""


def shares_of(
    counts: pa.Table, distributions: Mapping[str, str], by: Sequence[str]
) -> list[dict[str, Any]]:
    """The answer of `shares_sql` as one profile a group, in their order.

    Keys: those of `by`, records, the figures, and for each distribution records by class; the
    class of a null is the empty text.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in counts.to_pylist():
        group = found.setdefault(
            tuple(row[name] for name in by), {name: {} for name in distributions}
        )
        named = [name for name in distributions if row[f"{_CLASS}{name}"] is not None]
        for name in named:
            group[name][row[f"{_CLASS}{name}"]] = row["records"]
        if not named:
            group |= {name: row[name] for name in row if not name.startswith(_CLASS)}
    for group in found.values():
        group |= {name: dict(sorted(group[name].items())) for name in distributions}
    return list(found.values())
