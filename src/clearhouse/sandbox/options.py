"""What a sandbox is asked to be."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from clearhouse.core.errors import ClearhouseError, UsageError
from clearhouse.core.window import parse_day

Volume = Literal["asked", "formula"]


class SandboxError(ClearhouseError):
    """The sandbox could not be started."""

    code = "sandbox_failed"


@dataclass(frozen=True)
class SandboxOptions:
    """A world and how it misbehaves.

    Attributes:
        seed: the world that is served when a request names none (null or 0).
        volume: `asked`: a day has exactly `base_daily_volume` records; `formula`: as many as
            simtom's own calendar of weekdays, months and events makes of it.
        faults: by day, faults as on the command line: `negative_amounts`, `cut_stream:2`.
        pause_seconds: rest between the days of a range; simtom itself rests for 1 s.
        retry_after_seconds: what a 503 or 429 asks the client to wait.
        slow_seconds: rest of a `slow` day before each quarter of its answer.
        hostile: whether some of every fault is put on the days, by `seed`; `faults` come beside.
    """

    seed: int = 42
    volume: Volume = "asked"
    faults: Mapping[dt.date, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    pause_seconds: float = 0.0
    retry_after_seconds: int = 1
    slow_seconds: float = 0.5
    hostile: bool = False


def faults_from_text(items: Iterable[str]) -> dict[dt.date, tuple[str, ...]]:
    """Faults by day, from `2024-01-03=negative_amounts` and the like; a day may be named twice.

    Raises:
        UsageError: no `=`, or the left side is not a date. Kinds are judged by the registry.
    """
    by_day: dict[dt.date, tuple[str, ...]] = {}
    for item in items:
        day_text, found, fault = item.partition("=")
        if not found or not fault:
            raise UsageError(
                f"{item!r} is not a fault: write DATE=KIND, as 2024-01-03=negative_amounts.",
                "bad_fault",
            )
        day = parse_day(day_text)
        by_day[day] = (*by_day.get(day, ()), fault)
    return by_day


def faults_as_text(faults: Mapping[dt.date, tuple[str, ...]]) -> list[str]:
    """The inverse of `faults_from_text`."""
    return [f"{day}={fault}" for day, kinds in sorted(faults.items()) for fault in kinds]
