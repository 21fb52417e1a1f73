"""The topics of the payment pipeline: every name, what its messages are, and how long they stay."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic.

    Attributes:
        name: in the log.
        holds: the type of its messages.
        key: what keeps its order.
        days: how long messages stay at least after all that read them have done so.
        is_read_by_us: services of ours must have read a message before it may go.
    """

    name: str
    holds: str
    key: str
    days: int
    is_read_by_us: bool = False


WEBHOOKS = Topic("payments.webhooks", "StoredWebhook", "payment id, if the item says one", 7, True)
EVENTS = Topic("payments.events", "PaymentEvent", "payment id", 7, True)
UNMAPPED = Topic("payments.unmapped", "Unmapped", "provider", 30)
REDRIVEN = Topic("payments.redriven", "PaymentEvent", "payment id", 7, True)
"""The worker's dead letters, to be tried again: `payments.events` keeps to one record a webhook."""
RETRIES = Topic("payments.retries", "RetryDue", "payment id", 30)
"""Failed payments that are to be tried again now: what takes payments reads it."""
RECORDED = Topic("payments.recorded", "PaymentEvent", "payment id", 7)
GATEWAY_DEAD = Topic("payments.dead.gateway", "DeadLetter", "provider", 90)
NORMALIZER_DEAD = Topic("payments.dead.normalizer", "DeadLetter", "provider", 90)
WORKER_DEAD = Topic("payments.dead.worker", "DeadLetter", "provider", 90)

TOPICS = (
    WEBHOOKS,
    EVENTS,
    UNMAPPED,
    REDRIVEN,
    RECORDED,
    RETRIES,
    GATEWAY_DEAD,
    NORMALIZER_DEAD,
    WORKER_DEAD,
)
OUTBOX = "store:outbox"
"""No topic: the outbox of the operational store. The log keeps how far it is published."""
GATEWAY_CHECK = "gateway:check"
"""No topic: what a gateway writes to, to see that the log can be written."""
NORMALIZER = "normalizer"
"""Who reads webhooks."""
DEAD_LETTERS = {"gateway": GATEWAY_DEAD, "normalizer": NORMALIZER_DEAD, "worker": WORKER_DEAD}
"""Where each stage puts what it can't handle."""
