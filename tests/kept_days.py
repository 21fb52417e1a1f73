"""Which days the books can measure after a log has forgotten records: the same on every log."""

import datetime as dt

from clearhouse.log.log import Log, Message, partition_of
from clearhouse.payments import book_log
from clearhouse.payments.topics import WEBHOOKS

DAY = dt.timedelta(days=1)


def check_kept_days(log: Log) -> None:
    """Forget a partition's webhooks of today in part, then whole, and look back from later.

    Args:
        log: an empty one, with the topics of payments.
    """
    log.append([Message(WEBHOOKS.name, str(n), b"{}") for n in range(30)])
    webhooks = log.read(WEBHOOKS.name, 0)
    today, partition = webhooks[0].appended_at.date(), partition_of(webhooks[0].position)
    later = today + (WEBHOOKS.days + 3) * DAY

    def kept() -> list[bool]:
        days = [today + n * DAY for n in (-1, 0, 1, 2)]
        return [book_log.is_kept(log, WEBHOOKS, day, later) for day in days]

    assert kept() == [True] * 4
    for limit in (webhooks[0].position + 1, log.end(WEBHOOKS.name, partition)):
        log.age_out({WEBHOOKS.name: [limit]})
        assert kept() == [False, False, True, True]
        assert book_log.is_kept(log, WEBHOOKS, today, today), "too early: what is gone is missing"
