"""`gl`: the general ledger's own commands."""

import typer

from clearhouse.cli import gl_reports

group = typer.Typer(no_args_is_help=True, help="The general ledger.")


@group.callback()
def _the_general_ledger() -> None:
    """The general ledger."""


gl_reports.register(group)
