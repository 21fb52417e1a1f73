"""The normalizer's loop over a real log: one message out for each webhook, whatever happens."""

import datetime as dt
import json
import threading

import httpx
import msgspec
import payment_notifications as n
import pytest

from clearhouse.core.errors import SourceError
from clearhouse.core.http import HttpPolicy
from clearhouse.landing.store import Landing
from clearhouse.log.kept_subscription import KeptSubscription
from clearhouse.log.log import LogError, Message, StaleProgress
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.dead_letter import DeadLetter, Unmapped
from clearhouse.payments.event import decode_event
from clearhouse.payments.normalizer import outcomes
from clearhouse.payments.normalizer.breaker import BreakerOpenError, BreakerSettings
from clearhouse.payments.normalizer.fetching import FetchRecords, StripeObjects
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.topics import EVENTS, NORMALIZER_DEAD, TOPICS, UNMAPPED, WEBHOOKS
from clearhouse.payments.webhook import encode_webhook

NOW = dt.datetime(2026, 11, 2, 12, 1, tzinfo=dt.UTC)
GOOD = n.stripe("charge.captured", n.charge())
BAD = n.stripe("charge.captured", n.charge(amount="x"))
PATIENCE = HttpPolicy(attempts=2, wait_initial_seconds=0, wait_max_seconds=0, wait_jitter_seconds=0)


@pytest.fixture
def log(tmp_path):
    with_topics = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=lambda: NOW)
    yield with_topics
    with_topics.close()


@pytest.fixture
def landing(tmp_path):
    return Landing.from_url((tmp_path / "landing").as_uri())


@pytest.fixture
def normalizer(log, landing):
    return Normalizer(log, landing, now=lambda: NOW)


def put(log, *webhooks):
    log.append([Message(WEBHOOKS.name, "stripe:k", _bytes(each)) for each in webhooks])


def _bytes(webhook):
    return webhook if isinstance(webhook, bytes) else encode_webhook(webhook)


def values(log, topic, kind):
    return [msgspec.json.decode(each.value, type=kind) for each in log.read(topic.name, 0)]


def counts(log):
    return [log.end(topic.name) for topic in (EVENTS, UNMAPPED, NORMALIZER_DEAD)]


def test_each_webhook_becomes_one_message(log, normalizer):
    put(
        log,
        GOOD,
        n.stripe("invoice.paid", {}),
        BAD,
        b'{"account":"\xff not a webhook"}',
        b'{"provider":"square"}',
    )

    assert normalizer.step() == 5
    assert normalizer.step() == 0

    assert counts(log) == [1, 1, 3]
    (record,) = log.read(EVENTS.name, 0)
    event = decode_event(record.value)
    assert (record.key, event.webhook_position) == ("stripe:default:live:pi_1", 0)
    assert event.book_date == NOW.date()
    assert values(log, UNMAPPED, Unmapped)[0].webhook_position == 1
    first, second, third = values(log, NORMALIZER_DEAD, DeadLetter)
    assert (first.letter_id, first.code) == ("normalizer:payments.webhooks:2", "field_type")
    assert (first.event_id, first.webhook_position) == ("stripe:evt_1", 2)
    assert bytes(first.message) == encode_webhook(BAD)
    assert (second.code, second.provider, second.body_base64) == (
        "webhook_malformed",
        "stripe",
        "eyJhY2NvdW50Ijoi/yBub3QgYSB3ZWJob29rIn0=",
    )
    assert (third.provider, bytes(third.message)) == ("square", b'{"provider":"square"}')


def test_a_defect_of_a_mapping_is_a_letter_without_its_data(log, normalizer, monkeypatch):
    def defect(webhook, *_):
        raise KeyError(webhook.body)

    monkeypatch.setattr(outcomes, "normalize", defect)
    put(log, GOOD)

    assert normalizer.step() == 1

    (letter,) = values(log, NORMALIZER_DEAD, DeadLetter)
    assert letter.code == "mapping_failed"
    assert letter.reason.startswith("The mapping failed: KeyError at test_normalizer_loop.py:")
    assert "pi_1" not in letter.reason


