"""Gives the toy's commands in children of a warm process, which can be killed at a durable write.

A process of its own, since a fork of one in which DuckDB has run can hang: it imports everything
once, opens nothing itself, and forks a child for each order that it reads from standard input.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
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
        return dict(json.loads(self._process.stdout.readline()))


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
        (readers.ReadersFile, "_collect"),
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


def _forked(order: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer = _command(order)
        except BaseException:  # noqa: BLE001  (told to the test, by which it fails)
            answer = {"exit_code": 1, "output": traceback.format_exc(), "writes": []}
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(answer))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answered = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"exit_code": -os.WTERMSIG(status), "output": "", "writes": []}
    return dict(json.loads(answered))


def _warm_up() -> None:
    """Import what commands use, and parse the toy's models: every child inherits both."""
    import pyiceberg.catalog.sql  # noqa: F401
    import structlog
    from toy.domain import TOY

    from clearhouse.cli.commands import build
    from clearhouse.core.resources import resource
    from clearhouse.engines import dbt
    from clearhouse.engines.dbt_files import assembled
    from clearhouse.engines.duckdb import DuckDBEngine
    from clearhouse.quality import project

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    project.preload()
    dbt.preload()
    build()
    folder = Path(tempfile.mkdtemp())
    engine = DuckDBEngine.__new__(DuckDBEngine)  # one that opens no file
    engine.path, engine.gold = folder / "toy.duckdb", folder / "gold"
    links = assembled(resource("dbt"), TOY.models, TOY.model_tests, folder / "project")
    dbt.DbtProject(links, engine, folder / "dbt").prepare()


def main() -> None:
    """Answer orders, a line each, until there are no more."""
    _warm_up()
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
