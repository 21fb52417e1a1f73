"""What EIA in the sandbox can be asked to be."""

from dataclasses import dataclass

from clearhouse.sandbox.source import SourceOptions

KEY = "sandbox-eia-key"
"""The api_key that it wants."""


@dataclass(frozen=True)
class EiaOptions(SourceOptions):
    """The options of every source. Prices do not depend on the seed."""
