"""The BNPL pipeline: its steps, declared once. Every orchestrator is made from this."""

from clearhouse.bnpl.context import Bnpl
from clearhouse.bnpl.steps.extract import extract_daily_batch
from clearhouse.bnpl.steps.judge import validate_business_rules
from clearhouse.bnpl.steps.publish import publish_quality_metrics
from clearhouse.bnpl.steps.transform import normalize_entities, run_dbt_pipeline
from clearhouse.bnpl.steps.validate_raw import validate_raw_schema
from clearhouse.pipeline.runner import Step

PIPELINE: tuple[Step[Bnpl], ...] = (
    Step("extract_daily_batch", "pull each day and land its bytes", extract_daily_batch),
    Step("validate_raw_schema", "type by contract, quarantine, raw gate", validate_raw_schema),
    Step("normalize_entities", "silver: transactions and customers", normalize_entities),
    Step("run_dbt_pipeline", "gold: candidates beside what is published", run_dbt_pipeline),
    Step("validate_business_rules", "business gate over the candidates", validate_business_rules),
    Step(
        "publish_quality_metrics",
        "flip the pointers, publish figures",
        publish_quality_metrics,
        always=True,
    ),
)
