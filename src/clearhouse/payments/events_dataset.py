"""The dataset of payment events: from the operational store to payments and their journal."""

from clearhouse.engines.engine import Layout
from clearhouse.payments.derived import OF_EVENTS
from clearhouse.payments.frames import business_frames, raw_frames
from clearhouse.payments.source import STORE
from clearhouse.pipeline.domain import Dataset, Gate

_VIEWS = (
    *("payment_customers", "payment_journal", "payment_trial_balance", "authorization_rate"),
    *("retry_recovery", "daily_volume", "dispute_rate", "fees"),
)

EVENTS = Dataset(
    name="events",
    sources=(STORE,),
    silver="silver.stg_payments_events",
    gold="gold.fct_payment_events",
    readers="marts.payment_events",
    touched_keys="int_payments_touched_keys",
    published="int_payments_published",
    hidden="int_payments_hidden_records",
    raw_gate=Gate("payments_raw_gate", raw_frames),
    business_gate=Gate("payments_business_gate", business_frames),
    id_column="event_id",
    derived=OF_EVENTS,
    views=tuple(f"marts.{name}" for name in _VIEWS),
    layout=Layout(indexes=(("payment_id",), ("payout_id",))),
)
