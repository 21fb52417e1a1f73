"""What the ledger's service in the sandbox can be asked to be."""

import datetime as dt
from dataclasses import dataclass, field

from clearhouse.sandbox.source import SourceOptions, option

KEY = "sandbox-key-gl"
"""The key that the ledger's service of the sandbox wants."""

KEY_WITHOUT_SCOPE = "sandbox-key-gl-without-scope"
"""A key that the service knows, but that may not read lines."""

_OPENED_ON = dt.date(2024, 1, 1)


@dataclass(frozen=True)
class GlOptions(SourceOptions):
    """The options of every source, and the ledger's."""

    scale: float = option(1.0, "Size of the operator (at 1 some 320,000 lines a year).")
    opened_on: dt.date = field(
        default=_OPENED_ON, metadata={"help": "The day on which the books are opened."}
    )
