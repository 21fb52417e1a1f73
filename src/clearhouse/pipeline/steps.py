"""The steps of a domain that is pulled day by day. Orchestrators are made from this."""

from dataclasses import dataclass

from clearhouse.core.errors import UsageError
from clearhouse.pipeline.business import validate_business_rules
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Domain, StepGroup
from clearhouse.pipeline.export import validate_and_export
from clearhouse.pipeline.publish import publish_quality_metrics
from clearhouse.pipeline.pull import extract_daily_batch
from clearhouse.pipeline.runner import Step
from clearhouse.pipeline.transform import normalize_entities, run_dbt_pipeline

PULL = Step("extract_daily_batch", "pull each day and land its bytes", extract_daily_batch)

STEPS: tuple[Step[Run], ...] = (
    PULL,
    Step("validate_raw_schema", "type by contract, quarantine, raw gate", validate_and_export),
    Step("normalize_entities", "silver: one row a record, typed and named", normalize_entities),
    Step("run_dbt_pipeline", "gold: candidates beside what is published", run_dbt_pipeline),
    Step("validate_business_rules", "business gate over the candidates", validate_business_rules),
    Step(
        "publish_quality_metrics",
        "flip the pointers, publish figures",
        publish_quality_metrics,
        always=True,
    ),
)


def steps_of(domain: Domain) -> tuple[Step[Run], ...]:
    """All steps of a domain: those that every domain has, then its own."""
    return (*STEPS, *domain.more_steps)


@dataclass(frozen=True)
class Chosen:
    """Steps of a domain, in order.

    Attributes:
        datasets, follows: see `StepGroup`.
    """

    steps: tuple[Step[Run], ...]
    datasets: tuple[str, ...] = ()
    follows: bool = False


def steps_named(domain: Domain, name: str) -> Chosen:
    """The step of a name, or the steps that a domain calls so together.

    Raises:
        UsageError: there is none of that name.
    """
    group = domain.step_groups.get(name, StepGroup((name,)))
    found = tuple(step for step in steps_of(domain) if step.name in group.steps)
    if not found:
        known = ", ".join(step.name for step in steps_of(domain))
        groups = ", ".join(f"{named} ({group})" for named, group in domain.step_groups.items())
        also = f"; {domain.name} also knows {groups}" if groups else ""
        raise UsageError(f"There is no step {name!r}; the steps are {known}{also}.", "unknown_step")
    return Chosen(found, group.datasets, group.follows)
