"""What healthy days of a retailer look like: whole years of the sandbox pass, faulty answers don't.

Answers are drawn in this process, as the bytes that would be sent.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from gate_cases import days_from
from programs import loaded

from clearhouse.core.window import Window
from clearhouse.quality.gates import Gates
from clearhouse.quality.statistics import BaselineError
from clearhouse.retail import profiles
from clearhouse.retail.domain import RETAIL, SALES
from clearhouse.retail.frames import PROFILES
from clearhouse.sandbox import day_faults
from clearhouse.sandbox.retail.app import RETAILERS
from clearhouse.sandbox.retail.faults import DAY_FAULTS, Parts
from clearhouse.sandbox.retail.sales import of_day
from clearhouse.sandbox.rng import seed_of

YEAR = Window.parse("2024-01-01", "2024-12-30")
TUESDAY, THANKSGIVING, BLACK_FRIDAY = (
    dt.date(2024, *each) for each in ((3, 5), (11, 28), (11, 29))
)
CLOSED, QUIET, RUSH = dt.date(2024, 12, 25), dt.date(2024, 12, 24), dt.date(2024, 12, 14)
KNOWN = profiles.load(PROFILES)
Found = Sequence[Mapping[str, Any]]

training = loaded("scripts/make_retail_profile.py")


def answer(name: str, seed: int, day: dt.date, *kinds: str) -> Parts:
    own_seed = seed_of(seed, name)
    lines = of_day(RETAILERS[name], own_seed, day, 1.0)
    return day_faults.apply(DAY_FAULTS, kinds, (lines,), own_seed, day)


def broken(tmp_path: Path, found: Found, identity: str = "sandbox") -> dict[dt.date, set[str]]:
    """The days that the suite of answers holds, with the retailers and columns of its rules."""
    frame = profiles.statistics(found, [KNOWN.get((row["retailer"], identity)) for row in found])
    days = sorted({row["_book_date"] for row in found})
    nothing = frame.select(["book_date"]).slice(0, 0)
    frames = {
        "retail_gold_rows": nothing,
        "retail_gold_days": nothing,
        "retail_gold_answers": frame,
    }
    verdicts = Gates(RETAIL.gates, tmp_path / "gx").judge(SALES.business_gate.name, frames, days)
    held = defaultdict(set)
    for day, verdict in verdicts.items():
        for failure in verdict.failures:
            if failure.column != "book_date":  # the day's own frame is left out here
                held[day].add(failure.detail.partition(":")[0])
    return dict(held)


@pytest.mark.parametrize("seed", [42, 7, 11])
def test_of_a_year_of_the_sandbox_no_day_is_held(tmp_path: Path, seed: int) -> None:
    """Seeds 7 and 11 are none of those that the profile was made from."""
    found = [row for name in RETAILERS for row in training.of_sandbox(name, seed, YEAR)]
    assert len(found) == 3 * 365 - 8  # days on which one is closed
    assert broken(tmp_path, found) == {}


@pytest.mark.parametrize("name", RETAILERS)
@pytest.mark.parametrize("seed", [42, 7])
def test_half_the_volume_and_tenfold_prices_hold_their_days(
    tmp_path: Path, name: str, seed: int
) -> None:
    days = [TUESDAY, THANKSGIVING, BLACK_FRIDAY, QUIET, RUSH, *days_from("2024-06-03", 7)]
    for kind, column in (("half_volume", "lines"), ("tenfold_prices", "drift_amount")):
        found = training.of_answers(name, {day: answer(name, seed, day, kind) for day in days})
        assert broken(tmp_path, found) == {day: {f"{name} {column}"} for day in days}, kind


@pytest.mark.parametrize("name", RETAILERS)
def test_an_answer_of_another_day_is_held_and_corrections_are_not(
    tmp_path: Path, name: str
) -> None:
    """Whoever answers: of an unknown source too, freshness is judged."""
    wednesday, thursday = days_from("2024-03-06", 2)
    sent = {
        TUESDAY: answer(name, 42, TUESDAY),
        wednesday: answer(name, 42, TUESDAY),
        thursday: answer(name, 42, thursday, "late", "redelivered", "corrected"),
    }
    found = training.of_answers(name, sent)
    for identity in ("sandbox", "https://sales.example.com"):
        assert broken(tmp_path, found, identity) == {wednesday: {f"{name} newest_age_days"}}


def test_on_a_day_on_which_a_retailer_is_closed_corrections_may_come_alone(
    tmp_path: Path,
) -> None:
    few, whole = (
        training.of_answers("retailer_1", {CLOSED: sent})
        for sent in (
            (answer("retailer_1", 42, TUESDAY)[0].rows(slice(0, None, 25)),),
            answer("retailer_1", 42, TUESDAY),
        )
    )
    assert broken(tmp_path, few) == {}
    assert broken(tmp_path, whole) == {CLOSED: {"retailer_1 lines"}}


def test_an_answer_without_lines_is_held_where_it_is_known_how_many_there_are(
    tmp_path: Path,
) -> None:
    found = [profiles.without_lines("retailer_1", day) for day in (TUESDAY, CLOSED)]
    assert broken(tmp_path, found) == {TUESDAY: {"retailer_1 lines"}}
    assert broken(tmp_path, found, "https://sales.example.com") == {}


def test_a_category_that_nobody_knows_and_buyers_without_a_name_drift(tmp_path: Path) -> None:
    (row,) = training.of_answers("retailer_2", {TUESDAY: answer("retailer_2", 42, TUESDAY)})
    lines = row["records"]
    odd = {**row, "category": {"": lines}, "customer": {"unknown": lines // 10, "known": lines}}
    assert broken(tmp_path, [odd]) == {
        TUESDAY: {"retailer_2 drift_category", "retailer_2 drift_customer"}
    }


def test_without_a_profile_volume_and_shares_are_not_judged(tmp_path: Path) -> None:
    sent = answer("retailer_3", 42, TUESDAY, "half_volume", "tenfold_prices")
    found = training.of_answers("retailer_3", {TUESDAY: sent})
    assert broken(tmp_path, found) == {TUESDAY: {"retailer_3 lines", "retailer_3 drift_amount"}}
    assert broken(tmp_path, found, "https://sales.example.com") == {}


def test_a_profile_is_made_of_the_days_that_it_is_given() -> None:
    """Closed on Mondays and on the tenth of May, twice the sales on Saturdays and in December."""
    window = Window.parse("2022-01-01", "2024-12-31")
    sold = {
        day: 100 * (1 + (day.weekday() == 5)) * (1 + (day.month == 12))
        for day in window
        if day.weekday() != 0 and (day.month, day.day) != (5, 10)
    }
    sold = {
        day: lines * (3 if (day.month, day.day) == (2, 14) else 1) for day, lines in sold.items()
    }

    made = training.volume([sold], window)
    profile = profiles.Profile(**made, distributions={})

    for day in window:
        assert profile.expected(day) == pytest.approx(sold.get(day, 0), rel=0.01), day
    assert made["special"].keys() == {"02-14", "05-10"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weekday": [1.0] * 6}, "needs 7 weekdays"),
        ({"lines": "many"}, "holds no profiles"),
        ({"distributions": {"weather": {"shares": {"fair": 1.0}, "tolerance_nats": 0}}}, "weather"),
    ],
)
def test_a_file_that_holds_no_profiles_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    told = json.loads(PROFILES[0].read_text())
    told["retailers"]["retailer_1"] |= change
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps(told))
    with pytest.raises(BaselineError, match=message):
        profiles.load([path])
