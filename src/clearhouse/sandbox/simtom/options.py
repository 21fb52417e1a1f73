"""What simtom in the sandbox can be asked to be."""

from dataclasses import dataclass
from typing import Literal

from clearhouse.sandbox.source import SourceOptions, option


@dataclass(frozen=True)
class SimtomOptions(SourceOptions):
    """The options of every source, and how many records a day has."""

    volume: Literal["asked", "formula"] = option(
        "asked",
        "asked: a day has base_daily_volume records; formula: as many as simtom's calendar gives.",
    )
