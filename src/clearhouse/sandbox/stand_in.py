"""A sandbox source in place of one that is not set: started when it is first asked for."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache

from clearhouse.core.errors import UsageError
from clearhouse.sandbox.faults import Fault
from clearhouse.sandbox.registry import source_named


def knows(sources: Sequence[str], kind: str) -> bool:
    """Whether one of these sources can have a fault, written `<kind>` or `<source>.<kind>`."""
    name, dot, own = kind.rpartition(".")
    for each in sources:
        if dot and each != name:
            continue
        try:
            Fault.parse(own, source_named(each).row_faults())
        except UsageError:
            continue
        return True
    return False


@contextmanager
def stand_in(
    name: str, seed: int, faults: Mapping[dt.date, Sequence[str]]
) -> Iterator[tuple[Callable[[], str], str]]:
    """What gives the URL of a sandbox source, and what the books call it: its seed and faults.

    Raises:
        UsageError: there is no such fault.
    """
    source = source_named(name)
    seeded = {day: tuple(kinds) for day, kinds in faults.items()}
    for kind in (kind for kinds in seeded.values() for kind in kinds):
        Fault.parse(kind, source.row_faults())
    named = ",".join(f"{day}={'+'.join(kinds)}" for day, kinds in sorted(seeded.items()))
    with ExitStack() as stack:

        @cache
        def start() -> str:
            from clearhouse.sandbox.server import running_sources

            options = source.options(seed=seed, faults=seeded)
            return stack.enter_context(running_sources({name: options}))[name]

        yield start, f"sandbox:{seed}" + (f":{named}" if named else "")
