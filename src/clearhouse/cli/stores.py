"""A domain opened for a command, and the right to change it."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearhouse.cli.app import settings, settings_of_stores
from clearhouse.cli.progress import under_way
from clearhouse.cli.waiting import alone
from clearhouse.domains import DOMAINS, domain_of
from clearhouse.home import check_home, is_read_only
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run, opened_to_read
from clearhouse.settings import Settings


def opened(config: Settings, domain: str) -> Run:
    """The domain's parts, opened; where that takes long, the command says so."""
    declared = domain_of(domain)
    with under_way("opening the stores"):
        return open_run(declared, config)


def asked_for(domain: str | None, run: Run | None = None) -> list[str]:
    """The domain that was named; or those that the books hold, in the order of the registry.

    Of empty books it is the first domain.

    Args:
        domain: the one that was named.
        run: a domain's parts, where they are open already.
    """
    if domain is not None:
        domain_of(domain)
        return [domain]
    first = next(iter(DOMAINS))
    held = (run or opened(settings_of_stores(), first)).books.domains()
    return [name for name in DOMAINS if name in held] or [first]


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


@contextmanager
def opened_to_audit(domain: str) -> Iterator[tuple[Run, bool]]:
    """The same for one who may have no right to change it, and whether he has."""
    config = settings()
    if is_read_only(config):
        check_home(config)
        with opened_to_read(domain_of(domain), config) as run:
            yield run, False
    else:
        with opened_alone(settings_of_stores(), domain) as run:
            yield run, True
