"""The declaration of simtom as a sandbox source."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from starlette.types import ASGIApp

from clearhouse.sandbox.source import SandboxSource, SourceOptions, option


@dataclass(frozen=True)
class SimtomOptions(SourceOptions):
    """The options of every source, and how many records a day has."""

    volume: Literal["asked", "formula"] = option(
        "asked",
        "asked: a day has base_daily_volume records; formula: as many as simtom's calendar gives.",
    )


def _create_app(options: SimtomOptions) -> ASGIApp:
    from clearhouse.sandbox.simtom.app import create_app

    return create_app(options)


def _row_faults() -> Collection[str]:
    from clearhouse.sandbox.simtom.faults import ROW_FAULTS

    return ROW_FAULTS


SIMTOM = SandboxSource(
    name="simtom",
    description="simtom, the BNPL lender's API",
    options=SimtomOptions,
    create_app=_create_app,
    row_faults=_row_faults,
)
