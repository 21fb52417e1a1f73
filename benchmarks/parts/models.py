"""dbt without its tests, for both sides by the same calls."""

from clearhouse.engines.dbt import DbtProject, DbtResult


class Models(DbtProject):
    """A dbt project whose models are run and not tested.

    Parsing is the same work for a record as for a million, and both sides keep what was parsed
    from one run to the next: so it is done beforehand.
    """

    def parse(self) -> None:
        """Parse the project and leave the result where `run_models` finds it."""
        from dbt.cli.main import dbtRunner

        with self._environment():
            answer = dbtRunner().invoke(self._with_flags("parse"))
        if answer.exception is not None:
            raise answer.exception

    def run_models(self, *arguments: str) -> DbtResult:
        """Run models: all of them, or those that the arguments select."""
        return self._call("run", *arguments)


class ModelsOfMarts(Models):
    """Our project, of which only those models are run that the two marts are made of."""

    def build(self, select: str) -> DbtResult:
        """Run the models among these that a selection names."""
        return self.run_models(f"--select={select},+mart_bnpl_customers")
