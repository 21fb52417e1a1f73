"""The right to change a home and the books, waited for while another run has it."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearhouse.cli.heartbeat import heartbeat
from clearhouse.core.lock import only_run
from clearhouse.settings import Settings


@contextmanager
def alone(config: Settings, domain: str) -> Iterator[None]:
    """Be the only run of a domain in this home, and on books and an engine that are on servers.

    Standard error says when that takes a while.
    """
    # not before a command needs them
    from clearhouse.engines.servers import only_run_on_server
    from clearhouse.store.database import only_run_of_all_hosts

    def say() -> None:
        heartbeat.say(f"  Another run of {domain} is at work: waiting for it …")

    with (
        only_run(config.clearhouse_home, domain, on_wait=say),
        only_run_on_server(config.engine_of(domain), domain, on_wait=say),
        only_run_of_all_hosts(config.database_url, domain, on_wait=say),
    ):
        yield
