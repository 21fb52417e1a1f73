"""One dbt project over one engine: its models are built and tested, and what failed is said.

dbt runs in a worker where a run has started one beside its other work. Elsewhere it runs inside
this process, which would only wait for a worker's imports.
"""

from pathlib import Path
from typing import Any, Self, cast

import structlog

from clearhouse.engines import dbt_worker
from clearhouse.engines.dbt_messages import DbtPlace, DbtResult, Description
from clearhouse.engines.dbt_runner import DbtRunner
from clearhouse.engines.engine import Engine

_log = structlog.get_logger("clearhouse.dbt")


class DbtProject:
    """One dbt project over one engine.

    Args:
        project_dir: the folder of dbt_project.yml and profiles.yml; it is only read.
        engine: what the models are built in. Its connection is closed for a call, since dbt opens
            one with settings of its own.
        work_dir: where dbt keeps its parsed project and its compiled SQL. Kept between processes,
            it saves most of the parsing.
    """

    def __init__(self, project_dir: Path, engine: Engine, work_dir: Path) -> None:
        self._project_dir = project_dir.absolute()
        self._engine = engine
        self._work_dir = work_dir.absolute()
        self._left_out: tuple[str, ...] = ("unit_test",)

    def without_tests(self) -> Self:
        """The same project, whose builds only make the models."""
        self._left_out = ("unit_test", "test")
        return self

    def prepare(self) -> None:
        """Parse the project ahead of the first call, which then begins at once.

        What is wrong with the project is told by the call that needs it.
        """
        if dbt_worker.is_running():
            dbt_worker.prepare(self._place())
        else:
            DbtRunner(self._place(), _tell).prepare()

    def build(self, select: str) -> DbtResult:
        """Run the models that a selection names, and their tests, in the order of dependencies.

        A test runs when all that it reads is selected or lies before what is selected. Unit tests
        don't run: they judge the code, not the data (see `run_unit_tests`).

        Args:
            select: in dbt's syntax, such as `tag:gold`.

        Raises:
            DbtError: a model or a test failed, or the selection names nothing.
        """
        return cast("DbtResult", self._call("build", select, self._left_out))

    def descriptions(self) -> dict[str, Description]:
        """What models and sources are, by the `schema.name` that each is served as."""
        return cast("dict[str, Description]", self._ask("descriptions"))

    def run_unit_tests(self, select: str = "test_type:unit") -> DbtResult:
        """Run dbt's unit tests; the models that they stand on must have been built once.

        Raises:
            DbtError: a unit test failed, or the selection names none.
        """
        return cast("DbtResult", self._call("run_unit_tests", select))

    def document(self, folder: Path) -> None:
        """Write what dbt knows of the models that are built: a page with lineage, and its data.

        Args:
            folder: gets `static_index.html`, which is one page that needs no server, and
                `manifest.json` and `catalog.json`, which hold the same for a program.

        Raises:
            DbtError: dbt can't read the warehouse or the project.
        """
        self._call("document", folder.resolve())

    def _call(self, method: str, *arguments: object) -> Any:
        """Ask for what opens the warehouse."""
        self._engine.close()
        return self._ask(method, *arguments)

    def _ask(self, method: str, *arguments: object) -> Any:
        if dbt_worker.is_running():
            return dbt_worker.ask(self._place(), _tell, method, arguments)
        return getattr(DbtRunner(self._place(), _tell), method)(*arguments)

    def _place(self) -> DbtPlace:
        return DbtPlace(self._project_dir, self._engine.dbt_target(), self._work_dir)


def _tell(method: str, message: str, event: str) -> None:
    """Give one of dbt's events to our log."""
    getattr(_log, method)(message, dbt_event=event)
