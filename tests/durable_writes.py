"""The durable writes of a process, and dying at one of them."""

import hashlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def die() -> None:
    """End this process as the system ends one that is out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


class Writes:
    """Notes the durable writes of this process, and ends it at one of them.

    Args:
        journal: file that each write is noted in, when it begins and when it is done.
        die_at: number of the write, from 1; 0 for never.
        after: die when it is done, and not when it begins.
        kill: what happens there, where it is not this process that dies.
        looks_at: folder of whose files each note has a digest.
    """

    def __init__(
        self,
        journal: Path,
        die_at: int,
        after: bool,
        kill: Callable[[], None] = die,
        looks_at: Path | None = None,
    ) -> None:
        self._journal, self._die_at, self._after, self._kill = journal, die_at, after, kill
        self._looks_at = looks_at
        self._count = 0
        self._noting = threading.Lock()
        """dbt writes from two threads: what was noted last is what this process died of."""

    def watch(
        self, owner: Any, method: str, kind: str, when: Callable[..., bool] = lambda *_: True
    ) -> None:
        """Let a method be a durable write, where `when` says so of its arguments."""
        inner = getattr(owner, method)

        def watched(*args: Any, **kwargs: Any) -> Any:
            if not when(*args):
                return inner(*args, **kwargs)
            with self._noting:
                self._count += 1
                number = self._count
                self._note(number, kind, after=False)
            answer = inner(*args, **kwargs)
            with self._noting:
                self._note(number, kind, after=True)
            return answer

        setattr(owner, method, watched)

    def _note(self, number: int, kind: str, *, after: bool) -> None:
        digest = f" {_digest(self._looks_at)}" if self._looks_at is not None else ""
        with self._journal.open("a") as journal:
            journal.write(f"{number} {'after' if after else 'before'} {kind}{digest}\n")
        if number == self._die_at and after == self._after:
            self._kill()


def _digest(folder: Path) -> str:
    """Of the paths and bytes of all files, as another process would find them."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
