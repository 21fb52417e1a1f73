"""The hostile mode: a seeded plan that puts some of every fault on the days."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from clearhouse.sandbox.faults import DOWN, SLOW, WIRE_FAULTS
from clearhouse.sandbox.rng import SharedEntity, stream

_SHARE_OF_DAYS = 0.2
_SHARE_OF_SECOND_ATTEMPTS = 0.3
_ONCE = frozenset({SLOW, DOWN})


@dataclass(frozen=True)
class HostilePlan:
    """Faults by day: a function of seed and day alone.

    Attributes:
        by_chance: faults that are on for one day in five each. Their number and positions fix the
            draws: a change of either changes the plans of all seeds.
        sequels: for some of them, the fault of the day after.
    """

    by_chance: tuple[str, ...]
    sequels: Mapping[str, str] = field(default_factory=dict)

    @property
    def modes(self) -> tuple[str, ...]:
        """Every fault that the plan has."""
        return (*self.by_chance, *self.sequels.values())

    def faults_of(self, seed: int, day: dt.date) -> tuple[str, ...]:
        """The faults of a day, as on the command line."""
        before = self._drawn(seed, day - dt.timedelta(days=1))
        sequels = (sequel for kind, sequel in self.sequels.items() if kind in before)
        return (*self._drawn(seed, day).values(), *sequels)

    def _drawn(self, seed: int, day: dt.date) -> dict[str, str]:
        rng = stream(seed, SharedEntity.HOSTILE, day.toordinal())
        chance, more = rng.random((2, len(self.by_chance)))
        return {
            kind: f"{kind}:2" if again and kind in WIRE_FAULTS and kind not in _ONCE else kind
            for kind, is_on, again in zip(
                self.by_chance,
                (chance < _SHARE_OF_DAYS).tolist(),
                (more < _SHARE_OF_SECOND_ATTEMPTS).tolist(),
                strict=True,
            )
            if is_on
        }
