"""Payments declared: from the operational store and the providers' settlements to the marts."""

from clearhouse.payments.events_dataset import EVENTS
from clearhouse.payments.settlements_dataset import SETTLEMENTS
from clearhouse.payments.streams import streams
from clearhouse.pipeline.domain import Domain, packaged
from clearhouse.pipeline.streams import PROVE_STREAMS

PAYMENTS = Domain(
    "payments",
    (EVENTS, SETTLEMENTS),
    **packaged("payments"),
    more_steps=(PROVE_STREAMS,),
    streams=streams,
)