def test_a_flood_of_dead_letters_stops_it_before_anything_is_committed(log, landing):
    limits = BreakerSettings(window=100, share=0.5, least=5)
    put(log, *[GOOD] * 20, *[BAD] * 30)
    normalizer = Normalizer(log, landing, breaker=limits, batch=25)

    assert normalizer.step() == 25
    with pytest.raises(BreakerOpenError, match="field_type") as stopped:
        normalizer.step()

    assert stopped.value.code == "breaker_open"
    assert (counts(log), log.progress("normalizer", WEBHOOKS.name)) == ([20, 0, 5], 25)
    assert Normalizer(log, landing, breaker=None).step() == 25
    assert counts(log) == [20, 0, 30]


def test_redrives_open_no_breaker(log, landing):
    again = msgspec.structs.replace(BAD, redrive_of="normalizer:payments.webhooks:2", attempt=2)
    put(log, *[again] * 30)

    Normalizer(log, landing, breaker=BreakerSettings(window=10, share=0.1, least=1)).step()

    letters = values(log, NORMALIZER_DEAD, DeadLetter)
    assert (len(letters), letters[0].attempt) == (30, 2)


def test_two_processes_leave_nothing_twice(log, landing, tmp_path):
    other_log = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS])
    put(log, GOOD, GOOD)
    first, second = Normalizer(log, landing, batch=1), Normalizer(other_log, landing, batch=1)
    assert first.step() == 1
    assert second.step() == 1

    assert first.step() == 0  # the other has come further
    put(log, GOOD)
    assert first.step() == 1

    assert log.end(EVENTS.name) == 3
    assert [e.webhook_position for e in map(decode_event, _values(log))] == [0, 1, 2]
    other_log.close()


def _values(log):
    return [each.value for each in log.read(EVENTS.name, 0)]


def _api(answer):
    return StripeObjects("https://stripe.test", "sk_test_1", PATIENCE, httpx.MockTransport(answer))


def test_a_thin_event_is_fetched_and_the_fetch_is_in_landing(log, landing):
    asked = []

    def answer(request):
        asked.append(request)
        if request.url.path.endswith("ch_2"):
            return httpx.Response(404, json={"error": {"code": "resource_missing"}})
        return httpx.Response(200, json=n.charge())

    put(log, GOOD, n.thin(number=1), n.thin(number=2))
    api = _api(answer)

    assert Normalizer(log, landing, api, now=lambda: NOW).step() == 3
    api.close()

    assert counts(log) == [2, 0, 1]
    assert decode_event(_values(log)[1]).event_id == "stripe:acct_1:evt_1"
    assert values(log, NORMALIZER_DEAD, DeadLetter)[0].code == "object_gone"
    assert {request.headers["Stripe-Account"] for request in asked} == {"acct_1"}
    assert asked[0].headers["Authorization"] == "Bearer sk_test_1"
    kept = FetchRecords(landing, lambda: NOW).of(NOW.date())
    assert (json.loads(kept[1][0])["id"], kept[2]) == ("ch_1", [None])


def test_a_fetched_object_with_half_a_character_is_read_and_one_of_no_text_is_waited_for(
    log, landing
):
    bodies = [
        b'{"description":"\xff"}',
        json.dumps({**n.charge(), "description": "\ud83d"}).encode(),
    ]

    def answer(_request):
        return httpx.Response(200, content=bodies.pop(0))

    put(log, n.thin(number=1))
    api = _api(answer)
    assert Normalizer(log, landing, api, now=lambda: NOW).step() == 1
    api.close()
    assert counts(log) == [1, 0, 0]


class _Failing:
    """Fails at the nth durable write, before it or after it; `left` is shared by several."""

    def __init__(self, inner, method, left, *, is_after):
        self._inner, self._method, self._left, self._is_after = inner, method, left, is_after

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        return self._failing(found) if name == self._method else found

    def _failing(self, write):
        def failing(*arguments):
            self._left[0] -= 1
            if self._left[0] == 0 and not self._is_after:
                raise LogError("It was killed.")
            answer = write(*arguments)
            if self._left[0] == 0:
                raise LogError("It was killed, and the answer was lost.")
            return answer

        return failing


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("is_new_process", [False, True])
def test_ended_at_any_durable_write_it_leaves_each_webhook_once(
    log, landing, nth, is_after, is_new_process
):
    put(log, GOOD, n.thin(number=1), BAD, n.thin(number=2), GOOD, n.stripe("invoice.paid", {}))
    api = _api(lambda _request: httpx.Response(200, json=n.charge()))
    left = [nth]

    def started():
        failing_log = _Failing(log, "append", left, is_after=is_after)
        failing_landing = _Failing(landing, "put_numbered", left, is_after=is_after)
        return Normalizer(failing_log, failing_landing, api, batch=2, now=lambda: NOW)

    normalizer = started()
    while log.progress("normalizer", WEBHOOKS.name) < 6:
        try:
            normalizer.step()
        except LogError:
            normalizer = started() if is_new_process else normalizer
    api.close()

    assert counts(log) == [4, 1, 1]
    assert [event.webhook_position for event in map(decode_event, _values(log))] == [0, 1, 3, 4]
    assert set(FetchRecords(landing, lambda: NOW).of(NOW.date())) == {1, 3}


