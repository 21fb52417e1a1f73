"""The normalizer: how many webhooks of four providers a second become events, through the log."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice

import msgspec

from benchmarks.jobs import SEED, BenchmarkError, Done, Job, Task
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log, Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.event import Provider
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.topics import EVENTS, NORMALIZER_DEAD, TOPICS, WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, encode_webhook
from clearhouse.sandbox.payments.output import Fate, Notice
from clearhouse.sandbox.payments.world import World

_A_DAY = 300
"""Webhooks for each day of the job: a year is some 110,000."""
_LIVES = 5_000
_AT_ONCE = 1_000


def normalize(job: Job, stack: ExitStack) -> Task:
    """From `payments.webhooks` to `payments.events` in a log on the disk, in one thread.

    Bodies are the sandbox's, with those that need no fetch, repeated until there are enough.
    """
    log = open_payment_log(LogPlace(f"sqlite:///{job.home}/log.db"))
    stack.callback(log.close)
    landing = Landing.from_url((job.home / "landing").as_uri())
    count = _A_DAY * job.days
    webhooks = islice(cycle(stored_webhooks(_LIVES)), count)
    size = 0
    while batch := list(islice(webhooks, _AT_ONCE)):
        log.append([Message(WEBHOOKS.name, "k", webhook) for webhook in batch])
        size += sum(map(len, batch))

    def run() -> Done:
        normalizer = Normalizer(log, landing)
        handled = 0
        while step := normalizer.step():
            handled += step
        return Done(handled, size)

    return Task(run, lambda: _checked(log, count))


def stored_webhooks(lives: int, seed: int = SEED, at: dt.datetime | None = None) -> list[bytes]:
    """About so many webhooks of the sandbox, as the log holds them.

    Args:
        lives: how many webhooks are asked for.
        seed: of the world that they tell of.
        at: when they came, on the last day of that world; None: now.
    """
    came = at or dt.datetime.now(dt.UTC)
    return [_stored(each, came) for each in _wanted(World(seed, lives, today=came.date()))]


def _wanted(world: World) -> Iterator[Notice]:
    of = (Fate.EVENT, Fate.UNMAPPED)
    yield from (each for each in world.notices if each.fate in of and not each.is_thin)


def _stored(notice: Notice, at: dt.datetime) -> bytes:
    body = notice.content
    if not isinstance(body, bytes):
        live = "true" if notice.is_live else "false"
        item = {"live": live, "notificationItems": [{"NotificationRequestItem": body}]}
        body = msgspec.json.encode(item)
    webhook = StoredWebhook(
        provider=Provider(notice.provider),
        account=notice.endpoint,
        key_id="1",
        received_at=at,
        verified_at=at,
        item=0,
        items=1,
        body=body.decode(),
        body_sha256=hashlib.sha256(body).hexdigest(),
    )
    return encode_webhook(webhook)


def _checked(log: Log, count: int) -> dict[str, str]:
    ends = {topic.name: log.end(topic.name) for topic in TOPICS}
    if ends[NORMALIZER_DEAD.name] or ends[EVENTS.name] < count // 2:
        raise BenchmarkError(f"The webhooks did not become events: {ends}.")
    return {}
