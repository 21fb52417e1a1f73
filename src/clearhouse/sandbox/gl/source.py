"""The declaration of the ledger's service as a sandbox source."""

from collections.abc import Collection

from starlette.types import ASGIApp

from clearhouse.sandbox.gl.options import KEY, GlOptions
from clearhouse.sandbox.source import SandboxSource


def _create_app(options: GlOptions) -> ASGIApp:
    from clearhouse.sandbox.gl.app import create_app

    return create_app(options)


def _row_faults() -> Collection[str]:
    from clearhouse.sandbox.gl.day_faults import ROW_FAULTS

    return ROW_FAULTS


GL_SERVICE = SandboxSource(
    name="gl_service",
    description="the general ledger's service of an oil and gas operator",
    options=GlOptions,
    create_app=_create_app,
    row_faults=_row_faults,
    key=KEY,
)
