"""What a sandbox source declares: its options, its application, its faults."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp

from clearhouse.core.errors import ClearhouseError


class SandboxError(ClearhouseError):
    """The sandbox could not be started."""

    code = "sandbox_failed"


def option(default: Any, text: str) -> Any:
    """A field of an options class; `text` is its help on a command line."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class SourceOptions:
    """Options that every source has. A source adds its own in a subclass."""

    seed: int = option(42, "Seed of the data.")
    faults: Mapping[dt.date, tuple[str, ...]] = field(
        default_factory=dict, metadata={"help": "Faults by day, as 2024-01-03=duplicates."}
    )
    hostile: bool = option(False, "Some of every fault, on days chosen by the seed.")
    pause_seconds: float = option(0.0, "Pause between the days of an answer.")
    retry_after_seconds: int = option(1, "What a 503 or 429 asks the client to wait.")
    slow_seconds: float = option(0.5, "Pause of a slow day before each quarter of its answer.")


@dataclass(frozen=True)
class SandboxSource:
    """One stand-in for an outside system.

    Attributes:
        name: how it is named on a command line.
        description: one phrase for people.
        options: its class of options; the fields are its command-line options.
        create_app: its ASGI application for such options.
        row_faults: the names of the faults that its records can have.
        key: what a request must bear, where it must.
        stands_for: names of the pipeline's sources that it stands in for, where they are others.
    """

    name: str
    description: str
    options: type[SourceOptions]
    create_app: Callable[[Any], ASGIApp]
    row_faults: Callable[[], Collection[str]]
    key: str = ""
    stands_for: tuple[str, ...] = ()
