"""A day is a function of seed and date; persons are the same from day to day."""

import datetime as dt
import json
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.simtom.people import COHORT_DAYS, CREDIT, period, population
from clearhouse.sandbox.simtom.purchases import of_day
from clearhouse.sandbox.simtom.volume import formula

DAY = dt.timedelta(days=1)
ANY_DAY = st.dates(dt.date(1995, 1, 1), dt.date(2040, 1, 1))


@settings(max_examples=6)
@given(first=ANY_DAY, length=st.integers(2, 4), seed=st.integers(-(2**70), 2**70), data=st.data())
def test_a_day_alone_is_the_day_in_a_range_in_any_order(pull, first, length, seed, data):
    days = [first + n * DAY for n in range(length)]
    asked = {"seed": seed, "base_daily_volume": 7}
    whole = pull(days[0], days[-1], **asked)
    alone = {day: pull(day, **asked) for day in data.draw(st.permutations(days))}
    assert whole == "".join(alone[day] for day in days)


def test_null_and_zero_are_the_servers_own_seed(pull):
    day = "2024-05-05"
    ours = pull(day, options=SandboxOptions(seed=7))
    assert pull(day, seed=7) == ours
    assert pull(day, options=SandboxOptions(seed=7), seed=0) == ours
    assert pull(day, options=SandboxOptions(seed=8)) != ours


def test_a_day_longer_than_a_block_has_every_record_once_and_in_time(pull, parse):
    rows = parse(pull("2024-03-09", base_daily_volume=20_000))
    assert [r["_record_id"] for r in rows] == list(range(20_000))
    times = [r["_timestamp"] for r in rows]
    assert times == sorted(times)
    assert {t[:11] for t in times} == {"2024-03-09T"}


def test_ids_are_unique_over_days(pull, parse):
    ids = [r["transaction_id"] for r in parse(pull("2024-03-01", "2024-03-09"))]
    assert len(set(ids)) == len(ids)
    assert ids[0] == "txn_20240301000000"


def test_peak_hours_draw_purchases(pull, parse):
    def at_three(peaks):
        rows = parse(pull("2024-03-09", base_daily_volume=5_000, peak_hours=peaks))
        return sum(r["_timestamp"][11:13] == "03" for r in rows)

    assert at_three([3]) > 5 * at_three([12, 19, 99])


PERSONAL = (
    "customer_age_bracket",
    "customer_income_bracket",
    "customer_credit_score_range",
    "customer_verification_level",
    "customer_address_stability",
    "customer_state",
)


def test_persons_persist_and_their_tenure_grows_with_the_date(pull, parse):
    seen = defaultdict(list)
    for offset in (0, 1, 40, 200):
        day = dt.date(2024, 1, 15) + offset * DAY
        for row in parse(pull(day, base_daily_volume=4_000)):
            seen[row["customer_id"]].append((day, row))
    back = {who: rows for who, rows in seen.items() if len({day for day, _ in rows}) > 1}
    assert len(back) > 1_000
    for rows in back.values():
        assert len({tuple(row[key] for key in PERSONAL) for _, row in rows}) == 1
        joined = {day.toordinal() - row["customer_tenure_days"] for day, row in rows}
        assert len(joined) == 1
        assert all(row["customer_tenure_days"] > 0 for _, row in rows)


def test_devices_methods_and_products_persist(pull, parse):
    facts = {
        "device_id": ("device_type", "device_os"),
        "payment_method_id": ("payment_provider", "payment_credit_limit"),
        "product_id": ("product_category", "product_subcategory", "product_brand", "product_price"),
    }
    seen = {key: defaultdict(set) for key in facts}
    for row in parse(pull("2024-03-01", "2024-03-03", base_daily_volume=2_000)):
        for key, columns in facts.items():
            seen[key][row[key]].add(tuple(row[c] for c in columns))
    for key in facts:
        assert {len(values) for values in seen[key].values()} == {1}


def test_most_people_of_a_period_are_those_of_the_next():
    one = period(dt.date(2024, 3, 1))
    now, later = (set(population(42, at).number.tolist()) for at in (one, one + 1))
    assert len(now) == 40_000
    assert len(now & later) == 39_000
    assert COHORT_DAYS == 32


@pytest.fixture(scope="module")
def year(pull, parse):
    """40,000 records: ten days over a year."""
    days = [dt.date(2024, 1, 3) + 33 * n * DAY for n in range(10)]
    return [row for day in days for row in parse(pull(day, base_daily_volume=4_000))]


def test_scenario_shares(year):
    shares = {word: n / len(year) for word, n in Counter(r["risk_scenario"] for r in year).items()}
    assert shares == pytest.approx(
        {
            "low_risk_purchase": 0.60,
            "impulse_purchase": 0.20,
            "credit_stretched": 0.15,
            "high_risk_behavior": 0.05,
        },
        abs=0.01,
    )


def test_utilization_is_of_the_stretched_only_and_is_the_share_of_the_limit(year):
    for row in year:
        assert ("credit_utilization" in row) == (row["risk_scenario"] == "credit_stretched")
        if "credit_utilization" in row:
            assert row["credit_utilization"] == row["amount"] / row["payment_credit_limit"]


