"""The forgery that keeps count, sum and additive hash: money moved between 32 rows of one day.

The hash is a sum of 60-bit parts without a key. So it is a generalized-birthday search (Wagner's
tree over 16 lists): of 16 pairs of rows, how much is moved from one to the other, so that what
changes in the sum comes to nothing.
"""

import datetime as dt

import duckdb
import numpy as np
import numpy.typing as npt

from attacks.attack import NotThereError
from attacks.homes import Home, Row
from attacks.stores import rewrite
from clearhouse.core.columnar import DIALECT
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.core.money import Money

_PAIRS = 16
_BITS = 13
"""So many are brought to nothing at each of three levels; as many choices are looked at a pair."""
Numbers = npt.NDArray[np.uint64]
Pairs = list[tuple[Row, Row]]


def _changes(one: Row, other: Row) -> Numbers:
    """By the minor units that are moved from the second row to the first, what the sum changes."""
    moves = f"FROM range({2**_BITS + 1}) AS moves(n)"
    sums = duckdb.execute(
        f"""SELECT CAST({DIALECT.hash_sum("minor")} AS BIGINT) AS sum FROM (
            SELECT n, $1 AS _record_id, $2::BIGINT + n AS minor, $3 AS currency {moves}
            UNION ALL SELECT n, $4, $5::BIGINT - n, $6 {moves}) GROUP BY n ORDER BY n""",
        [part for r in (one, other) for part in (r.record_id, r.amount.minor, r.amount.currency)],
    ).fetchnumpy()["sum"]
    return (sums[1:] - sums[0]).view(np.uint64)


def _joined(one: Numbers, other: Numbers, shift: int, bits: int) -> tuple[Numbers, Numbers]:
    """The places in two lists of which the sums have bits of nothing; lower ones are nothing."""
    mask = np.uint64((1 << bits) - 1)
    left = (one >> np.uint64(shift)) & mask
    right = (np.uint64(0) - (other >> np.uint64(shift))) & mask
    order = np.argsort(right, kind="stable")
    begin = np.searchsorted(right[order], left, "left")
    counts = np.searchsorted(right[order], left, "right") - begin
    at = np.repeat(np.arange(len(one)), counts)
    nth = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    return at, order[np.repeat(begin, counts) + nth]


def _moved(pairs: Pairs) -> list[int]:
    """How much is to be moved in each pair; nothing where no way was found."""
    sums = [_changes(*pair) for pair in pairs]
    chosen = [np.arange(1, 2**_BITS + 1)[:, None] for _ in pairs]
    shift = 0
    while len(sums) > 1:
        bits = _BITS if len(sums) > 2 else 64 - shift
        halves = [(_joined(sums[n], sums[n + 1], shift, bits), n) for n in range(0, len(sums), 2)]
        chosen = [np.hstack([chosen[n][a], chosen[n + 1][b]]) for (a, b), n in halves]
        sums = [sums[n][a] + sums[n + 1][b] for (a, b), n in halves]
        shift += bits
    return [int(n) for some in chosen[0][:1] for n in some]


def _search(rows: list[Row]) -> tuple[Pairs, list[int]]:
    """Pairs of the rows, and how much is to be moved in each."""
    for n in range(len(rows)):
        pairs = list(zip(rows[::2], [*rows[1::2][n:], *rows[1::2][:n]], strict=True))
        if found := _moved(pairs):
            return pairs, found
    raise AssertionError("no way was found to keep the sum")


def forged(home: Home, day: dt.date) -> list[str]:
    """Change the gold of a day; what became of each record, the most first."""
    if len(home.rows[day]) < 2 * _PAIRS:
        raise NotThereError(f"{day} has fewer than {2 * _PAIRS} records")
    rows = [home.take(day) for _ in range(2 * _PAIRS)]
    pairs, moved = _search(rows)
    contract, amount = home.at.contract, home.at.contract.amount.name
    changes = [
        (row, sign * n)
        for pair, n in zip(pairs, moved, strict=True)
        for row, sign in zip(pair, (1, -1), strict=True)
    ]
    cases = [
        f"WHEN '{row.record_id}' THEN {home.at.amount(n, row.amount.currency):f}"
        for row, n in changes
    ]
    more = f"CASE _record_id {' '.join(cases)} ELSE 0 END"
    path = home.at.gold[day]
    minor, currency = amount_sql(contract, DIALECT)
    figures = f"""SELECT count(*), sum({minor}), {
        DIALECT.hash_sum(minor).replace("|| currency", f"|| {currency}")
    } FROM read_parquet('{path}')"""
    before = duckdb.sql(figures).fetchall()
    of = contract.amount.arrow_type
    kind = "BIGINT" if contract.amount.is_minor else f"DECIMAL({of.precision}, {of.scale})"
    typed = f"CAST({amount} + {more} AS {kind})"
    rewrite(home, "gold", day, f"SELECT * REPLACE ({typed} AS {amount}) FROM rows")
    assert duckdb.sql(figures).fetchall() == before
    told = [
        (
            abs(n),
            f"{row.name}: {row.amount} became {Money(row.amount.minor + n, row.amount.currency)}",
        )
        for row, n in changes
    ]
    return [text for _, text in sorted(told, reverse=True)]
