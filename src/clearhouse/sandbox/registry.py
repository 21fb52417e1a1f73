"""The sandbox sources, by name."""

from clearhouse.core.errors import UsageError
from clearhouse.sandbox.eia.source import EIA
from clearhouse.sandbox.gl.source import GL_SERVICE
from clearhouse.sandbox.payments.source import PROVIDERS
from clearhouse.sandbox.retail.source import RETAILERS
from clearhouse.sandbox.simtom.source import SIMTOM
from clearhouse.sandbox.source import SandboxSource

SOURCES: dict[str, SandboxSource] = {
    source.name: source for source in (SIMTOM, *RETAILERS, GL_SERVICE, EIA, PROVIDERS)
}


def source_named(name: str) -> SandboxSource:
    """The source of this name, or the one that stands for it.

    Raises:
        UsageError: there is none.
    """
    found = next((s for s in SOURCES.values() if name in (s.name, *s.stands_for)), None)
    if found is None:
        raise UsageError(
            f"{name!r} is not a source of the sandbox: choose from {', '.join(SOURCES)}.",
            "bad_source",
        )
    return found
