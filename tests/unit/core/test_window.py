import datetime as dt

import pytest

from clearhouse.core.errors import UsageError
from clearhouse.core.window import MAX_DAYS, Window, parse_day

FIRST = dt.date(2024, 2, 28)
LAST = dt.date(2024, 3, 1)


def test_a_window_is_its_days_both_ends_included() -> None:
    window = Window.parse("2024-02-28", "2024-03-01")
    assert list(window) == [FIRST, dt.date(2024, 2, 29), LAST]
    assert list(window.days()) == list(window)
    assert len(window) == 3
    assert window == Window.starting(FIRST, 3) == Window(FIRST, LAST, 0)
    assert Window.day(FIRST) == Window.starting(FIRST, 1) == Window(FIRST, FIRST)


@pytest.mark.parametrize(
    ("day", "inside"),
    [
        (FIRST, True),
        (LAST, True),
        (FIRST - dt.timedelta(days=1), False),
        (LAST + dt.timedelta(days=1), False),
        ("2024-02-29", False),
    ],
)
def test_containment(day: object, inside: bool) -> None:
    assert (day in Window(FIRST, LAST)) is inside


def test_a_look_back_widens_what_is_read_and_not_what_is_made() -> None:
    window = Window(FIRST, LAST, look_back_days=30)
    assert window.reads_from == dt.date(2024, 1, 29)
    assert len(list(window)) == 3
    assert Window(FIRST, LAST).reads_from == FIRST


def test_a_window_is_shown_as_a_day_or_a_span() -> None:
    assert str(Window(FIRST, LAST)) == "2024-02-28..2024-03-01"
    assert str(Window.day(FIRST)) == "2024-02-28"


def test_the_longest_window_that_can_be_asked_for_is_ten_years() -> None:
    assert len(Window.starting(FIRST, MAX_DAYS)) == MAX_DAYS == 3660
    last = FIRST + dt.timedelta(days=MAX_DAYS)
    for asked in (
        lambda: Window.starting(FIRST, MAX_DAYS + 1),
        lambda: Window.parse(str(FIRST), str(last)),
    ):
        with pytest.raises(UsageError) as refused:
            asked()
        assert refused.value.code == "window_too_long"
        assert refused.value.message == (
            "A window of 3661 days is more than 3660: ask for less at a time."
        )


def test_days_that_are_there_may_lie_further_apart() -> None:
    assert len(Window(FIRST, FIRST + dt.timedelta(days=MAX_DAYS))) == MAX_DAYS + 1


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (
            lambda: Window(LAST, FIRST),
            "inverted_window",
            "The window ends (2024-02-28) before it begins (2024-03-01): swap the dates.",
        ),
        (
            lambda: Window(FIRST, LAST, -1),
            "bad_look_back",
            "A look-back can't be negative.",
        ),
        (
            lambda: Window.starting(FIRST, 0),
            "empty_window",
            "A window has at least one day.",
        ),
        (
            lambda: Window.starting(FIRST, 10**12),
            "window_too_long",
            "1000000000000 days from 2024-02-28 go past the year 9999: ask for less.",
        ),
    ],
    ids=["inverted", "look-back", "empty", "endless"],
)
def test_a_window_that_makes_no_sense_is_refused(make, code: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert (refused.value.code, refused.value.message) == (code, message)


@pytest.mark.parametrize(
    "text", ["20240309", "2024-W10-6", "2024-3-9", "2024-02-30", "09.03.2024", "2024-03-09 ", ""]
)
def test_a_day_is_written_in_one_way(text: str) -> None:
    assert parse_day("2024-03-09") == dt.date(2024, 3, 9)
    with pytest.raises(UsageError) as refused:
        parse_day(text)
    assert refused.value.code == "bad_date"
    assert refused.value.message == f"{text!r} is not a date: write it as YYYY-MM-DD."


@pytest.mark.parametrize("text", ["0001-01-01", "0999-12-31", "3000-01-01", "9999-12-31"])
def test_a_day_of_another_age_is_a_typing_error(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_day(text)
    assert refused.value.message == f"{text} is not a day of the years 1000 to 2999."
