"""The sandbox sources, by name."""

from clearhouse.core.errors import UsageError
from clearhouse.sandbox.gl.source import GL_SERVICE
from clearhouse.sandbox.retail.source import RETAILERS
from clearhouse.sandbox.simtom.source import SIMTOM
from clearhouse.sandbox.source import SandboxSource

SOURCES: dict[str, SandboxSource] = {
    source.name: source for source in (SIMTOM, *RETAILERS, GL_SERVICE)
}


def source_named(name: str) -> SandboxSource:
    """The source of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in SOURCES:
        raise UsageError(
            f"{name!r} is not a source of the sandbox: choose from {', '.join(SOURCES)}.",
            "bad_source",
        )
    return SOURCES[name]
