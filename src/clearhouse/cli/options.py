"""Options and arguments that several commands share."""

from typing import Annotated

import typer

from clearhouse.core.errors import UsageError
from clearhouse.world import DOMAINS

FromDay = Annotated[str, typer.Option("--from", help="First book date, YYYY-MM-DD.")]
ToDay = Annotated[str, typer.Option("--to", help="Last book date, YYYY-MM-DD.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program.")]


def domain_of(name: str) -> str:
    """A domain's name, checked.

    Raises:
        UsageError: there is no such domain.
    """
    if name not in DOMAINS:
        raise UsageError(
            f"There is no domain {name!r}; there is {', '.join(DOMAINS)}.", "unknown_domain"
        )
    return name
