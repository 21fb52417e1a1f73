"""The declaration of simtom as a sandbox source."""

from collections.abc import Collection

from starlette.types import ASGIApp

from clearhouse.sandbox.simtom.options import SimtomOptions
from clearhouse.sandbox.source import SandboxSource


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
