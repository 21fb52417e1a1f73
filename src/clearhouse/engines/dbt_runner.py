"""Runs a dbt project inside this process, and says in one sentence what failed.

dbt keeps global state (its adapter, its event manager, the environment it reads), so one call runs
at a time.

Source: https://docs.getdbt.com/reference/programmatic-invocations
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from clearhouse.core.environment import only_with
from clearhouse.engines.dbt_messages import (
    DbtError,
    DbtPlace,
    DbtResult,
    Description,
    NodeResult,
)

_ONE_AT_A_TIME = threading.Lock()

_State = tuple[str, tuple[tuple[Path, int, int], ...]]
_PARSED: dict[_State, Any] = {}
"""Manifests by the state of their files: parsing takes seconds, and does not depend on the home."""
_PARSED_SUFFIXES = (".sql", ".yml", ".md", ".csv", ".py")

# What dbt calls an error we log as information: the raised DbtError says it at its proper place,
# and once instead of six times.
_LOG_METHODS: Mapping[str, str] = {"info": "debug", "warn": "warning", "error": "info"}

Log = Callable[[str, str, str], None]
"""Logs one of dbt's events: the method of our logger, the message, the event's name."""


def preload() -> None:
    """Import dbt and its DuckDB adapter: about a second, best spent while something else waits."""
    for module in ("dbt.cli.main", "dbt.task.build", "dbt.adapters.duckdb"):
        import_module(module)


@dataclass(frozen=True)
class DbtRunner:
    """Runs one project in one place. See `DbtProject` for what is asked, and what goes wrong.

    Attributes:
        place: the project. No other connection to its warehouse may be open in a call.
        log: takes dbt's events; its thousands of debug events are left out.
    """

    place: DbtPlace
    log: Log

    def prepare(self) -> None:
        """Parse the project. What is wrong with it is told by the call that needs it."""
        with suppress(DbtError), _ONE_AT_A_TIME, self._environment():
            self._parse()

    def build(self, select: str, left_out: Sequence[str]) -> DbtResult:
        """See `DbtProject.build`; without the kinds of resources that are left out."""
        return self._call(
            "build",
            f"--select={select}",
            "--indirect-selection=buildable",
            *(f"--exclude-resource-type={kind}" for kind in left_out),
        )

    def descriptions(self) -> dict[str, Description]:
        """See `DbtProject`."""
        with _ONE_AT_A_TIME, self._environment():
            manifest = self._parse()
        nodes = [*manifest.nodes.values(), *manifest.sources.values()]
        found = {}
        for node in nodes:
            if node.resource_type not in ("model", "source"):
                continue
            schema = node.config.meta.get("served_in", node.schema)
            columns = {c.name: _plain_text(c.description) for c in node.columns.values()}
            found[f"{schema}.{node.name}"] = Description(_plain_text(node.description), columns)
        return found

    def run_unit_tests(self, select: str) -> DbtResult:
        """See `DbtProject`."""
        return self._call("test", f"--select={select}", "--resource-type=unit_test")

    def document(self, folder: Path) -> None:
        """See `DbtProject`."""
        target = f"--target-path={folder.resolve()}"
        answer = self._invoke("docs", "generate", "--static", target, writes_json=True)
        _raise_exception(answer.exception)
        if not answer.success:
            errors = getattr(answer.result, "errors", None) or ["it gave no reason"]
            raise DbtError(f"dbt could not document the models: {_plain(str(errors[0]))}")

    def _call(self, *args: str) -> DbtResult:
        started = time.perf_counter()
        answer = self._invoke(*args)
        nodes = tuple(_node_result(each) for each in getattr(answer.result, "results", None) or ())
        result = DbtResult(nodes, time.perf_counter() - started)
        if result.bad_nodes:
            raise DbtError(_failure_sentence(result.bad_nodes, self.place.work_dir), result)
        _raise_exception(answer.exception)
        if not nodes:
            raise DbtError(
                f"dbt found nothing to do for {' '.join(args[:2])}: check the tags of the models."
            )
        return result

    def _invoke(self, *args: str, writes_json: bool = False) -> Any:
        """One call of dbt over the project, which is parsed once."""
        from dbt.cli.main import dbtRunner

        with _ONE_AT_A_TIME, self._environment():
            try:
                runner = dbtRunner(manifest=self._parse(), callbacks=[self._forward])
                return runner.invoke(self._with_flags(*args, writes_json=writes_json))
            finally:
                _let_go_of_the_warehouse()

    def _parse(self) -> Any:
        """The manifest of the project, made once in a process. The caller holds the lock."""
        from dbt.cli.main import dbtRunner

        state = self._state()
        if state not in _PARSED:
            parsed = dbtRunner(callbacks=[self._forward]).invoke(self._with_flags("parse"))
            _raise_exception(parsed.exception)
            _PARSED[state] = parsed.result
        return _PARSED[state]

    def _state(self) -> _State:
        """What the manifest is a function of. DuckDB calls a database by its file's name."""
        target = self.place.target
        files = sorted(
            path.resolve()
            for path in _walk(self.place.project_dir)
            if path.suffix in _PARSED_SUFFIXES
        )
        stats = ((path, path.stat()) for path in files)
        return (
            f"{target.name} {target.database}",
            tuple((path, stat.st_size, stat.st_mtime_ns) for path, stat in stats),
        )

    def _with_flags(self, *args: str, writes_json: bool = False) -> list[str]:
        """The command line; the flags before the command keep dbt off the terminal and the disk."""
        return [
            "--quiet",
            "--no-print",
            "--log-level=none",
            "--log-level-file=none",
            "--write-json" if writes_json else "--no-write-json",
            "--no-use-colors",
            "--no-version-check",
            *args,
            f"--project-dir={self.place.project_dir}",
            f"--profiles-dir={self.place.project_dir}",
            f"--target={self.place.target.name}",
        ]

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """The variables that dbt reads, and the folder it stands in, as they were afterwards."""
        ours = {
            **self.place.target.variables,
            "DBT_TARGET_PATH": str(self.place.work_dir / "target"),
            "DBT_LOG_PATH": str(self.place.work_dir / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        folder = Path.cwd()
        self.place.work_dir.mkdir(parents=True, exist_ok=True)
        # Each of dbt's flags has a variable, also of those that are not on our command line.
        with only_with(ours, "DBT_"):
            try:
                yield
            finally:
                if Path.cwd().samefile(self.place.project_dir):  # where dbt goes
                    os.chdir(folder)

    def _forward(self, event: Any) -> None:
        """Give one of dbt's events to our log."""
        method = _LOG_METHODS.get(str(event.info.level))
        message = str(event.info.msg).strip()
        if method and message:
            self.log(method, message, str(event.info.name))


def _walk(folder: Path) -> Iterator[Path]:
    """The files below a folder, behind links as well."""
    for path, _, names in os.walk(folder, followlinks=True):
        for name in names:
            yield Path(path) / name


def _let_go_of_the_warehouse() -> None:
    """Close dbt's connections: it would hold DuckDB's lock until this process ends.

    The adapter leaves the closing to the collector of garbage, which may come long after.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    reset_adapters()
    environment = DuckDBConnectionManager._ENV
    DuckDBConnectionManager.close_all_connections()
    if environment is not None:
        environment.close()


def _node_result(answer: Any) -> NodeResult:
    return NodeResult(
        name=str(answer.node.name),
        kind=str(answer.node.resource_type),
        status=str(answer.status),
        duration_seconds=float(answer.execution_time),
        message=str(answer.message or ""),
        failing_rows=int(answer.failures or 0),
    )


def _failure_sentence(bad: Sequence[NodeResult], work_dir: Path) -> str:
    """The first failure with its reason, and the names of a few more."""
    first = bad[0]
    named = ", ".join(node.name for node in bad[1:4])
    more = f" and {len(bad) - 4} more" if len(bad) > 4 else ""
    others = f" (also failed: {named}{more})" if named else ""
    kind = first.kind.replace("_", " ")
    if first.status == "fail" and first.kind == "test":
        rows = "1 row" if first.failing_rows == 1 else f"{first.failing_rows} rows"
        return (
            f"dbt {kind} {first.name} failed with {rows}{others}: "
            f"run its SQL under {work_dir / 'target' / 'compiled'} to see them."
        )
    return f"dbt {kind} {first.name} failed{others}: {_plain(first.message)}"


def _plain(words: str) -> str:
    """What dbt said, on one line, without the frame it sets around them and without its colours."""
    lines = [line.strip() for line in words.splitlines()]
    framed = bool(lines) and " Error in " in lines[0]
    kept = [line for line in (lines[1:] if framed else lines) if line]
    text = " ".join(kept) or "it gave no reason"
    return text if text.endswith((".", "!", "?")) else text + "."


def _plain_text(description: str) -> str:
    """A description without the line breaks of its file."""
    return " ".join(description.split())


def _raise_exception(exception: BaseException | None) -> None:
    """Raise what dbt caught instead of a result; ours is not to stop Ctrl-C."""
    if exception is None:
        return
    if not isinstance(exception, Exception):
        raise exception
    raise DbtError(f"dbt could not begin: {_plain(str(exception))}") from exception
