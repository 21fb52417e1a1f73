"""The gate over what dbt built: only days that pass it are published."""

import datetime as dt
from collections.abc import Sequence

from clearhouse.pipeline.clearance import gold_built
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.gates import judge
from clearhouse.pipeline.runner import StepReport


def validate_business_rules(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Judge the candidates of each day, and hold the days that break a business rule."""
    report = StepReport()
    for dataset in run.datasets:
        built = gold_built(run, dataset, days)
        built.stop(report)
        judged, held = judge(run, dataset, dataset.declared.business_gate, built.entries)
        report.held |= held
        report.add(StepReport(done=judged, skipped=[d for d in built.entries if d not in judged]))
    run.progress.advance(len(days))
    return report
