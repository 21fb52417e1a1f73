"""Faults of the sandbox's retailers: what a sale is stays clear, and the answer stays JSON."""

import datetime as dt
import itertools
import json
from collections import Counter
from decimal import Decimal

import httpx
import pytest
from unit.sandbox.retail import RETAILERS, ROWS_UNDER, days_from, request, rows, rows_of, send

from clearhouse.core.errors import UsageError
from clearhouse.sandbox.faults import DOWN, WIRE_FAULTS, faults_from_text
from clearhouse.sandbox.retail.faults import HOSTILE, LINE_FAULTS, ROW_FAULTS
from clearhouse.sandbox.retail.options import RetailOptions
from clearhouse.sandbox.rng import seed_of

GOOD, BAD, NEXT = days_from(dt.date(2024, 3, 4), 3)
ID = {"retailer_1": "order_id", "retailer_2": "transaction_number", "retailer_3": "sale_id"}
TOTAL = {"retailer_1": "total", "retailer_2": "amount", "retailer_3": "revenue"}
QUANTITY = {"retailer_1": "quantity", "retailer_2": "qty", "retailer_3": "count"}
TIME = {"retailer_1": "order_date", "retailer_2": "date", "retailer_3": "timestamp"}

pytestmark = pytest.mark.parametrize("name", RETAILERS)


def bad(name, *kinds, day=BAD):
    """The rows of a day as they come with faults."""
    return rows(name, day, faults={day: kinds})


def by_sale(name, some):
    """The rows by sale, in order; a sale that comes in two places is there twice."""
    return [(sale, list(of)) for sale, of in itertools.groupby(some, lambda row: row[ID[name]])]


def total(name, some):
    return sum(row[TOTAL[name]] for row in some)


def test_a_fault_is_the_same_at_every_attempt_and_on_its_day_only(name):
    for kind in sorted(ROW_FAULTS - {"restated_later"}):
        first, second, both = send(
            name,
            request(name, BAD),
            request(name, BAD),
            request(name, GOOD, BAD),
            faults={BAD: (kind,)},
        )
        assert first.content == second.content != send(name, request(name, BAD))[0].content, kind
        good = rows(name, GOOD)
        both_rows, bad_rows = (json.loads(a.text)[ROWS_UNDER[name]] for a in (both, first))
        assert len(both_rows) == len(good) + len(bad_rows) == both.json()["count"]
        assert both_rows[len(good) :] == bad_rows


def test_duplicates_and_corrections_are_whole_sales_once_more_after_the_last(name):
    true = rows(name, BAD)
    for kind, is_equal in (("duplicates", True), ("corrected", False)):
        sent = bad(name, kind)
        assert sent[: len(true)] == true
        again = by_sale(name, sent[len(true) :])
        assert 3 <= len(again) <= 8
        originals = dict(by_sale(name, true))
        for sale, lines in again:
            assert (lines == originals[sale]) == is_equal
            assert len(lines) == len(originals[sale])
            if not is_equal:
                assert abs(total(name, lines)) < abs(total(name, originals[sale]))
                assert lines[0][TIME[name]] == originals[sale][0][TIME[name]]


def test_a_correction_comes_under_the_same_id_when_the_day_is_asked_again_later(name):
    first, second, third = send(name, *[request(name, BAD)] * 3, faults={BAD: ("restated_later",)})
    assert rows_of(name, first) == rows(name, BAD)
    assert second.content == third.content
    before, after = (by_sale(name, rows_of(name, answer)) for answer in (first, second))
    assert [sale for sale, _ in before] == [sale for sale, _ in after]
    corrected = [(a, b) for (_, a), (_, b) in zip(before, after, strict=True) if a != b]
    assert 2 <= len(corrected) <= 5
    assert all(abs(total(name, b)) < abs(total(name, a)) for a, b in corrected)
    assert rows_of(name, second) == bad(name, "restated")


def test_late_sales_are_of_the_day_before_and_come_again_a_day_later(name):
    true, sent = rows(name, BAD), bad(name, "late")
    late = sent[len(true) :]
    assert sent[: len(true)] == true
    assert {row[TIME[name]][:10] for row in late} == {str(GOOD)}
    assert len(by_sale(name, late)) == 5
    assert not {row[ID[name]] for row in late} & {row[ID[name]] for row in rows(name, GOOD)}
    assert bad(name, "redelivered", day=NEXT)[-len(late) :] == late


def test_half_of_the_sales_are_missing(name):
    true, sent = dict(by_sale(name, rows(name, BAD))), by_sale(name, bad(name, "half_volume"))
    assert len(sent) == round(len(true) / 2)
    assert all(lines == true[sale] for sale, lines in sent)


