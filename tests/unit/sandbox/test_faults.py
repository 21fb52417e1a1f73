"""Bad days are seeded, and touch the named day only."""

import datetime as dt
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from clearhouse.core.errors import UsageError
from clearhouse.core.window import Window
from clearhouse.sandbox.faults import CUT_STREAM, UNAVAILABLE, FaultPlan
from clearhouse.sandbox.options import SandboxOptions, faults_as_text, faults_from_text
from clearhouse.sandbox.simtom.app import create_app
from clearhouse.sandbox.simtom.faults import LATER_FAULTS, ROW_FAULTS

ASK = {"start_date": "2024-01-03", "end_date": "2024-01-03", "base_daily_volume": 200}
GOOD, BAD = dt.date(2024, 1, 2), dt.date(2024, 1, 3)


def with_fault(*kinds):
    return SandboxOptions(faults={BAD: kinds})


@pytest.fixture(scope="module")
def day(pull, parse):
    """The bad day, as (true records, records with the faults)."""

    def day(*kinds):
        true = parse(pull(BAD, base_daily_volume=2_000))
        return true, parse(pull(BAD, base_daily_volume=2_000, options=with_fault(*kinds)))

    return day


@pytest.mark.parametrize("kind", sorted(ROW_FAULTS - LATER_FAULTS.keys()))
def test_the_same_bad_day_at_every_attempt_and_good_days_stay(pull, kind):
    asked = {"base_daily_volume": 200, "options": with_fault(kind)}
    assert pull(BAD, **asked) == pull(BAD, **asked)
    assert pull(GOOD, **asked) == pull(GOOD, base_daily_volume=200)
    assert pull(BAD, **asked) != pull(BAD, base_daily_volume=200)
    assert pull(GOOD, BAD, **asked) == pull(GOOD, **asked) + pull(BAD, **asked)


def test_negative_amounts_are_five_percent_and_nothing_else_changes(day):
    true, bad = day("negative_amounts")
    changed = [(a, b) for a, b in zip(true, bad, strict=True) if a != b]
    assert len(changed) == 100
    assert all(b == {**a, "amount": -a["amount"]} for a, b in changed)


def test_half_of_the_records_are_missing_and_the_rest_is_true(day):
    true, bad = day("half_volume")
    assert len(bad) == 1_000
    kept = {r["_record_id"] for r in bad}
    assert bad == [r for r in true if r["_record_id"] in kept]
    assert kept != set(range(1_000))


def test_restated_records_keep_id_and_time_and_change_their_amount(day):
    true, bad = day("restated")
    changed = [(a, b) for a, b in zip(true, bad, strict=True) if a != b]
    assert len(changed) == 20
    for a, b in changed:
        assert {k for k in a if a[k] != b[k]} <= {
            "amount",
            "first_payment_amount",
            "credit_utilization",
        }
        assert 0 < b["amount"] < a["amount"]


def test_faults_add_up(day):
    _, bad = day("half_volume", "negative_amounts")
    assert len(bad) == 1_000
    assert sum(r["amount"] < 0 for r in bad) == 50


def test_a_day_of_one_record_can_be_bad_too(pull, parse):
    [row] = parse(pull(BAD, base_daily_volume=1, options=with_fault("negative_amounts")))
    assert row["amount"] < 0


def test_a_later_pull_restates_what_the_first_one_gave(pull, send):
    answers = send(with_fault("restated_later"), ASK, times=3)
    first, second, third = (answer.text for answer in answers)
    assert first == pull(BAD, base_daily_volume=200)
    assert second == third == pull(BAD, base_daily_volume=200, options=with_fault("restated"))


def test_an_answer_that_is_cut_was_not_sent_whole():
    plan = FaultPlan({BAD: ("cut_stream",)}, ())
    both = Window(GOOD, BAD)
    accidents = [plan.meet(window) for window in (both, both, Window.day(BAD))]
    assert [a.ends for a in accidents] == [{BAD: CUT_STREAM}, {}, {}]
    assert [a.later for a in accidents] == [frozenset(), frozenset(), {BAD}]


def test_refusals_come_one_at_a_time_with_their_own_retry_after(send):
    options = with_fault("too_many_requests", "unavailable", "unavailable_until")
    options = replace(options, retry_after_seconds=3)
    answers = send(options, ASK, times=4)
    assert [a.status_code for a in answers] == [503, 503, 429, 200]
    waits = [a.headers.get("retry-after") for a in answers]
    assert (waits[0], waits[2], waits[3]) == ("3", "3", None)
    assert parsedate_to_datetime(waits[1]).tzinfo is not None
    assert answers[2].json() == {"detail": "Too Many Requests"}


def test_a_slow_day_pauses_before_each_quarter_and_is_whole(pull, monkeypatch):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    monkeypatch.setattr("clearhouse.sandbox.answers.anyio.sleep", pause)
    options = SandboxOptions(faults={BAD: ("slow",)}, slow_seconds=0.7)
    assert pull(BAD, base_daily_volume=200, options=options) == pull(BAD, base_daily_volume=200)
    assert pauses == [0.7] * 4


def test_wire_faults_occur_at_the_first_attempts_only():
    plan = FaultPlan({BAD: ("unavailable:2", "cut_stream"), GOOD: ("cut_stream",)}, ())
    both = Window(GOOD, BAD)
    assert [plan.meet(both).refusal for _ in range(2)] == [UNAVAILABLE] * 2
    windows = (Window.day(GOOD), both, both)
    assert [set(plan.meet(window).ends) for window in windows] == [{GOOD}, {BAD}, set()]


def test_faults_from_the_command_line():
    words = ["2024-01-03=negative_amounts", "2024-01-05=cut_stream:2", "2024-01-03=restated"]
    faults = faults_from_text(words)
    assert faults == {
        dt.date(2024, 1, 3): ("negative_amounts", "restated"),
        dt.date(2024, 1, 5): ("cut_stream:2",),
    }
    assert faults_from_text(faults_as_text(faults)) == faults
    span = faults_from_text(["2024-02-28..2024-03-01=down"])
    assert [str(day) for day in span] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert set(span.values()) == {("down",)}


@pytest.mark.parametrize(
    "word", ["2024-01-03", "2024-01-03=", "03.01.2024=restated", "2024-01-03..2024-01-02=down"]
)
def test_a_malformed_fault_is_refused(word):
    with pytest.raises(UsageError):
        faults_from_text([word])


@pytest.mark.parametrize(
    "kind", ["no_such", "restated:2", "down:2", "cut_stream:", "cut_stream:0", "cut_stream:two"]
)
def test_an_unknown_fault_is_refused_before_anything_is_served(kind):
    with pytest.raises(UsageError, match="is not a fault"):
        create_app(with_fault(kind))
