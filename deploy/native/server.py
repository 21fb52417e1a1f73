"""What a server says of itself. A server is one file in `servers/` and a line in its registry."""

import signal
from dataclasses import dataclass, field
from typing import Protocol

from deploy.native.fetch import Installed
from deploy.native.place import Place


@dataclass(frozen=True)
class Launch:
    """How a server is started: in the folder of its programs, so ./ in the command is that."""

    command: list[str]
    env: dict[str, str] = field(default_factory=dict)


class Server(Protocol):
    """One server of the stack."""

    name: str
    """Its folder's name; STACK_<NAME>_PORT sets its port."""
    needs: tuple[str, ...]
    """Names of the servers that must serve before it is prepared, which `Place.peers` has."""
    default_port: int
    stop_signal: signal.Signals
    """Lets it finish in order."""

    def install(self) -> Installed:
        """Find its programs on the machine or in the cache, or fetch them.

        Raises:
            StackError: they can't be had; says what a person must do.
        """
        ...

    def prepare(self, place: Place) -> None:
        """Make its data folder and secrets, unless they are there."""
        ...

    def launch(self, place: Place) -> Launch:
        """How it is started."""
        ...

    def ailment(self, place: Place) -> str | None:
        """Why it can't serve at this moment, asked of the server itself. None: it serves."""
        ...

    def settings(self, place: Place) -> dict[str, str]:
        """Variables that users of the stack export."""
        ...

    def secrets(self, place: Place) -> list[str]:
        """What in its settings must not be shown on a screen."""
        ...
