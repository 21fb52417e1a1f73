"""Faults of single records: the stated share is hit, in the stated way, and no others."""

import datetime as dt
import itertools
import json
from collections import Counter

import pytest

from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.simtom.record_faults import RECORD_FAULTS
from clearhouse.sandbox.simtom.wire import STREAM

BAD, NEXT = dt.date(2024, 1, 3), dt.date(2024, 1, 4)
RECORDS = 5_000


@pytest.fixture(scope="module")
def true(with_fault):
    return with_fault()


@pytest.fixture(scope="module")
def with_fault(send):
    """The records of a day as they come with some faults, as bytes."""

    def texts(*kinds, day=BAD, **more):
        dates = {"start_date": str(day), "end_date": str(day)}
        config = {**dates, "base_daily_volume": RECORDS, **more}
        [answer] = send(SandboxOptions(faults={day: kinds}), config)
        return STREAM.split(answer.content)

    return texts


@pytest.fixture(scope="module")
def changed(true, with_fault):
    """The texts of a day that a fault changed, as (before, after), in place."""

    def changed(kind):
        return [(a, b) for a, b in zip(true, with_fault(kind), strict=True) if a != b]

    return changed


def test_duplicates_are_two_percent_byte_for_byte_at_once_or_at_the_end(true, with_fault):
    sent = with_fault("duplicates")
    again = Counter(sent) - Counter(true)
    assert set(again.values()) == {1}
    assert len(sent) - len(true) == len(again) == 100
    assert sum(a == b for a, b in itertools.pairwise(sent)) == 50
    assert set(sent[-50:]) <= set(again)
    assert list(dict.fromkeys(sent)) == true


def test_late_records_are_of_the_day_before_and_new(true, with_fault):
    sent = with_fault("late")
    assert sent[: len(true)] == true
    late = [json.loads(text) for text in sent[len(true) :]]
    assert len(late) == 5
    assert {r["_timestamp"][:10] for r in late} == {"2024-01-02"}
    assert {r["transaction_id"][:17] for r in late} == {"txn_late_20240102"}


def test_the_day_after_delivers_them_again_byte_for_byte_whatever_it_is_asked_for(with_fault):
    late = with_fault("late")[-5:]
    assert with_fault("redelivered", day=NEXT, seed=99, base_daily_volume=3)[-5:] == late


def test_corrections_come_at_the_end_with_a_lower_amount_under_the_same_key(true, with_fault):
    sent = with_fault("corrected")
    assert sent[: len(true)] == true
    originals = {r["transaction_id"]: r for r in map(json.loads, true)}
    corrections = [json.loads(text) for text in sent[len(true) :]]
    assert len(corrections) == 50
    for correction in corrections:
        before = originals[correction["transaction_id"]]
        changed = {key for key in before if before[key] != correction[key]}
        assert changed == {"amount", "first_payment_amount"}
        assert 0 < correction["first_payment_amount"] < correction["amount"] < before["amount"]


def test_new_fields_leave_the_others_as_they_were(changed):
    pairs = [(json.loads(a), json.loads(b)) for a, b in changed("new_fields")]
    assert len(pairs) == 150
    assert all(a.items() <= b.items() for a, b in pairs)
    found = Counter(type(b[key]) for a, b in pairs for key in b.keys() - a.keys())
    assert found.keys() == {str, int, bool, float, type(None), dict}
    scores = {type(b["merchant_score"]) for _, b in pairs if "merchant_score" in b}
    assert scores == {float, str}


def test_missing_fields_are_absent_or_null(changed):
    pairs = [(json.loads(a), json.loads(b)) for a, b in changed("missing_fields")]
    assert len(pairs) == 20
    lost = Counter((key, key in b) for a, b in pairs for key in a if b.get(key) != a[key])
    assert sum(lost.values()) == 20
    assert {(key, is_there) for key, is_there in lost if key == "amount"} == {
        ("amount", True), ("amount", False),
    }  # fmt: skip
    assert len({key for key, _ in lost}) == 6


def test_wrong_types_are_as_many_as_a_reader_could_trip_over(changed):
    pairs = changed("wrong_types")
    assert len(pairs) == 20
    for before, after in pairs:
        a, b = (json.loads(text, parse_float=lambda n: ("float", n)) for text in (before, after))
        assert len([key for key in a if a[key] != b[key] or type(a[key]) is not type(b[key])]) == 1
    texts = b"".join(after for _, after in pairs)
    for written in (b'e0, "', b'8307230633, "', b'"risk_score": "high"', b"+02:00", b": 1.0995"):
        assert written in texts


def test_shadowed_fields_stand_first_in_the_text(changed):
    pairs = [(json.loads(a), json.loads(b)) for a, b in changed("shadowed_fields")]
    assert len(pairs) == 20
    for before, after in pairs:
        assert next(iter(after)) == "refund"
        assert {k: v for k, v in after.items() if k != "refund"} == before
        assert after["refund"].keys() == {"transaction_id", "amount"}


def test_broken_json_is_no_single_object_of_unique_fields(changed):
    def strictly(text):
        def once(pairs):
            if len(dict(pairs)) != len(pairs):
                raise ValueError
            return dict(pairs)

        def refuse(name):
            raise ValueError(name)

        record = json.loads(text.decode(), object_pairs_hook=once, parse_constant=refuse)
        if not isinstance(record, dict):
            raise TypeError

    pairs = changed("broken_json")
    assert len(pairs) == 20
    for before, after in pairs:
        strictly(before)
        with pytest.raises((ValueError, TypeError)):
            strictly(after)
        assert after
        assert b"\n" not in after
    assert len({after[:9] for _, after in pairs}) >= 4


def test_all_faults_at_once_keep_the_framing_on_a_day_of_any_size(with_fault):
    for size in (1, 40):
        texts = with_fault(*RECORD_FAULTS, "restated", "negative_amounts", base_daily_volume=size)
        assert len(texts) > size + 10
        assert not any(b"data: " in text or not text for text in texts)
