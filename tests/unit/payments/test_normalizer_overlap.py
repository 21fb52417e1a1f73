"""The normalizer over a log whose commits take time: the next batch is worked out meanwhile."""

import datetime as dt
import threading
from contextlib import suppress

import payment_notifications as n
import pytest

from clearhouse.core.errors import ClearhouseError
from clearhouse.landing.store import Landing
from clearhouse.log.log import LogError, Message, Progress, StaleProgress
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.event import decode_event
from clearhouse.payments.normalizer.breaker import BreakerSettings
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.topics import EVENTS, TOPICS, WEBHOOKS
from clearhouse.payments.webhook import encode_webhook

NOW = dt.datetime(2026, 11, 2, 12, 1, tzinfo=dt.UTC)
GOOD = n.stripe("charge.captured", n.charge())
BAD = n.stripe("charge.captured", n.charge(amount="x"))
STEPS = 30


class LateLog:
    """A log, and its only subscription: what is begun is committed when it is ended.

    Args:
        inner: the log.
        errors: instead of the nth commit, by n.
    """

    def __init__(self, inner, errors):
        self._inner = inner
        self._errors = errors
        self._begun = None
        self.commits = 0
        self.calls = []

    def subscribe(self, consumer, topic):
        self._of = consumer, topic
        return self

    def read(self, limit):
        self.calls.append("read")
        committed = self._inner.progress(*self._of)
        behind = self._begun[0][-1].position + 1 if self._begun else committed
        return self._inner.read(self._of[1], behind, limit)

    def begin_commit(self, handled, messages):
        self.calls.append("begin")
        assert self._begun is None
        self._begun = handled, messages

    def end_commit(self):
        self.calls.append("end")
        (handled, messages), self._begun = self._begun, None
        self.commits += 1
        if self.commits in self._errors:
            raise self._errors[self.commits]
        self._inner.append(messages, Progress(*self._of, handled[-1].position + 1))


@pytest.fixture
def log(tmp_path):
    with_topics = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=lambda: NOW)
    yield with_topics
    with_topics.close()


@pytest.fixture
def start(log, tmp_path):
    """Starts a normalizer of two webhooks a batch; what it works on, and what it tells."""

    def start_it(*webhooks, errors=(), **more):
        log.append([Message(WEBHOOKS.name, "k", encode_webhook(each)) for each in webhooks])
        late, told = LateLog(log, dict(errors)), []
        landing = Landing.from_url((tmp_path / "landing").as_uri())
        return Normalizer(late, landing, batch=2, on_outcomes=told.extend, **more), late, told

    return start_it


def positions(values):
    return [decode_event(value).webhook_position for value in values]


def test_the_next_batch_is_read_while_one_is_being_committed_and_begun_when_it_is(start):
    normalizer, late, told = start(*[GOOD] * 5)

    assert [normalizer.step() for _ in range(4)] == [2, 2, 1, 0]

    after = ["read", "end", "begin"]
    assert late.calls == ["read", "begin", *after, *after, "end", "read"], "a short one is ended"
    assert positions(each.message.value for each in told) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("error", [StaleProgress("Others have them."), LogError("It was down.")])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_what_was_worked_out_behind_a_commit_that_fails_is_let_go_and_read_again(
    start, log, error, nth
):
    normalizer, late, told = start(*[GOOD] * 7, errors={nth: error})

    for _ in range(STEPS):
        with suppress(LogError):
            normalizer.step()

    assert late.commits > nth
    assert positions(record.value for record in log.read(EVENTS.name, 0)) == list(range(7))
    assert positions(each.message.value for each in told) == list(range(7))


def test_what_is_being_committed_when_it_is_told_to_end_is_ended_and_told(start, log):
    normalizer, _, told = start(*[GOOD] * 6)
    stop = threading.Event()

    normalizer.run_until(stop, lambda _: stop.set())

    assert log.progress("normalizer", WEBHOOKS.name) == len(told) == 2


class _Down:
    def fetch(self, _named):
        raise LogError("Landing is down.")


@pytest.mark.parametrize(
    ("behind", "more"),
    [
        ([n.thin()], {"fetcher": _Down()}),
        ([BAD] * 2, {"breaker": BreakerSettings(window=3, share=0.5, least=2)}),
    ],
)
def test_what_stops_the_next_batch_stops_no_commit(start, log, behind, more):
    normalizer, _, told = start(GOOD, GOOD, *behind, **more)
    assert normalizer.step() == 2

    with pytest.raises(ClearhouseError):
        normalizer.step()

    assert log.progress("normalizer", WEBHOOKS.name) == len(told) == 2
