"""What Prometheus is told of the gateway."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from clearhouse.payments.event import Provider

NOT_STORED = "log_unavailable"
"""Outcome of a webhook that the log could not take."""
READY = Gauge(
    "payments_ready",
    "1 while the log can be read and written, as the process that was asked last has found.",
    multiprocess_mode="mostrecent",
)
WEBHOOKS = Counter("gateway_webhooks", "Requests by provider and outcome.", ["provider", "outcome"])
for _provider in Provider:  # from 0 on, or the first that is not stored would be no increase
    WEBHOOKS.labels(_provider, NOT_STORED)
REFUSED = Counter(
    "gateway_signatures_refused", "Requests that no live key has signed.", ["provider", "code"]
)
NOTIFICATIONS = Counter(
    "gateway_notifications", "Notifications that were accepted; a request may hold several.",
    ["provider"],
)  # fmt: skip
MASKED = Counter(
    "gateway_card_numbers_masked", "Values in which a card number was masked.", ["provider"]
)
SECONDS = Histogram(
    "gateway_webhook_seconds",
    "From a request to its answer.",
    ["provider"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


@cache
def webhooks(provider: str, outcome: str) -> Counter:
    """The counter of requests that came to an outcome; found once, as each request needs it."""
    return WEBHOOKS.labels(provider, outcome)


@cache
def notifications(provider: str) -> Counter:
    """The counter of a provider's notifications."""
    return NOTIFICATIONS.labels(provider)


@cache
def seconds(provider: str) -> Histogram:
    """The times of a provider's requests."""
    return SECONDS.labels(provider)
