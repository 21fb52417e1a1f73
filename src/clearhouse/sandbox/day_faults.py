"""Faults of days as a whole: seeded, on what was drawn, before it is text."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from clearhouse.sandbox.record_faults import FAULTS_PER_DAY
from clearhouse.sandbox.rng import Rng, SharedEntity, stream

Drawn = TypeVar("Drawn")


def apply(
    faults: Mapping[str, Callable[[Drawn, Rng], Drawn]],
    kinds: Iterable[str],
    drawn: Drawn,
    seed: int,
    day: dt.date,
) -> Drawn:
    """The day as it comes with the named faults, one after the other; other names are ignored.

    The position of a fault numbers its random stream: a later fault stands at the end.
    """
    names = list(faults)
    for kind in kinds:
        if kind in faults:
            number = day.toordinal() * FAULTS_PER_DAY + names.index(kind)
            drawn = faults[kind](drawn, stream(seed, SharedEntity.DAY_FAULT, number))
    return drawn
