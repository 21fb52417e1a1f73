"""Payments declared: from the operational store and the providers' settlements to the marts."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from clearhouse.payments.events_dataset import EVENTS
from clearhouse.payments.settlements_dataset import SETTLEMENTS
from clearhouse.payments.streams import streams
from clearhouse.pipeline.domain import Arrived, Domain, packaged
from clearhouse.pipeline.streams import PROVE_STREAMS
from clearhouse.settings import Settings


def _arrive(
    settings: Settings, count: int, tell: Callable[[str], None]
) -> AbstractContextManager[Arrived]:
    from clearhouse.payments.arrivals import arrive  # the sandbox is for the demonstration alone

    return arrive(settings, count, tell)


PAYMENTS = Domain(
    "payments",
    (EVENTS, SETTLEMENTS),
    **packaged("payments"),
    more_steps=(PROVE_STREAMS,),
    streams=streams,
    arrivals=_arrive,
)
