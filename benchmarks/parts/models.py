"""dbt without its tests, for both sides by the same calls.

Parsing is the same work for a record as for a million, and both sides keep what was parsed from
one run to the next: so it is done beforehand (`DbtProject.prepare`).
"""

from dataclasses import dataclass
from pathlib import Path

from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_messages import DbtResult, DbtTarget


@dataclass(frozen=True)
class File:
    """A DuckDB file that dbt alone works on: what `DbtProject` needs of an engine."""

    path: Path

    def dbt_target(self) -> DbtTarget:
        """See `clearhouse.engines.engine.Engine`."""
        variables = {"CLEARHOUSE_WAREHOUSE": str(self.path)}
        return DbtTarget("duckdb", variables, self.path.stem)

    def close(self) -> None:
        """Nothing of it is open."""


class Models(DbtProject):
    """A dbt project whose models are run and not tested."""

    def run_models(self, *arguments: str) -> DbtResult:
        """Run models: all of them, or those that the arguments select."""
        return self._call("run", *arguments)


class ModelsOfMarts(Models):
    """Our project, of which only those models are run that the two marts are made of."""

    def build(self, select: str) -> DbtResult:
        """Run the models among these that a selection names."""
        return self.run_models(
            f"--select={select},+mart_bnpl_customers {select},mart_bnpl_transactions"
        )
