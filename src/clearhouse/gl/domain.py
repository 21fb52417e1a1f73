"""The general ledger declared."""

from clearhouse.gl.lines_dataset import LINES
from clearhouse.gl.prices_dataset import PRICES
from clearhouse.gl.reports.step import CLOSE_PACK
from clearhouse.pipeline.domain import Domain, StepGroup, packaged
from clearhouse.pipeline.steps import STEPS

_INGEST = ("extract_daily_batch", "validate_raw_schema")

GL = Domain(
    "gl",
    (LINES, PRICES),
    **packaged("gl"),
    step_groups={
        "ingest_gl": StepGroup(_INGEST, ("lines",)),
        "ingest_eia": StepGroup(_INGEST, ("prices",)),
        "run_dbt_gl": StepGroup(("normalize_entities", "run_dbt_pipeline")),
        "check_ledger": StepGroup(("validate_business_rules",)),
        "publish_reports": StepGroup(("publish_quality_metrics", "publish_close_pack")),
        "ingest_gl_stream": StepGroup(tuple(s.name for s in STEPS), ("lines",), follows=True),
    },
    more_steps=(CLOSE_PACK,),
)
