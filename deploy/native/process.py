"""Server processes: started apart from the terminal, recognized later, and stopped by their record.

A pid alone is no proof: it may belong to another process by now. So the record also holds when the
process began, in clock ticks, and the id of the machine's boot.
"""

import json
import os
import select
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from deploy.native.place import Identity, write_private

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Record:
    """A process that was started for a server.

    Args:
        began: when, in ticks since the boot that `boot` names.
        programs: folder of the executables that it was started from.
    """

    pid: int
    began: int
    boot: str
    port: int
    version: str
    programs: str

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """The record in a server's folder. None: the server was never started, or was stopped."""
        try:
            return cls(**json.loads((folder / "process.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def keep(self, folder: Path) -> None:
        """Write it to a server's folder."""
        write_private(folder / "process.json", json.dumps(asdict(self)), {})

    @staticmethod
    def drop(folder: Path) -> None:
        """Forget the process: it was stopped."""
        (folder / "process.json").unlink(missing_ok=True)

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return self.boot == _boot() and self.began == _began(self.pid)

    def leaves_traces(self) -> bool:
        """Whether its pid is still taken by it: it ended, and init hasn't reaped it."""
        return self.boot == _boot() and _state(self.pid) == ("Z", self.began)


def start(
    command: list[str], env: dict[str, str], programs: Path, log: Path, identity: Identity
) -> "subprocess.Popen[bytes]":
    """Start a server in a session of its own, with an environment of its own.

    It starts in the folder of its programs, so that a command may name them relative to it: that
    works below folders which its user may not enter, such as root's cache.
    """
    base = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env={**base, **env},
            cwd=programs,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **identity,
        )


def record(pid: int, port: int, version: str, programs: Path) -> Record:
    """The record of a process that was just started."""
    return Record(pid, _began(pid) or 0, _boot(), port, version, str(programs))


def stop(recorded: Record, how: signal.Signals, patience_s: float) -> bool:
    """End the recorded process, and no other one.

    Args:
        recorded: the process.
        how: the signal that lets the server finish in order.
        patience_s: after that it is killed.

    Returns:
        Whether it ended in order, or had ended before.
    """
    try:
        process = os.pidfd_open(recorded.pid)
    except ProcessLookupError:
        return True
    try:
        if not recorded.is_alive():  # asked after the opening: the descriptor can't change owners
            return True
        signal.pidfd_send_signal(process, how)
        if _ends(process, patience_s):
            return True
        signal.pidfd_send_signal(process, signal.SIGKILL)
        _ends(process, patience_s)
        return False
    finally:
        os.close(process)


def orphans(programs: Path, data: Path) -> list[int]:
    """Pids of processes that a killed server left at work in its data folder.

    A PostgreSQL session in the middle of a query doesn't see that its postmaster is gone.
    """
    found = []
    for entry in Path("/proc").iterdir():
        try:
            works_there = (entry / "cwd").readlink() == data
            if works_there and (entry / "exe").readlink().parent == programs:
                found.append(int(entry.name))
        except OSError:  # it ended meanwhile, or is another user's, or is no process
            continue
    return found


def _ends(process: int, seconds: float) -> bool:
    """Whether a process, by its descriptor, ends within a time."""
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()


def _began(pid: int) -> int | None:
    """When a process began, in ticks since boot. None: it ended, whether reaped yet or not."""
    found = _state(pid)
    return None if found is None or found[0] in ("Z", "X") else found[1]


def _state(pid: int) -> tuple[str, int] | None:
    """The state of a process and when it began; also of one that ended and isn't reaped yet."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = text.rpartition(")")[2].split()
    return state, int(fields[18])
