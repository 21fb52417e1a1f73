"""The hostile mode: a seeded plan that puts some of every fault on the days.

A function of seed and day alone; how many attempts a wire fault spoils is part of it. Days that
are bad by themselves (half of the volume, negative amounts) are no part of it: they can be added.
"""

import datetime as dt

from clearhouse.sandbox.faults import SLOW, WIRE_FAULTS
from clearhouse.sandbox.rng import Entity, stream

_REDELIVERED = "redelivered"
_LATE = "late"

# The position and number of the modes number the draws: a new one changes the plans of all seeds.
_BY_CHANCE = (
    *WIRE_FAULTS,
    _LATE,
    "corrected",
    "new_fields",
    "missing_fields",
    "wrong_types",
    "shadowed_fields",
    "broken_json",
    "duplicates",
    "restated_later",
)
MODES = (*_BY_CHANCE, _REDELIVERED)
"""Every mode that the plan has."""

_SHARE_OF_DAYS = 0.2
_SHARE_OF_SECOND_ATTEMPTS = 0.3


def faults_of(seed: int, day: dt.date) -> tuple[str, ...]:
    """The faults of a day, as on the command line; most days have three or four."""
    drawn = _drawn(seed, day)
    if _LATE in _drawn(seed, day - dt.timedelta(days=1)):
        return (*drawn.values(), _REDELIVERED)
    return tuple(drawn.values())


def _drawn(seed: int, day: dt.date) -> dict[str, str]:
    chance, more = stream(seed, Entity.HOSTILE, day.toordinal()).random((2, len(_BY_CHANCE)))
    return {
        kind: f"{kind}:2" if again and kind in WIRE_FAULTS and kind != SLOW else kind
        for kind, is_on, again in zip(
            _BY_CHANCE,
            (chance < _SHARE_OF_DAYS).tolist(),
            (more < _SHARE_OF_SECOND_ATTEMPTS).tolist(),
            strict=True,
        )
        if is_on
    }
