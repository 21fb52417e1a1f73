"""Records in the books, in a process of its own: beside another one, or killed at a write."""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from books_in_memory import DAY, NEXT, totals
from databases import Databases, databases_at, opened

from clearhouse.books import Books, EntryKey, Side
from clearhouse.books.decisions import Decisions
from clearhouse.books.model import Measured
from clearhouse.books.publications import Publications

RECORDED = ("entries", "verdicts", "publication")
"""What `record_some` records, by the kinds of the journal."""


def record_some(engine: sa.Engine, domain: str, run_id: str) -> None:
    """Two entries, a verdict on each, and a publication of both."""
    keys = [EntryKey(domain, "silver → gold", day, run_id, "code") for day in (DAY, NEXT)]
    Books(engine).close({key: Measured({Side.OUT: totals(1, 5)}) for key in keys}, run_id)
    verdicts = {key.entry_id: (True, []) for key in keys}
    Decisions(engine).record("raw_gate", "rules", verdicts, run_id)
    pointers = {key.book_date: key.entry_id for key in keys}
    Publications(engine).add(domain, {f"{domain}.facts": pointers}, run_id)


def die_at(engine: sa.Engine, moment: int) -> None:
    """End this process before or after its n-th change or commit: at 2n - 1, or at 2n."""
    passed = itertools.count(1)

    def note() -> None:
        if next(passed) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def noted(inner: Callable[..., Any]) -> Callable[..., Any]:
        def around(*args: Any, **kwargs: Any) -> Any:
            if str(args[1]).startswith(("SELECT", "PRAGMA", "BEGIN", "LOCK")):
                return inner(*args, **kwargs)
            note()
            answer = inner(*args, **kwargs)
            note()
            return answer

        return around

    dialect: Any = engine.dialect

    def commit(connection: Any, inner: Callable[[Any], None] = dialect.do_commit) -> None:
        note()
        inner(connection)
        note()

    dialect.do_commit = commit
    dialect.do_execute = noted(dialect.do_execute)
    dialect.do_executemany = noted(dialect.do_executemany)


def kill_at_every_write(databases: Databases, before: str) -> None:
    """Print a copy of the books for each moment at which a child of this process was killed."""
    for moment in itertools.count(1):
        url = databases.copy(before)
        print(url, flush=True)
        child = os.fork()
        if child == 0:
            engine = opened(url)
            die_at(engine, moment)
            record_some(engine, "bnpl", "run-2")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            return


def main(what: str, *args: str) -> None:
    if what == "kill":
        kill_at_every_write(databases_at(args[0]), args[1])
        return
    url, domain, times = args
    engine = opened(url)
    for number in range(int(times)):
        record_some(engine, domain, f"run-{number}")


if __name__ == "__main__":
    main(*sys.argv[1:])
