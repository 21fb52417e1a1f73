"""Cutting the connections of a process, as a network does that drops them."""

import ctypes
import os
import socket
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

_PIDFD_GETFD = 438
"""A system call of Linux 5.6, the same on every architecture: another process's open file. It is
allowed to root, and to a parent."""
_LIBC = ctypes.CDLL(None, use_errno=True)


def cut(pid: int, ports: Collection[int]) -> int:
    """Shut down the connections of a process to ports of this machine; how many there were."""
    found = 0
    for each in _sockets(pid):
        with each, suppress(OSError):  # one that listens, or is closed meanwhile
            if each.getpeername()[1] in ports:
                each.shutdown(socket.SHUT_RDWR)
                found += 1
    return found


def _sockets(pid: int) -> Iterator[socket.socket]:
    """Those of a process that speak IP, opened here too."""
    process = os.pidfd_open(pid)
    try:
        for opened in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                if not str(opened.readlink()).startswith("socket:"):
                    continue
            file = _LIBC.syscall(_PIDFD_GETFD, process, int(opened.name), 0)
            if file < 0:
                continue
            found = socket.socket(fileno=file)
            if found.family in (socket.AF_INET, socket.AF_INET6):
                yield found
            else:
                found.close()
    finally:
        os.close(process)
