"""The steps of a domain that is pulled day by day. Orchestrators are made from this."""

from clearhouse.pipeline.business import validate_business_rules
from clearhouse.pipeline.context import Run
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