def test_installments_and_first_payment(year):
    assert {r["installment_count"] for r in year} == {4, 6, 12, 24}
    for row in year:
        cents = round(100 * row["amount"])
        assert (
            abs(round(100 * row["first_payment_amount"]) - cents / row["installment_count"]) <= 0.5
        )


def test_a_missed_payment_is_one_that_fell_due(year):
    missed = {(r["installment_count"], r["days_to_first_missed_payment"]) for r in year}
    for count, days in missed:
        assert days is None or days in range(14, min(84, 14 * (count - 1)) + 1, 14)
    for row in year:
        assert row["will_default"] == (row["days_to_first_missed_payment"] is not None)


def features(row):
    """What an honest model may see: facts known at the decision."""
    words = (
        row["risk_scenario"],
        row["customer_credit_score_range"],
        row["customer_address_stability"],
        row["customer_verification_level"],
        row["customer_income_bracket"],
        str(row["installment_count"]),
    )
    numbers = (
        row["amount"] / row["payment_credit_limit"],
        np.exp(-row["customer_tenure_days"] / 180),
        row["first_payment_amount"] / 100,
        row["economic_stress_factor"],
    )
    return words, numbers


def test_default_is_predictable_but_not_too_well(year):
    words, numbers = zip(*(features(row) for row in year), strict=True)
    encoded = [
        np.array(column)[:, None] == np.unique(column) for column in zip(*words, strict=True)
    ]
    x = np.hstack([*encoded, np.array(numbers)]).astype(float)
    y = np.array([row["will_default"] for row in year])
    assert 0.05 <= y.mean() <= 0.10
    train = slice(0, 28_000)
    test = slice(28_000, None)
    model = LogisticRegression(max_iter=1_000).fit(x[train], y[train])
    assert 0.75 <= roc_auc_score(y[test], model.predict_proba(x[test])[:, 1]) <= 0.85
    score = [row["risk_score"] for row in year]
    assert roc_auc_score(y, score) < 0.76  # the lender's own score leaves something to learn


def test_a_persons_history_says_more_than_the_record():
    """Who defaulted before defaults more often than others of the same credit band."""
    first = dt.date(2024, 2, 1)
    days = [of_day(42, first + n * DAY, 20_000, (12, 19)) for n in range(10)]
    fair = population(42, period(first)).credit == CREDIT.index("fair")
    history = defaultdict(list)
    for day in days:
        assert period(day.day) == period(first)
        here = fair[day.customer]
        misses = (day.missed_days[here] > 0).tolist()
        for customer, missed in zip(day.customer[here].tolist(), misses, strict=True):
            history[customer].append(missed)
    again = [x for past in history.values() for x in past[5:] if any(past[:5])]
    never = [x for past in history.values() for x in past[5:] if not any(past[:5])]
    assert np.mean(again) > 1.15 * np.mean(never)


def test_volume_by_formula_follows_the_calendar():
    def mean(days):
        return np.mean([formula(seed, day, 10_000) for seed in range(40) for day in days])

    def ratio(one, other):
        return mean([one]) / mean([other])

    assert ratio(dt.date(2024, 11, 29), dt.date(2024, 11, 22)) == pytest.approx(1.6, rel=0.1)
    assert ratio(dt.date(2024, 12, 2), dt.date(2024, 12, 9)) == pytest.approx(
        1.4 / 1.2 * 1.15 / 0.95, rel=0.1
    )
    assert ratio(dt.date(2024, 11, 28), dt.date(2024, 11, 21)) == pytest.approx(
        0.2 * 0.9 / 1.1, rel=0.1
    )
    assert ratio(dt.date(2024, 12, 25), dt.date(2024, 12, 24)) == pytest.approx(
        0.1 / 0.3 * 1.05 / 1.10, rel=0.1
    )
    assert ratio(dt.date(2024, 12, 20), dt.date(2024, 12, 19)) == pytest.approx(
        0.5 / 1.2 * 1.25 / 1.10, rel=0.1
    )
    assert ratio(dt.date(2024, 12, 31), dt.date(2024, 12, 24)) == pytest.approx(0.4 / 0.3, rel=0.1)
    assert ratio(dt.date(2024, 1, 1), dt.date(2024, 1, 8)) == pytest.approx(
        0.2 * 1.15 / 0.95, rel=0.1
    )


def test_volume_option(pull):
    asked = {"base_daily_volume": 300, "seed": 5}
    day = dt.date(2024, 1, 1)
    assert pull(day, **asked).count("data: ") == 300
    by_formula = pull(day, options=SandboxOptions(volume="formula"), **asked).count("data: ")
    assert by_formula == formula(5, day, 300)


def test_the_emptiest_day_by_formula_has_one_record(pull):
    christmas = dt.date(2024, 12, 25)
    options = SandboxOptions(volume="formula", faults={christmas: ("negative_amounts",)})
    assert pull(christmas, options=options, base_daily_volume=1).count("data: ") == 1


def test_a_volume_that_would_take_all_memory_is_refused(pull):
    answer = json.loads(pull("2024-01-01", base_daily_volume=10**9))
    assert answer == {"detail": "The sandbox makes at most 2000000 records a day"}