def test_every_price_is_ten_times_what_it_was(name):
    true, sent = rows(name, BAD), bad(name, "tenfold_prices")
    assert len(sent) == len(true)
    # A price after discount is rounded before it is ten times as much, or after.
    for was, came in zip(true, sent, strict=True):
        assert abs(came[TOTAL[name]] - 10 * was[TOTAL[name]]) <= Decimal("0.05") * abs(
            was[QUANTITY[name]]
        )


def test_the_answer_for_the_day_before_is_sent(name):
    assert bad(name, "day_before") == rows(name, GOOD)


def test_a_renamed_field_is_renamed_in_every_row(name):
    old, new = TOTAL[name], f"net_{TOTAL[name]}"
    renamed = bad(name, "renamed_field")
    back = [{old if key == new else key: value for key, value in row.items()} for row in renamed]
    assert back == rows(name, BAD)


def test_line_faults_change_few_rows_each_in_its_own_way(name):
    true = rows(name, BAD)

    def changed(kind):
        pairs = zip(true, bad(name, kind), strict=True)
        return [(before, after) for before, after in pairs if before != after]

    assert all(0 < len(changed(kind)) <= 20 for kind in LINE_FAULTS - {"renamed_field"})
    assert all(a.items() <= b.items() for a, b in changed("new_fields"))
    assert all(b[TOTAL[name]] - a[TOTAL[name]] == 1.5 for a, b in changed("wrong_totals"))
    assert all({**a, **b} != a or len(b) < len(a) for a, b in changed("missing_fields"))
    assert all(next(iter(b)) == "adjustment" for _, b in changed("shadowed_fields"))


def test_broken_rows_are_no_single_object_of_unique_fields(name):
    [answer] = send(name, request(name, BAD), scale=8, faults={BAD: ("broken_rows",)})
    pairs = json.loads(answer.text, object_pairs_hook=lambda pairs: pairs)
    broken = [row for row in dict(pairs)[ROWS_UNDER[name]] if not is_row(row)]
    assert Counter(type(row) for row in broken).keys() == {list, type(None), str}
    assert len(broken) >= 8


def is_row(row):
    return (
        isinstance(row, list)
        and all(isinstance(pair, tuple) for pair in row)
        and len(dict(row)) == len(row)
    )


def test_all_faults_at_once_leave_the_answer_json_on_a_day_of_any_size(name):
    for scale in (0.001, 1):
        [answer] = send(name, request(name, BAD), scale=scale, faults={BAD: tuple(ROW_FAULTS)})
        assert answer.json()["count"] == len(answer.json()[ROWS_UNDER[name]])


def test_over_http_a_retailer_is_refused_down_cut_and_back(name, serving):
    faults = faults_from_text(
        [
            f"{GOOD}..{BAD}=down",
            f"{NEXT}=unauthorized",
            f"{NEXT}=cut_stream",
            f"{NEXT}=truncated_stream",
        ]
    )
    url = serving(**{name: RetailOptions(faults=faults)})[name]

    def ask(*days):
        asked = request(name, *days)
        return httpx.request(**{**asked, "url": url + asked["url"]})

    for _ in range(6):
        down = ask(GOOD, BAD)
        assert (down.status_code, down.headers["content-type"]) == (500, "text/html; charset=utf-8")
    refused = ask(NEXT)
    assert (refused.status_code, refused.text) == (401, '{"error":"Unauthorized"}\n')
    with pytest.raises(httpx.RemoteProtocolError):
        ask(NEXT)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        ask(NEXT).json()
    assert rows_of(name, ask(NEXT)) == rows(name, NEXT)


def test_the_hostile_plan_is_each_retailers_own(name):
    assert set(HOSTILE.modes) <= {*WIRE_FAULTS, *ROW_FAULTS} - {DOWN}
    plans = {
        each: {day: HOSTILE.faults_of(seed_of(42, each), day) for day in days_from(GOOD, 14)}
        for each in RETAILERS
    }
    assert len({tuple(plan.values()) for plan in plans.values()}) == len(RETAILERS)
    # There is no connection here to be dropped.
    days = [day for day, kinds in plans[name].items() if not any("cut" in kind for kind in kinds)]
    asked = [request(name, day) for day in days for _ in range(3)]
    quick = {"slow_seconds": 0.0, "scale": 0.1}
    hostile = send(name, *asked, hostile=True, **quick)
    named = send(name, *asked, faults=plans[name], **quick)
    assert [(a.status_code, a.content) for a in hostile] == [
        (a.status_code, a.content) for a in named
    ]
    assert {a.status_code for a in hostile} > {200, 500}


def test_an_unknown_fault_is_refused(name):
    with pytest.raises(UsageError, match="broken_json"):
        send(name, request(name, BAD), faults={BAD: ("broken_json",)})
