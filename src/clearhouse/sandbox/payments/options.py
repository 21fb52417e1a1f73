"""What the payment providers of the sandbox can be asked to be."""

import datetime as dt
from dataclasses import dataclass, field

from clearhouse.sandbox.source import SourceOptions, option


@dataclass(frozen=True)
class PaymentOptions(SourceOptions):
    """The options of every source, and the providers'. (They have no faults of days.)"""

    webhooks: int = option(20_000, "About how many webhooks there are.")
    today: dt.date | None = field(
        default=None, metadata={"help": "The UTC day before which all has happened."}
    )
    missed: int = option(0, "How many of Stripe's events are never sent.")
