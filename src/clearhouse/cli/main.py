"""The `clearhouse` command: it says that it starts, and then imports what it consists of."""

import sys

from clearhouse.cli.heartbeat import heartbeat
from clearhouse.cli.interrupt import interrupt
from clearhouse.cli.streams import use_streams
from clearhouse.core.background import wait_for_imports
from clearhouse.core.collecting import collect_rarely
from clearhouse.core.deferred import leave_out
from clearhouse.core.ending import QuickEnd
from clearhouse.core.environment import take_no_foreign_settings

_SECONDS_BETWEEN_THREADS = 0.0005


def main() -> None:
    """Entry point of the `clearhouse` command."""
    end = QuickEnd()
    use_streams()
    take_no_foreign_settings()
    leave_out("pandas")  # only the process that judges uses it
    collect_rarely()
    # While imports and dbt hold the interpreter, who waits for the network or the disk should not
    # wait for it by the default of 5 ms each time.
    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    interrupt.watch()
    with heartbeat.beating():
        try:
            heartbeat.at("starting")
            from clearhouse.cli.commands import execute

            heartbeat.at(None)
            execute()
        except BaseException as ended:
            is_done = isinstance(ended, SystemExit) and not ended.code
            if not is_done:
                interrupt.leave_if_asked()
            end.note(ended)
            raise
        finally:
            wait_for_imports()
