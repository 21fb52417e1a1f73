"""Making what is promised of a source: shares pooled over healthy days, and how far those differ.

Grain of what is pooled: a month of a world, each world with the same weight. A world is a source's
days, or those of one seed of a sandbox.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LEAST_TOLERANCE_NATS = 0.0005
TOLERANCE_FACTOR = 2.0
MONTH_DAYS = 30

World = Sequence[Mapping[str, Any]]
"""Profiles of days (`quality.shares.shares_of`), in their order."""


def shares(counts: Iterable[Mapping[str, int]]) -> dict[str, float]:
    """Shares by class over all the days of some counts."""
    total: Counter[str] = Counter()
    for day in counts:
        total.update(day)
    return {name: count / total.total() for name, count in sorted(total.items())}


def pooled(worlds: Sequence[World], watched: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What is promised of each distribution: `shares`, and the `tolerance_nats` around them.

    The tolerance is twice the farthest that any month lies from the pool: what differs between
    healthy worlds and seasons, as far as it was seen.

    Args:
        worlds: each with at least one day.
        watched: names of the distributions.
    """
    months = [w[at : at + MONTH_DAYS] for w in worlds for at in range(0, len(w), MONTH_DAYS)]
    return {
        name: _distribution(
            [shares(day[name] for day in world) for world in worlds],
            [shares(day[name] for day in month) for month in months],
        )
        for name in watched
    }


def _distribution(
    worlds: Sequence[Mapping[str, float]], months: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    classes = sorted({name for world in worlds for name in world})
    pool = {c: sum(world.get(c, 0.0) for world in worlds) / len(worlds) for c in classes}
    farthest = max(
        sum(share * math.log(share / pool[c]) for c, share in month.items()) for month in months
    )
    tolerance = max(LEAST_TOLERANCE_NATS, TOLERANCE_FACTOR * farthest)
    return {
        "tolerance_nats": round(tolerance, 5),
        "shares": {c: round(share, 5) for c, share in pool.items()},
    }
