"""The declarations of the three retailers as sandbox sources."""

from collections.abc import Collection
from functools import partial

from starlette.types import ASGIApp

from clearhouse.sandbox.retail.options import KEYS, RetailOptions
from clearhouse.sandbox.source import SandboxSource


def _create_app(name: str, options: RetailOptions) -> ASGIApp:
    from clearhouse.sandbox.retail.app import create_app

    return create_app(name, options)


def _row_faults() -> Collection[str]:
    from clearhouse.sandbox.retail.faults import ROW_FAULTS

    return ROW_FAULTS


RETAILERS = tuple(
    SandboxSource(
        name=name,
        description=f"{name}, a retailer's sales API",
        options=RetailOptions,
        create_app=partial(_create_app, name),
        row_faults=_row_faults,
        key=key,
    )
    for name, key in KEYS.items()
)
