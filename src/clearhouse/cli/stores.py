"""A domain opened for a command, and the right to change it."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearhouse.cli.progress import under_way
from clearhouse.cli.waiting import alone
from clearhouse.domains import domain_of
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import Settings


def opened(config: Settings, domain: str) -> Run:
    """The domain's parts, opened; where that takes long, the command says so."""
    declared = domain_of(domain)
    with under_way("opening the stores"):
        return open_run(declared, config)


@contextmanager
def opened_alone(config: Settings, domain: str) -> Iterator[Run]:
    """The same while no run of the domain is at work."""
    declared = domain_of(domain)
    with alone(config, domain):
        with under_way("opening the stores"):
            run = open_run(declared, config)
        try:
            yield run
        finally:
            run.engine.close()
