"""Orders carried out in children of a warm process, which may be killed while they work.

A process of its own, since a fork of one in which DuckDB has run can hang: it imports everything
once, opens nothing itself, and forks a child for each order that it reads from standard input.
"""

import gc
import json
import os
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyiceberg.catalog.sql  # noqa: F401  (imported once, here, and not in every child)
import structlog

from clearhouse.core.resources import resource
from clearhouse.engines import dbt_runner
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_files import assembled
from clearhouse.engines.dbt_messages import DbtTarget
from clearhouse.pipeline.domain import Domain
from clearhouse.quality import project

Answer = dict[str, Any]


class Unopened:
    """An engine that is only named: DuckDB must not run in this process."""

    def __init__(self, name: str) -> None:
        self._name = name

    def dbt_target(self) -> DbtTarget:
        places = {"CLEARHOUSE_WAREHOUSE": f"{self._name}.duckdb", "CLEARHOUSE_GOLD": "gold"}
        return DbtTarget("duckdb", places, self._name)

    def close(self) -> None:
        pass


def warm_up(domain: Domain, engine: Any = None) -> None:
    """Import what runs use, and parse the domain's models: every child inherits both.

    Args:
        domain: whose runs the children make.
        engine: what the models are for, not opened yet; DuckDB unless it is given.
    """
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    project.preload()
    dbt_runner.preload()
    folder = Path(tempfile.mkdtemp())
    files = assembled(resource("dbt"), domain.models, domain.model_tests, folder / "project")
    DbtProject(files, engine or Unopened(domain.name), folder / "dbt").prepare()
    assert dbt_runner._PARSED
    gc.collect()
    gc.freeze()  # or each child would look through all of it, and copy the pages


def answer_orders(obey: Callable[[Any], Answer]) -> None:
    """Answer orders, a line each, until there are no more."""
    for line in sys.stdin:
        print(json.dumps(_forked(obey, json.loads(line))), flush=True)


def _forked(obey: Callable[[Any], Answer], order: dict[str, Any]) -> Answer:
    """What a child made of an order, or the `signal` that it died by."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer = obey(order)
        except BaseException:  # noqa: BLE001  (told to the test, by which it fails)
            answer = {"error": traceback.format_exc()}
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], order.get("seconds_to_live"))
        if not ready:
            os.kill(child, signal.SIGKILL)
        answered = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return dict(json.loads(answered))
