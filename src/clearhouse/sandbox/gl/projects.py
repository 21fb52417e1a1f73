"""Wells that are drilled: one AFE each, from its approval to production or to a dry hole."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.sandbox.gl.chart import COMPLETION, DRILLING, EQUIPMENT
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.places import BASINS
from clearhouse.sandbox.gl.world import World

PHASES = ((DRILLING, 0.24), (DRILLING, 0.18), (COMPLETION, 0.42), (EQUIPMENT, 0.16))
"""What is spent in the months of a project, by account, and its share of the budget."""
DRY_MONTHS = 2


@dataclass(frozen=True)
class Projects:
    """Projects by number.

    Attributes:
        well: of each. begins: month of its approval. budget_cents: 8/8.
        numbers: `AFE-2024-1234`.
    """

    well: Ints
    begins: Ints
    budget_cents: Ints
    numbers: list[str]

    def in_phase(self, month: int, phase: int) -> Ints:
        """The projects that are so many months after their approval."""
        return np.flatnonzero(self.begins == month - phase)


@lru_cache(maxsize=8)
def projects(world: World) -> Projects:
    """The projects of a ledger."""
    wells = world.properties
    project = np.arange(len(wells) - wells.opened)
    well = project + wells.opened
    begins = 1 + project * 12 // wells.projects_a_year
    rng = world.rng(Entity.PROJECTS, 0)
    cost = np.array([each.well_cost for each in BASINS])[wells.basin[well]]
    budget = (cost * (0.8 + 0.4 * rng.random(len(well)))).astype(np.int64) // 1_000 * 100_000
    serial = 1_000 + rng.permutation(max(9_000, len(well)))[: len(well)]
    years = world.opened_on.year + (world.opened_on.month - 1 + begins) // 12
    numbers = [f"AFE-{year}-{number}" for year, number in zip(years, serial, strict=True)]
    return Projects(well, begins, budget, numbers)


def starts(world: World) -> Ints:
    """The first month of production of each well; of a dry hole too, as if it were none."""
    wells = world.properties
    began = np.zeros(len(wells), dtype=np.int64)
    began[wells.opened :] = projects(world).begins + len(PHASES)
    return began