@pytest.mark.parametrize("status", [503, 401])
def test_an_outage_of_the_api_stops_before_the_thin_event_and_dead_letters_nothing(
    log, landing, status
):
    is_down = [True]

    def answer(_request):
        return httpx.Response(status) if is_down[0] else httpx.Response(200, json=n.charge())

    put(log, GOOD, n.thin(), GOOD)
    api = _api(answer)
    normalizer = Normalizer(log, landing, api)

    assert normalizer.step() == 1
    with pytest.raises(SourceError):
        normalizer.step()
    assert counts(log) == [1, 0, 0]
    is_down[0] = False
    assert normalizer.step() == 2
    assert counts(log) == [3, 0, 0]
    api.close()


def test_an_account_that_is_no_longer_connected_stops_no_others(log, landing):
    def answer(request):
        if request.url.path.endswith("ch_1"):  # Stripe's answer once an account has left
            return httpx.Response(403, json={"error": {"code": "account_invalid"}})
        return httpx.Response(200, json=n.charge())

    put(log, n.thin(number=1), n.thin(number=2), GOOD)
    api = _api(answer)

    assert Normalizer(log, landing, api, now=lambda: NOW).step() == 3
    api.close()

    assert counts(log) == [2, 0, 1]
    assert values(log, NORMALIZER_DEAD, DeadLetter)[0].code == "object_refused"
    assert set(FetchRecords(landing, lambda: NOW).of(NOW.date())) == {1}


def test_thin_events_are_dead_letters_while_no_api_is_set_and_stop_no_others(log, landing):
    put(log, *[n.thin()] * 60, GOOD)
    outcomes = []

    without = Normalizer(log, landing, now=lambda: NOW, on_outcomes=outcomes.extend)

    assert without.step() == 61
    assert counts(log) == [1, 0, 60]
    assert {each.code for each in outcomes} == {"no_stripe_api", None}


def test_the_loop_ends_when_it_is_told_and_says_what_is_in_the_way(log, landing):
    stop, states = threading.Event(), []

    def on_state(error):
        states.append(error and error.code)
        if len(states) == 2:
            stop.set()

    put(log, GOOD)
    Normalizer(log, landing, batch=1).run_until(stop, on_state)

    assert states == [None, None]
    assert log.progress("normalizer", WEBHOOKS.name) == 1


@pytest.fixture
def refuse(monkeypatch):
    """Has the log refuse commits of more than so many webhooks, as a slow server does."""
    commit = KeptSubscription.commit

    def refuse_over(most):
        def committed(self, handled, messages):
            if len(handled) > most:
                raise StaleProgress("It took too long.")
            commit(self, handled, messages)

        monkeypatch.setattr(KeptSubscription, "commit", committed)

    return refuse_over


def test_a_log_that_refuses_what_is_much_is_given_less(log, landing, refuse):
    put(log, *[GOOD] * 12)
    refuse(3)
    normalizer = Normalizer(log, landing, batch=8, now=lambda: NOW)

    # It is given more once a commit has ended, which is after the next webhooks are read.
    assert [normalizer.step() for _ in range(8)] == [0, 0, 2, 2, 0, 0, 2, 2]
    refuse(100)
    assert [normalizer.step() for _ in range(2)] == [4, 0]
    assert counts(log) == [12, 0, 0]


def test_a_log_that_refuses_every_commit_is_in_the_way(log, landing, refuse):
    stop, states = threading.Event(), []

    def on_state(error):
        states.append(error and error.code)
        if len(states) == 5:
            stop.set()
        if len(states) == 3:
            refuse(1)

    put(log, GOOD)
    refuse(0)
    Normalizer(log, landing).run_until(stop, on_state)

    assert states == [None, None, "stale_progress", None, None]
