"""The steps of a domain that is pulled day by day. Orchestrators are made from this."""

from collections.abc import Sequence

from clearhouse.core.errors import UsageError
from clearhouse.pipeline.business import validate_business_rules
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Domain
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


def steps_named(domain: Domain, name: str) -> tuple[Step[Run], ...]:
    """The step of a name, or the steps that a domain calls so together, in order.

    Raises:
        UsageError: there is none of that name.
    """
    wanted = domain.step_groups.get(name, (name,))
    found = tuple(step for step in STEPS if step.name in wanted)
    if not found:
        known = ", ".join(step.name for step in STEPS)
        groups = ", ".join(
            f"{group} ({told(names)})" for group, names in domain.step_groups.items()
        )
        also = f"; {domain.name} also knows {groups}" if groups else ""
        raise UsageError(f"There is no step {name!r}; the steps are {known}{also}.", "unknown_step")
    return found


def told(names: Sequence[str]) -> str:
    """The steps of a group in words."""
    return " and ".join(names)
