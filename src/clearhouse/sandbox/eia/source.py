"""The declaration of EIA as a sandbox source."""

from collections.abc import Collection

from starlette.types import ASGIApp

from clearhouse.sandbox.eia.options import KEY, EiaOptions
from clearhouse.sandbox.source import SandboxSource


def _create_app(options: EiaOptions) -> ASGIApp:
    from clearhouse.sandbox.eia.app import create_app

    return create_app(options)


def _row_faults() -> Collection[str]:
    from clearhouse.sandbox.eia.faults import ROW_FAULTS

    return ROW_FAULTS


EIA = SandboxSource(
    name="eia",
    description="EIA's API v2, energy prices",
    options=EiaOptions,
    create_app=_create_app,
    row_faults=_row_faults,
    key=KEY,
    stands_for=("eia_petroleum", "eia_natural_gas"),
)
