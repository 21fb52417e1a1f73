"""The general ledger declared."""

from clearhouse.gl.prices_dataset import PRICES
from clearhouse.pipeline.domain import Domain, StepGroup, packaged

GL = Domain(
    "gl",
    (PRICES,),
    **packaged("gl"),
    step_groups={
        "ingest_eia": StepGroup(("extract_daily_batch", "validate_raw_schema"), ("prices",)),
        "run_dbt_gl": StepGroup(("normalize_entities", "run_dbt_pipeline")),
        "check_ledger": StepGroup(("validate_business_rules",)),
        "publish_reports": StepGroup(("publish_quality_metrics",)),
    },
)
