"""What a retailer in the sandbox can be asked to be."""

from dataclasses import dataclass

from clearhouse.sandbox.source import SourceOptions, option

KEYS = {name: f"sandbox-key-{name[-1]}" for name in ("retailer_1", "retailer_2", "retailer_3")}
"""The key that each retailer of the sandbox wants, by its name."""


@dataclass(frozen=True)
class RetailOptions(SourceOptions):
    """The options of every source, and how many sales a day has."""

    scale: float = option(1.0, "Sales a day, relative to the usual (some 570 lines a day).")
