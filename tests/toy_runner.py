"""Gives the toy's commands in children of a warm process, which can be killed at a write."""

import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, Self

KILLED = -9


class Commands:
    """The process that gives commands, from a test's side."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "COLUMNS": "200"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def give(self, home: Path, *args: object, die_at: int = 0) -> dict[str, Any]:
        """What became of a command: `exit_code` (-9: killed), `output`, and its `writes`.

        Args:
            home: the toy's home.
            args: the command line.
            die_at: number of the write of a publication, from 1, before which it is killed.
        """
        assert self._process.stdin
        assert self._process.stdout
        order = {"home": str(home), "args": list(map(str, args)), "die_at": die_at}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        told = {"exit_code": -answer.get("signal", -1), "output": answer.get("error", "")}
        return {**told, "writes": [], **answer}


def _note_writes(die_at: int) -> list[str]:
    """Note the durable writes by which a publication is made, and die before one of them."""
    from clearhouse.books.ledger import Books
    from clearhouse.books.publications import Publications
    from clearhouse.engines import readers
    from clearhouse.engines.dbt import DbtProject
    from clearhouse.engines.duckdb import DuckDBEngine

    noted: list[str] = []

    def watch(owner: Any, name: str) -> None:
        inner = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            noted.append(name)
            if len(noted) == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return inner(*args, **kwargs)

        setattr(owner, name, watched)

    for owner, name in (
        (Publications, "add"),
        (DbtProject, "build"),
        (DuckDBEngine, "execute"),
        (Books, "close"),
        (readers, "sync"),
        (readers, "_register"),
        (readers.written_once, "delete_retired"),
    ):
        watch(owner, name)
    return noted


def _command(order: dict[str, Any]) -> dict[str, Any]:
    from toy_home import Toy

    writes = _note_writes(order["die_at"])
    result = Toy(Path(order["home"])).command(*order["args"])
    output = result.output
    if result.exception and not isinstance(result.exception, SystemExit):
        output += "".join(traceback.format_exception(result.exception))
    return {"exit_code": result.exit_code, "output": output, "writes": writes}


def main() -> None:
    """Answer orders until there are no more."""
    from children import answer_orders, warm_up
    from toy.domain import TOY

    from clearhouse.cli.commands import build

    warm_up(TOY)
    build()
    answer_orders(_command)


if __name__ == "__main__":
    main()
