"""The `clearhouse` command: it says that it starts, and then imports what it consists of."""

from clearhouse.cli.heartbeat import heartbeat


def main() -> None:
    """Entry point of the `clearhouse` command."""
    with heartbeat.beating():
        heartbeat.at("starting")
        from clearhouse.cli.commands import execute
        from clearhouse.core.background import wait_for_imports

        heartbeat.at(None)
        try:
            execute()
        finally:
            wait_for_imports()
