"""What is told of payments while services run or not: open dead letters, lag, and what is down."""

import datetime as dt
import re
from pathlib import Path

import pytest
from payment_lives import an_event
from prometheus_client import CollectorRegistry, generate_latest

from clearhouse.core.errors import ServerError
from clearhouse.log.log import LogError, Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import encode_event
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.lag import Lag
from clearhouse.payments.letters import Letters, Wanted
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.loop_state import LoopState
from clearhouse.payments.open_letters import OpenLetters
from clearhouse.payments.store.database import open_store
from clearhouse.payments.topics import EVENTS, WEBHOOKS, WORKER_DEAD
from clearhouse.payments.watched import PaymentsCollector
from clearhouse.payments.worker.loop import Worker
from clearhouse.settings import Settings, load_settings

NOON = dt.datetime(2026, 3, 14, 12, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, clearhouse_home=tmp_path)


def told(collector: PaymentsCollector) -> dict[str, float]:
    """What a scrape gives, by sample."""
    registry = CollectorRegistry()
    registry.register(collector)
    return samples(registry)


def samples(registry: CollectorRegistry) -> dict[str, float]:
    text = generate_latest(registry).decode()
    return {
        name.replace('"', ""): float(value)
        for name, value in re.findall(r"^(\w+(?:{.*})?) (\S+)$", text, re.MULTILINE)
    }


def test_open_letters_are_counted_by_code_and_those_that_are_decided_count_no_more(
    settings: Settings,
) -> None:
    log = open_payment_log(LogPlace(settings.log_url))
    store = open_store(settings.payments_database_url)
    worker = Worker(log, store, InProcess(), clock=lambda: NOON)
    collector = PaymentsCollector(settings, lambda: NOON)

    def refused(*positions: int) -> None:
        events = [
            an_event(T.CAPTURED, event_id=f"e{n}", webhook_position=n, amount_minor=None,
                     currency=None)
            for n in positions
        ]  # fmt: skip
        log.append([Message(EVENTS.name, "k", encode_event(event)) for event in events])
        while worker.step():
            pass

    refused(1, 2)
    letters = Letters(log, store, lambda: NOON)
    counts = {name: n for name, n in told(collector).items() if "dead_letters" in name}
    ((dead, count),) = counts.items()
    assert re.search(r"{code=\w+,provider=stripe,stage=worker}$", dead)
    assert count == 2

    letters.discard(letters.find(Wanted())[:1], "a test")
    refused(3)
    assert told(collector)[dead] == 2, "one more, and one less"
    letters.discard(letters.find(Wanted()), "a test")
    found = told(collector)
    assert found[dead] == 0
    assert found["clearhouse_payments_up{part=log}"] == 1
    collector.close()
    store.close()
    log.close()


def test_letters_that_the_log_has_forgotten_are_not_open_any_more(settings: Settings) -> None:
    log = open_payment_log(LogPlace(settings.log_url))
    store = open_store(settings.payments_database_url)
    log.append([Message(EVENTS.name, "k", b"no event")] * 3)
    worker = Worker(log, store, InProcess(), clock=lambda: NOON)
    while worker.step():
        pass
    counted = OpenLetters(log)

    def count() -> list[int]:
        with store.reading() as connection:
            return list(counted.count(connection).values())

    assert count() == [3]
    log.age_out({WORKER_DEAD.name: [2]})
    assert count() == [1]
    letters = Letters(log, store, lambda: NOON)
    letters.discard(letters.find(Wanted()), "a test")
    assert count() == [0]
    log.age_out({WORKER_DEAD.name: [3]})
    assert count() == [0]
    store.close()
    log.close()


def test_what_waits_is_told_without_services_and_nothing_where_none_ever_ran(
    settings: Settings,
) -> None:
    collector = PaymentsCollector(settings, lambda: dt.datetime.now(dt.UTC))
    assert told(collector) == {}
    assert not Path(settings.log_url.removeprefix("sqlite:///")).exists()

    open_store(settings.payments_database_url).close()
    log = open_payment_log(LogPlace(settings.log_url))
    log.append([Message(WEBHOOKS.name, "k", b"{}")] * 3)
    log.close()
    found = told(collector)
    assert found["clearhouse_payments_unread_webhooks"] == 3
    assert 0 < found["clearhouse_payments_oldest_unread_webhook_seconds"] < 3600
    collector.close()


def test_a_log_that_can_not_be_read_is_told_and_the_store_is_told_still(
    settings: Settings,
) -> None:
    open_store(settings.payments_database_url).close()
    Path(settings.log_url.removeprefix("sqlite:///")).write_bytes(b"no database" * 1000)
    found = told(PaymentsCollector(settings, lambda: NOON))
    assert found["clearhouse_payments_up{part=log}"] == 0
    assert found["clearhouse_payments_up{part=store}"] == 1
    assert found["clearhouse_payments_outbox"] == 0


def test_a_service_tells_what_it_waits_for_until_all_its_tasks_go_on() -> None:
    state = LoopState(lambda: (), "reading", "publishing")
    assert samples(state.registry)["payments_ready"] == 0
    state.tell_of("reading", None)
    assert state.in_the_way is not None
    state.of("publishing")(ServerError("It is down.", "server_failed"))
    state.tell_of("reading", LogError("It is down."))

    found = samples(state.registry)
    waits = {name for name, value in found.items() if "waits_for" in name and value}
    assert waits == {"payments_waits_for{part=store}", "payments_waits_for{part=log}"}
    assert found["payments_failures_total{code=server_failed}"] == 1

    state.tell_of("reading", None)
    state.tell_of("publishing", None)
    found = samples(state.registry)
    assert found["payments_ready"] == 1
    assert not any(value for name, value in found.items() if "waits_for" in name)


def test_lag_that_can_not_be_read_leaves_the_other_metrics() -> None:
    def lags() -> list[Lag]:
        raise LogError("It is down.")

    found = samples(LoopState(lags).registry)
    assert "payments_ready" in found
    assert not any(name.startswith("payments_lag") for name in found)
