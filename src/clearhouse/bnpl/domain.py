"""BNPL declared: purchases financed by a lender, from the simtom API to published marts."""

import datetime as dt

from clearhouse.bnpl.frames import BASELINES, business_frames, raw_frames
from clearhouse.bnpl.source import SIMTOM, check, connect, pattern_of
from clearhouse.pipeline.domain import Dataset, Derived, Domain, Gate, Source, packaged
from clearhouse.settings import Settings


def _volume_band(settings: Settings, day: dt.date) -> tuple[int, int]:
    band = pattern_of(settings).band(day)
    return band.low, band.high


TRANSACTIONS = Dataset(
    name="transactions",
    sources=(Source(SIMTOM, connect, check),),
    silver="silver.stg_bnpl_raw_transactions",
    gold="gold.fct_bnpl_transactions",
    readers="marts.mart_bnpl_transactions",
    touched_keys="int_bnpl_touched_keys",
    published="int_bnpl_published",
    hidden="int_bnpl_hidden_records",
    raw_gate=Gate("raw_schema_gate", raw_frames),
    business_gate=Gate(
        "daily_quality_gate", business_frames, inputs=tuple(sorted(BASELINES.glob("*.json")))
    ),
    id_column="transaction_id",
    derived=(
        Derived("mart_bnpl_customers", "marts", "customer_id", "next.int_bnpl_touched_customers"),
        Derived(
            "int_bnpl_customer_history_features",
            "gold",
            "customer_id",
            "next.int_bnpl_touched_customers",
            at="decision_at",
            part="decision_at",
        ),
    ),
    views=("marts.mart_bnpl_ml_features", "marts.mart_bnpl_ml_labels"),
)

BNPL = Domain("bnpl", (TRANSACTIONS,), **packaged("bnpl"), volume_band=_volume_band)
