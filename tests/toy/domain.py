"""The toy declared: one dataset of two sources, a whole number as its key, a constant currency."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Dataset, Derived, Domain, Frames, Gate, StepGroup
from clearhouse.pipeline.profiles import candidates_of, raw_profile
from clearhouse.pipeline.steps import STEPS
from toy.booths import booth

ROOT = Path(__file__).parent


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date."""
    rows = raw_profile(run, dataset, days, {})
    return {"toy_days": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a candidate."""
    dialect = run.engine.dialect
    sql = f"""SELECT CAST(r._book_date AS VARCHAR) AS book_date,
            {dialect.minor_units("r.price", "r.currency")} AS price_minor
        FROM {candidates_of(run, dataset, days)}"""
    return {"toy_tickets": run.engine.query(sql)}


TICKETS = Dataset(
    name="tickets",
    sources=(booth("north"), booth("south")),
    silver="silver.stg_toy_tickets",
    gold="gold.fct_toy_tickets",
    readers="marts.mart_toy_tickets",
    touched_keys="int_toy_touched_keys",
    published="int_toy_published",
    hidden="int_toy_hidden_tickets",
    raw_gate=Gate("toy_raw_gate", raw_frames),
    business_gate=Gate("toy_business_gate", business_frames),
    id_column="number",
    derived=(
        Derived(
            "mart_toy_takings", "marts", "booth", "next.int_toy_touched_booths", part="sold_on"
        ),
    ),
)

TOY = Domain(
    "toy",
    (TICKETS,),
    contracts=ROOT / "contracts",
    models=ROOT / "dbt" / "toy",
    model_tests=ROOT / "dbt" / "tests",
    gates=ROOT / "gx",
    step_groups={"hourly": StepGroup(tuple(step.name for step in STEPS), follows=True)},
)
