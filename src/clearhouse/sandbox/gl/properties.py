"""The operator's properties: leases and their wells, each in a county of its basin.

Wells are numbered: first those that produce when the books are opened, then those that will be
drilled, in the order of their AFEs.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.gl.numbers import Entity, Floats, Ints
from clearhouse.sandbox.gl.places import BASINS, STATES
from clearhouse.sandbox.rng import pick, stream

WELLS = 205  # at scale 1
FEWEST_WELLS = 12
_WELLS_A_LEASE = 4
PROJECTS_A_YEAR = 12
_FEWEST_PROJECTS = 3
_PLANNED_YEARS = 30
DRY_EVERY, _FIRST_DRY = 9, 1

# fmt: off
_RANCHES = (
    "Adams", "Ashby", "Barrow", "Beckett", "Calloway", "Carver", "Dalton", "Draper",
    "Eastman", "Ellison", "Farrow", "Fulton", "Garza", "Granger", "Hadley", "Holcomb",
    "Ivers", "Jarrell", "Kessler", "Langford", "Lockhart", "Maddox", "Merritt", "Norwood",
    "Oakes", "Pruitt", "Quinlan", "Ramsey", "Rowland", "Sawyer", "Stroud", "Tidwell",
    "Upshaw", "Vance", "Weller", "Yates",
)
# fmt: on
_KINDS = ("Ranch", "Unit", "State", "Trust", "Federal", "Heirs")

_BASIN_OF_COUNTY = [at for at, basin in enumerate(BASINS) for _ in basin.counties]
_COUNTIES = [county for basin in BASINS for county in basin.counties]


@dataclass(frozen=True)
class Properties:
    """Leases and wells, as columns.

    Attributes:
        opened: how many wells produce from the start.
        dry: of a well, whether it will be a dry hole.
        projects_a_year: how many wells are drilled.
        lease: of a well. county, basin, state: of a well.
        oil_bbl, gas_mcf, decline, curve, age: of a well: first rates a day, hyperbolic decline (a
            month) and its exponent, months produced when the books are opened.
        retirement_cents: of a well, the operator's part of what its plugging is valued at.
        well_ids, api_numbers, lease_names, property_ids, cost_centers, states, counties, basins:
            text of each well.
    """

    opened: int
    projects_a_year: int
    lease: Ints
    county: Ints
    basin: Ints
    state: Ints
    dry: NDArray[np.bool_]
    oil_bbl: Floats
    gas_mcf: Floats
    decline: Floats
    curve: Floats
    age: Floats
    retirement_cents: Ints
    leases: int
    well_ids: list[str]
    api_numbers: list[str]
    lease_names: list[str]
    property_ids: list[str]
    cost_centers: list[str]
    states: list[str]
    counties: list[str]
    basins: list[str]

    def __len__(self) -> int:
        return len(self.lease)


@lru_cache(maxsize=8)
def properties(seed: int, scale: float) -> Properties:
    """The properties of a ledger."""
    rng = stream(seed, Entity.WELLS, 0)
    opened = max(FEWEST_WELLS, round(WELLS * scale))
    a_year = max(_FEWEST_PROJECTS, round(PROJECTS_A_YEAR * scale))
    wells = opened + a_year * _PLANNED_YEARS
    leases = max(1, opened // _WELLS_A_LEASE)
    lease = np.concatenate(
        [np.arange(opened) % leases, rng.integers(0, leases, wells - opened)]
    ).astype(np.int64)
    county = _counties(leases, rng.random((2, leases)))[lease]
    basin = np.array(_BASIN_OF_COUNTY)[county]
    project = np.arange(wells) - opened
    u = rng.random((6, wells))
    strength = np.exp(0.5 * rng.standard_normal(wells))
    serial = 1_001 + rng.permutation(max(8_999, wells))[:wells]
    property_number = 10_000 + rng.permutation(max(90_000, leases))[:leases]
    of_county = [_COUNTIES[at] for at in county]
    names = _lease_names(leases)
    return Properties(
        opened=opened,
        projects_a_year=a_year,
        lease=lease,
        county=county,
        basin=basin,
        state=np.array([STATES.index(each.state) for each in of_county]),
        dry=(project >= 0) & (project % DRY_EVERY == _FIRST_DRY),
        oil_bbl=np.array([each.oil_bbl for each in BASINS])[basin] * strength,
        gas_mcf=np.array([each.gas_mcf for each in BASINS])[basin] * strength,
        decline=0.05 + 0.06 * u[0],
        curve=0.8 + 0.5 * u[1],
        age=np.where(project < 0, 2 + 110 * u[2], 0.0),
        retirement_cents=(40_000 + 90_000 * u[3]).astype(np.int64) * 100,
        leases=leases,
        well_ids=[f"{BASINS[b].code}-{n}" for b, n in zip(basin, serial, strict=True)],
        api_numbers=[
            f"{place.api}{20_000 + n:05}0000" for place, n in zip(of_county, serial, strict=True)
        ],
        lease_names=[names[at] for at in lease],
        property_ids=[
            f"PROP-{place.state}-{property_number[at]}"
            for place, at in zip(of_county, lease, strict=True)
        ],
        cost_centers=[
            f"CC-{BASINS[b].region}-{1 + at % 5}" for b, at in zip(basin, lease, strict=True)
        ],
        states=[place.state for place in of_county],
        counties=[place.name for place in of_county],
        basins=[BASINS[at].name for at in basin],
    )


def _counties(leases: int, u: Floats) -> Ints:
    """The county of each lease; every basin has one before any has more by chance."""
    basin = pick([each.share for each in BASINS], u[0])
    basin[: len(BASINS)] = np.arange(len(BASINS))[:leases]
    first = np.searchsorted(_BASIN_OF_COUNTY, basin)
    size = np.array([len(each.counties) for each in BASINS])[basin]
    county: Ints = first + (u[1] * size).astype(np.int64)
    return county


def _lease_names(leases: int) -> list[str]:
    """One name a lease; where the ranches come again, they are numbered."""
    names = []
    for at in range(leases):
        turn, ranch = divmod(at, len(_RANCHES))
        name = f"{_RANCHES[ranch]} {_KINDS[at // 7 % len(_KINDS)]}"
        names.append(f"{name} {1 + turn}" if turn else name)
    return names
