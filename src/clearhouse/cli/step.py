"""`step`: one step of a domain, or those that the domain calls by one name."""

from typing import Annotated

import typer

from clearhouse.cli.app import settings_of_stores
from clearhouse.cli.options import BookDate, DomainArgument, Fault, JsonFlag
from clearhouse.cli.run import faults, run_pulling, run_without_pull
from clearhouse.core.window import Window, parse_day
from clearhouse.domains import DOMAINS, domain_of
from clearhouse.pipeline.steps import PULL, STEPS, steps_named


def _steps_in_words() -> str:
    """Each step, and each name by which a domain calls some of them, in a paragraph."""
    common = (f"{step.name}: {step.summary}." for step in STEPS)
    own = (
        told
        for domain in map(domain_of, DOMAINS)
        for told in (
            *(f"{step.name}: {step.summary}, of {domain.name}." for step in domain.more_steps),
            *(f"{name}: {group}, of {domain.name}." for name, group in domain.step_groups.items()),
        )
    )
    return "\n\n".join((*common, *own))


def step(
    domain: DomainArgument,
    name: Annotated[
        str,
        typer.Argument(metavar="STEP", help=_steps_in_words()),
    ],
    day: BookDate,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Pull the day again even if it has landed.")
    ] = False,
    as_json: JsonFlag = False,
    fault: Fault = None,
) -> None:
    """Run one step of a domain over one day. The books say what it may touch."""
    declared = domain_of(domain)
    chosen = steps_named(declared, name)
    window = Window.day(parse_day(day))
    config = settings_of_stores()
    if PULL in chosen.steps:
        run_pulling(
            config, declared, chosen, window, faults(fault), refresh=refresh, as_json=as_json
        )
    run_without_pull(config, declared, chosen, window, as_json=as_json)
