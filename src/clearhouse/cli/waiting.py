"""The right to change a home, waited for while another run has it."""

from contextlib import AbstractContextManager

from clearhouse.cli.heartbeat import heartbeat
from clearhouse.core.lock import only_run
from clearhouse.settings import Settings


def alone(config: Settings, domain: str) -> AbstractContextManager[None]:
    """Be the only run of a domain in this home; standard error says when that takes a while."""
    return only_run(
        config.clearhouse_home,
        domain,
        on_wait=lambda: heartbeat.say(f"  Another run of {domain} is at work: waiting for it …"),
    )
