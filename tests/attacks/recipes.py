"""How each domain's home is made: by which faults of its sandbox a day gets its face."""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from attacks import payment_days
from attacks.groups import (
    ALL_HIDDEN,
    FIELDS,
    GONE,
    HIDDEN,
    LANDING,
    NO_KEYS,
    PIECES,
    ROWS,
    SERVICES,
    UNREGISTERED,
    VIEWS,
)
from clearhouse.domains import DOMAINS
from clearhouse.sandbox.eia.options import KEY as EIA_KEY
from clearhouse.sandbox.eia.options import EiaOptions
from clearhouse.sandbox.gl.options import KEY as GL_KEY
from clearhouse.sandbox.gl.options import GlOptions
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.payments.accounts import STRIPE_KEY
from clearhouse.sandbox.retail.options import KEYS, RetailOptions
from clearhouse.sandbox.server import running, running_sources

CLOSED, SEALED, RELEASED, HELD = (dt.date(2024, 1, 2) + dt.timedelta(days=n) for n in range(4))
"""Closed, and its last certificate is not the last; closed last, and it brings what hides records
of the day before; released, closed and reopened; held."""
DAYS = (CLOSED, SEALED, RELEASED, HELD)
NEVER = dt.date(2031, 1, 1)
"""A day that no home has."""
REGISTERED = patch.dict(DOMAINS, {"toy": "toy.domain:TOY"})
Faults = Mapping[dt.date, tuple[str, ...]]
Variables = Mapping[str, str]


@dataclass(frozen=True)
class Recipe:
    """How a domain's home is made.

    Attributes:
        faults: kinds of faults of the sandbox, by day.
        groups: of the attacks that are made on it; all, where it names none. The books are the
            same for each domain: another one like it need not suffer what only they are about.
        lacks: what its days don't have, and why: attacks on that are skipped.
        holds: how many gates hold the released day, one after the other.
        source: what stands in for the outside world while the home is made, as variables; without
            one, the faults are asked of the sandbox by `--fault`.
        arrivals: lets come to a home, before it is run, what its services take.
    """

    faults: Faults
    groups: Collection[str] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    holds: int = 1
    source: Callable[[Faults], AbstractContextManager[Variables]] | None = None
    arrivals: Callable[[Path, Collection[dt.date], Faults], None] | None = None


@contextmanager
def _small_simtom(faults: Faults) -> Iterator[Variables]:
    with running(SandboxOptions(volume="formula", faults=dict(faults))) as url:
        yield {"BNPL_API_URL": url, "BNPL_BASE_DAILY_VOLUME": "200"}


@contextmanager
def _small_retailers(faults: Faults) -> Iterator[Variables]:
    """Three retailers, of which the first has the faults: one bad line of a day is few enough."""
    options = {name: RetailOptions(scale=0.05) for name in KEYS}
    options["retailer_1"] = RetailOptions(scale=0.05, faults=dict(faults))
    with running_sources(options) as urls:
        yield {
            f"{name.upper()}_{part}": value
            for name, url in urls.items()
            for part, value in (("URL", url), ("KEY", KEYS[name]))
        }


@contextmanager
def _small_ledger(faults: Faults) -> Iterator[Variables]:
    """A small operator's ledger, which has the faults, and EIA."""
    options = {"gl_service": GlOptions(scale=0.2, faults=dict(faults)), "eia": EiaOptions()}
    with running_sources(options) as urls:
        yield {
            "GL_API_URL": urls["gl_service"],
            "GL_API_KEY": GL_KEY,
            "EIA_BASE_URL": urls["eia"],
            "EIA_API_KEY": EIA_KEY,
        }


@contextmanager
def _stripe(_faults: Faults) -> Iterator[Variables]:
    """Who itemizes payouts. The faults are those of what arrives."""
    with running_sources({"payment_providers": payment_days.providers(CLOSED)}) as urls:
        yield {"STRIPE_API_URL": urls["payment_providers"], "STRIPE_API_KEY": STRIPE_KEY}


OF_ITS_OWN_TABLES = (
    ROWS, FIELDS, NO_KEYS, LANDING, GONE, PIECES, VIEWS, UNREGISTERED, HIDDEN, ALL_HIDDEN,
)  # fmt: skip
"""Groups of the attacks that are on a domain's own tables, and not on the books alone."""

RECIPES = {
    "toy": Recipe(
        {
            CLOSED: ("unreadable",),
            SEALED: ("restated",),
            RELEASED: ("negative",),
            HELD: ("negative",),
        }
    ),
    "bnpl": Recipe(
        {
            CLOSED: ("shadowed_fields",),
            SEALED: ("late",),
            RELEASED: ("redelivered", "negative_amounts"),
            HELD: ("negative_amounts",),
        },
        groups=OF_ITS_OWN_TABLES,
        source=_small_simtom,
    ),
    "retail": Recipe(
        {
            CLOSED: ("shadowed_fields",),
            SEALED: ("late",),
            RELEASED: ("redelivered", "wrong_totals"),
            HELD: ("wrong_totals",),
        },
        groups=OF_ITS_OWN_TABLES,
        source=_small_retailers,
    ),
    "gl": Recipe(
        {  # an answer with a line of another day is held, so that the released day brings those
            CLOSED: ("new_fields",),
            RELEASED: ("redelivered", "unapproved"),
            HELD: ("unapproved",),
        },
        groups=OF_ITS_OWN_TABLES,
        lacks={"rejected": "a rejected line leaves its journal open, which dbt's tests refuse"},
        holds=2,
        source=_small_ledger,
    ),
    "payments": Recipe(
        {
            SEALED: (payment_days.SETTLED_TWICE,),
            RELEASED: (payment_days.AHEAD,),
            HELD: (payment_days.AHEAD,),
        },
        groups=(ROWS, FIELDS, NO_KEYS, LANDING, GONE, VIEWS, UNREGISTERED, ALL_HIDDEN, SERVICES),
        lacks={"rejected": "an event that breaks its contract holds its day"},
        source=_stripe,
        arrivals=payment_days.leave,
    ),
}
