"""Who bears the cost of a lease and who has its revenue: decks of shares, eight decimals, exact.

Column 0 of a deck is the operator. In a cost deck partners follow (working interest); in a revenue
deck the same partners, then royalty and overriding owners (net revenue interest). A revenue deck is
by production month: an owner's title may pass to another.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import UNIT, cut, shares_of
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.properties import properties
from clearhouse.sandbox.rng import pick, stream

PARTNERS = 12
PARTNER_SLOTS, OWNER_SLOTS = 4, 6
_ROYALTIES = (12_500_000, 18_750_000, 20_000_000, 25_000_000)
_OVERRIDES = (0, 1_000_000, 2_000_000, 3_000_000, 5_000_000)
_OWNERS = 300  # at scale 1, beside the partners
_FEWEST_OWNERS = 30
_FIRST_ROYALTY_OWNER = 100
_TRANSFER_WITHIN_MONTHS = 48


@dataclass(frozen=True)
class Decks:
    """The decks of all leases.

    Attributes:
        cost: shares by lease: the operator, then partner slots.
        partner: number of the partner in each partner slot, -1 for none.
        revenue: shares by lease: the operator, then partner slots, then owner slots.
        owner: number of the owner in each slot after the operator's, -1 for none.
        passes_to, passes_in: of a lease's first royalty owner: who comes after, and from which
            production month (counted from the opening) on.
        owners: how many numbers of owners there are.
    """

    cost: Ints
    partner: Ints
    revenue: Ints
    owner: Ints
    passes_to: Ints
    passes_in: Ints
    owners: int

    def owners_at(self, lease: Ints, month: Ints) -> Ints:
        """Owner of each slot for rows of a lease and a production month."""
        owner = self.owner[lease]
        passed = month >= self.passes_in[lease]
        owner[passed, PARTNER_SLOTS] = self.passes_to[lease][passed]
        return owner


@lru_cache(maxsize=8)
def decks(seed: int, scale: float) -> Decks:
    """The decks of a ledger."""
    leases = properties(seed, scale).leases
    rng = stream(seed, Entity.DECKS, 0)
    u = rng.random((4, leases))
    working = _weights(leases, PARTNER_SLOTS, 1 + pick((0.3, 0.35, 0.2, 0.15), u[0]), rng)
    own = (35_000_000 + 60_000_000 * u[1]).astype(np.int64)
    cost = np.column_stack([own, cut(UNIT - own, shares_of(working))])
    royalty = np.array(_ROYALTIES)[pick((0.25, 0.3, 0.25, 0.2), u[2])]
    override = np.array(_OVERRIDES)[pick((0.4, 0.2, 0.15, 0.15, 0.1), u[3])]
    royal = _weights(leases, OWNER_SLOTS - 1, 1 + rng.integers(0, OWNER_SLOTS - 1, leases), rng)
    revenue = np.column_stack(
        [
            cut(UNIT - royalty - override, cost),
            cut(royalty, shares_of(royal)),
            override,
        ]
    )
    pool = max(_FEWEST_OWNERS, round(_OWNERS * scale))
    owner = np.column_stack(
        [
            _distinct(leases, PARTNER_SLOTS, PARTNERS, rng),
            _FIRST_ROYALTY_OWNER + _distinct(leases, OWNER_SLOTS, pool, rng),
        ]
    )
    owner[revenue[:, 1:] == 0] = -1
    return Decks(
        cost=cost,
        partner=np.where(cost[:, 1:] > 0, owner[:, :PARTNER_SLOTS], -1),
        revenue=revenue,
        owner=owner,
        passes_to=_FIRST_ROYALTY_OWNER + pool + np.arange(leases),
        passes_in=rng.integers(1, _TRANSFER_WITHIN_MONTHS, leases),
        owners=_FIRST_ROYALTY_OWNER + pool + leases,
    )


def _weights(rows: int, slots: int, used: Ints, rng: np.random.Generator) -> Ints:
    """Random weights, of the first slots that are used."""
    weights = rng.integers(10, 100, (rows, slots))
    return np.where(np.arange(slots) < used[:, None], weights, 0)


def _distinct(rows: int, slots: int, pool: int, rng: np.random.Generator) -> Ints:
    """Different numbers below pool in each row."""
    first = rng.integers(0, pool, (rows, 1))
    steps = np.cumsum(rng.integers(1, pool // slots, (rows, slots)), axis=1)
    numbers: Ints = (first + steps) % pool
    return numbers
