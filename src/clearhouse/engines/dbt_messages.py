"""What dbt is asked over, and what it answers: plain data, which processes send to each other.

It imports nothing that takes time: the process that runs dbt has enough to import.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clearhouse.core.errors import ClearhouseError

_BAD_STATUSES = frozenset({"error", "fail", "runtime error", "partial success"})


@dataclass(frozen=True, slots=True)
class DbtTarget:
    """How dbt reaches the engine: a target of dbt/profiles.yml, and the variables that it reads."""

    name: str
    variables: Mapping[str, str]
    database: str
    """Name of the database, which becomes a part of the parsed project."""


@dataclass(frozen=True, slots=True)
class DbtPlace:
    """A project, and where it is run.

    Attributes:
        project_dir: the folder of dbt_project.yml and profiles.yml; it is only read.
        target: the engine that the models are built in.
        work_dir: where dbt keeps its parsed project and its compiled SQL. Kept between processes,
            it saves most of the parsing.
    """

    project_dir: Path
    target: DbtTarget
    work_dir: Path


@dataclass(frozen=True, slots=True)
class Description:
    """What a relation is, in words.

    Attributes:
        text: of the relation.
        columns: by column.
    """

    text: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one model or test."""

    name: str
    kind: str
    """model, test or unit_test."""
    status: str
    """success, pass, warn, error, fail, skipped or no-op, as dbt says it."""
    duration_seconds: float
    message: str
    """dbt's or the engine's own words; empty where there is nothing to say."""
    failing_rows: int
    """Rows that a failed test found; 0 elsewhere."""

    @property
    def is_bad(self) -> bool:
        """Whether the node failed; a node skipped because of another one did not."""
        return self.status in _BAD_STATUSES


@dataclass(frozen=True, slots=True)
class DbtResult:
    """What became of every node of one call, in the order they ended."""

    nodes: tuple[NodeResult, ...]
    duration_seconds: float

    @property
    def bad_nodes(self) -> tuple[NodeResult, ...]:
        """The nodes that failed."""
        return tuple(node for node in self.nodes if node.is_bad)


class DbtError(ClearhouseError):
    """A model or a test failed, or dbt could not begin.

    Args:
        message: one sentence that names the first node that failed.
        result: what became of every node; without nodes where dbt could not begin.
    """

    code = "dbt_failed"

    def __init__(self, message: str, result: DbtResult | None = None) -> None:
        super().__init__(message)
        self.result = result or DbtResult((), 0.0)
