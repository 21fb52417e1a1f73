"""Where a stack keeps its data, secrets, ports and logs, and as whom its servers run."""

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

_OWN_PORTS = range(20000, 32768)  # below those that the system gives to outgoing connections


class StackError(Exception):
    """What stopped a command, in one sentence for the person who typed it."""


class Identity(TypedDict, total=False):
    """Arguments of subprocess that start a process as another user; empty: as this one."""

    user: int
    group: int
    extra_groups: list[int]


def unprivileged() -> Identity:
    """As whom servers run: as the caller, or for root as `postgres`, since PostgreSQL refuses root.

    Raises:
        StackError: the caller is root, and there is no such user.
    """
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        raise StackError(
            "Servers don't run as root: make a user for them (useradd --system postgres)."
        ) from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def write_private(path: Path, text: str, owner: Identity) -> None:
    """Put a file in place at once, readable by its owner alone."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if owner:
            os.fchown(file.fileno(), owner["user"], owner["group"])
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)


@dataclass(frozen=True)
class Place:
    """One server's folder in a stack's home, and the port and the programs that it runs with.

    Args:
        folder: data, secrets, log and the record of its process.
        port: on 127.0.0.1.
        programs: folder of its executables.
        identity: as whom it runs.
        peers: when it is started, places of the servers that serve already, by name. Those that it
            needs are among them.
    """

    folder: Path
    port: int
    programs: Path
    identity: Identity
    peers: Mapping[str, "Place"] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """What the server stores."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server writes to standard output and error, over all its starts."""
        return self.folder / "log"

    def secret(self, name: str) -> str:
        """A secret of this server. It is generated once, and kept in a file of mode 0600."""
        path = self.secret_file(name)
        if not path.exists():
            write_private(path, secrets.token_hex(20), self.identity)
        return path.read_text(encoding="utf-8")

    def secret_file(self, name: str) -> Path:
        """The file that `secret` reads."""
        return self.folder / f"{name}.secret"

    def own_programs(self) -> Path:
        """The programs once more, in this folder, for a server that opens them by their path.

        Its user may not be able to enter the folders above the cache. The name has the version.
        """
        folder = self.folder / self.programs.name
        if not folder.exists():
            staged = self.folder / "programs.new"
            shutil.rmtree(staged, ignore_errors=True)
            shutil.copytree(self.programs, staged, copy_function=_link)
            staged.rename(folder)
        return folder

    def own_ports(self, count: int) -> range:
        """Free ports in a row for connections that the server makes to itself.

        They are those of its last start, if these are free. Else they begin anywhere, so that two
        stacks that start at the same time take different ones.
        """
        kept = self.folder / "own_ports"
        first = int(kept.read_text()) if kept.exists() else secrets.choice(_OWN_PORTS[:-count])
        while not all(port_is_free(port) for port in range(first, first + count)):
            first = secrets.choice(_OWN_PORTS[:-count])
        kept.write_text(str(first))
        return range(first, first + count)

    def make_data(self, fill: Callable[[Path], None]) -> None:
        """Make the data folder unless it is there: whole, or not at all.

        Args:
            fill: puts into an empty folder what the server expects at its first start.
        """
        if self.data.exists():
            return
        staged = self.folder / "data.new"
        if staged.exists():
            shutil.rmtree(staged)
        make_folder(staged, self.identity)
        fill(staged)
        staged.rename(self.data)


def _link(source: str, target: str) -> None:
    """A second name of a file, or a copy where the target is on another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def make_folder(path: Path, owner: Identity) -> None:
    """Make a folder that its owner alone can enter, unless it is there."""
    path.mkdir(mode=0o700, exist_ok=True)
    if owner:
        os.chown(path, owner["user"], owner["group"])


class Home:
    """The folder of one stack. Two of them know nothing of each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def env_file(self) -> Path:
        """What users of the stack export, secrets included. Mode 0600."""
        return self.folder / "env"

    def of(self, name: str) -> Path:
        """A server's folder, which may not be there yet."""
        return self.folder / name

    def enter(self, identity: Identity) -> None:
        """Check that the servers' user can reach the folder.

        Raises:
            StackError: it can't.
        """
        reached = subprocess.run(
            ["test", "-x", str(self.folder)], check=False, cwd="/", **identity
        ).returncode
        if reached != 0:
            raise StackError(
                f"The user postgres, as which servers run for root, can't reach {self.folder}: "
                "set STACK_HOME to a folder that it can, for example /var/tmp/clearhouse-stack."
            )

    def port(self, name: str, default: int) -> int:
        """The port of a server: STACK_<NAME>_PORT, or the one of its first start.

        At the first start that is its default port, or the next one that is free. So stacks of two
        checkouts don't collide, and a stack keeps its URLs.

        Raises:
            StackError: the variable holds no port.
        """
        variable = f"STACK_{name.upper()}_PORT"
        given = os.environ.get(variable, "")
        if given:
            if not (given.isdecimal() and 1024 <= int(given) <= 65535):
                raise StackError(f"{variable}={given} is no port from 1024 to 65535.")
            return int(given)
        kept = self.of(name) / "port"
        if not kept.exists():
            free = next(port for port in range(default, 65536) if port_is_free(port))
            kept.write_text(str(free))
        return int(kept.read_text())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one command at a time start or stop servers; a second one waits."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 there. Closed connections don't count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
