"""The dataset of settlement entries: from the providers' APIs to the tie-out of payouts."""

from clearhouse.engines.engine import Layout
from clearhouse.payments.derived import OF_SETTLEMENTS
from clearhouse.payments.settlement_frames import business_frames, raw_frames
from clearhouse.payments.settlements.sources import SOURCES
from clearhouse.pipeline.domain import Dataset, Gate

SETTLEMENTS = Dataset(
    name="settlements",
    sources=SOURCES,
    silver="silver.stg_payments_settlements",
    gold="gold.fct_settlement_entries",
    readers="marts.settlement_entries",
    touched_keys="int_payments_touched_entries",
    published="int_payments_published_entries",
    hidden="int_payments_hidden_entries",
    raw_gate=Gate("settlements_raw_gate", raw_frames),
    business_gate=Gate("settlements_business_gate", business_frames),
    id_column="entry_id",
    derived=OF_SETTLEMENTS,
    layout=Layout(indexes=(("payout_id",), ("source_id",))),
)
