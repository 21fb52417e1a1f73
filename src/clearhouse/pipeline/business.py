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
    for dataset in run.chosen:
        built = gold_built(run, dataset, days)
        judged, held = judge(run, dataset, dataset.declared.business_gate, built.entries)
        passed = [day for day in built.entries if day not in judged]
        one = StepReport(done=judged, skipped=passed, held=held)
        built.stop(one)
        report.add(one, run.called(dataset))
    run.progress.advance(len(days))
    return report
