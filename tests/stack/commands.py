"""A stack of the tests' own, driven by the commands that its users type."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.native.servers import SERVERS
from deploy.native.servers.prometheus import TARGETS

REPOSITORY = Path(__file__).parents[2]
MEMORY = Path("/dev/shm")
LEAST_MEMORY = 12 << 30
"""In bytes. The servers of two workers hold up to 5 GB at a time."""


class Stack:
    """One stack: its folder, its ports, and the settings that it says to export.

    Args:
        servers: that it has; all if none is named.
        variables: of its commands.
    """

    def __init__(self, *servers: str, **variables: str) -> None:
        # Not pytest's temporary folder: root's may be entered by nobody else, and servers run as
        # another user.
        self.home = Path(tempfile.mkdtemp(prefix="clearhouse-stack-", dir=place_of_servers()))
        self.home.chmod(0o755)
        inherited = {
            name: text for name, text in os.environ.items() if not name.startswith("STACK_")
        }
        self.variables = {**variables, "STACK_SERVERS": ",".join(servers)}
        self._environment = {**inherited, **self.variables, "STACK_HOME": str(self.home)}

    def command(self, name: str) -> "subprocess.CompletedProcess[str]":
        """Run up, status or down."""
        return subprocess.run(
            [sys.executable, "-m", "deploy.native", name],
            cwd=REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self) -> str:
        """Start it; what was said on both streams."""
        done = self.command("up")
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def status(self) -> dict[str, tuple[str, int, int]]:
        """By server that runs or ran: its state, port and pid."""
        line = re.compile(r"^(\w+) +(\w+) .* port (\d+) +process (\d+) ", re.MULTILINE)
        said = self.command("status").stdout
        return {name: (state, int(port), int(pid)) for name, state, port, pid in line.findall(said)}

    def states(self) -> dict[str, str]:
        return {name: state for name, (state, _, _) in self.status().items()}

    def kill(self, *servers: str) -> None:
        """SIGKILL to servers, and wait until they are gone."""
        running = self.status()
        for server in servers:
            os.kill(running[server][2], signal.SIGKILL)
        deadline = time.monotonic() + 10
        while {(states := self.states())[server] for server in servers} != {"dead"}:
            assert time.monotonic() < deadline, f"one survived: {states}"

    @property
    def settings(self) -> dict[str, str]:
        """What its env file exports."""
        lines = (self.home / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def remove(self) -> None:
        """Stop it, and delete all that it kept."""
        self.command("down")
        shutil.rmtree(self.home)


def own_ports() -> dict[str, str]:
    """A free port for each server and each target of Prometheus, as the variables that set it."""
    servers = {f"STACK_{server.name.upper()}_PORT": free_port() for server in SERVERS}
    scraped = {f"STACK_{name.upper()}_TARGETS": f"127.0.0.1:{free_port()}" for name in TARGETS}
    return {**servers, **scraped}


def free_port() -> str:
    """A port of the system's choice, away from those that stacks choose by themselves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def place_of_servers() -> Path | None:
    """Memory where there is plenty, since servers sync each write; None: where temporary files are.

    A process that is killed loses nothing of what it wrote there.
    """
    if not MEMORY.is_dir():
        return None
    kib = re.search(r"^MemAvailable: +(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    assert kib
    plenty = min(int(kib[1]) << 10, shutil.disk_usage(MEMORY).free) >= LEAST_MEMORY
    return MEMORY if plenty else None
