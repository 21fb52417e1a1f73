"""Fiscal periods open and close in order, and are reopened newest first, by two people."""

import datetime as dt

import pytest

from clearhouse.gl.periods import Change, Period, Request, Status, month_of, refusals, status_after

BY_TWO = {"asked_by": "USER-901", "approved_by": "USER-201", "reason": "late invoice"}


def periods(*states: str) -> list[Period]:
    found = []
    for number, state in enumerate(states, 1):
        name, first, last = month_of(dt.date(2026, number, 15))
        found.append(Period(name, number, first, last, Status(state)))
    return found


def codes(change: str, name: str, states: str, **asked: str) -> list[str]:
    today = dt.date.fromisoformat(asked.pop("today", "2026-12-01"))
    request = Request(Change(change), today, **{**BY_TWO, **asked})
    return [each.code for each in refusals(request, name, periods(*states.split()))]


@pytest.mark.parametrize(
    ("change", "name", "states", "after"),
    [
        ("open", "2026-02", "open future", "open"),
        ("soft_close", "2026-01", "open open", "soft_closed"),
        ("close", "2026-01", "open open", "closed"),
        ("close", "2026-02", "closed soft_closed open", "closed"),
        ("lock", "2026-01", "closed closed", "locked"),
        ("reopen", "2026-02", "closed closed open", "open"),
        ("reopen", "2026-02", "locked soft_closed open", "open"),
    ],
)
def test_a_change_in_its_order_is_allowed(change: str, name: str, states: str, after: str) -> None:
    assert codes(change, name, states) == []
    assert status_after(Change(change)) == after


@pytest.mark.parametrize(
    ("change", "name", "states", "code"),
    [
        ("open", "2026-02", "future future", "period_out_of_order"),
        ("close", "2026-02", "soft_closed open", "period_out_of_order"),
        ("lock", "2026-02", "closed closed", "period_out_of_order"),
        ("reopen", "2026-01", "closed closed", "period_out_of_order"),
        ("close", "2026-01", "future", "period_in_wrong_state"),
        ("close", "2026-01", "closed", "period_in_wrong_state"),
        ("open", "2026-01", "closed", "period_in_wrong_state"),
        ("reopen", "2026-01", "open", "period_in_wrong_state"),
        ("reopen", "2026-01", "locked", "period_locked"),
    ],
)
def test_a_change_out_of_its_order_is_refused(
    change: str, name: str, states: str, code: str
) -> None:
    assert codes(change, name, states) == [code]


def test_a_period_is_not_closed_before_it_is_over() -> None:
    assert codes("close", "2026-01", "open", today="2026-01-31") == ["period_not_over"]
    assert codes("close", "2026-01", "open", today="2026-02-01") == []


def test_to_reopen_takes_a_reason_and_another_person() -> None:
    assert codes("reopen", "2026-01", "closed", reason=" ") == ["reason_missing"]
    assert codes("reopen", "2026-01", "closed", approved_by="USER-901") == ["approver_is_preparer"]
    assert codes("reopen", "2026-01", "closed", approved_by="") == ["approver_is_preparer"]
    assert codes("reopen", "2026-01", "closed", approved_by="user-901") == ["approver_unknown"]
    assert codes("lock", "2026-01", "closed", approved_by="somebody") == ["approver_unknown"]


@pytest.mark.parametrize(
    ("day", "name", "last"),
    [
        ("2024-02-29", "2024-02", "2024-02-29"),
        ("2025-12-31", "2025-12", "2025-12-31"),
        ("2026-01-01", "2026-01", "2026-01-31"),
    ],
)
def test_a_day_lies_in_its_month(day: str, name: str, last: str) -> None:
    found = month_of(dt.date.fromisoformat(day))
    assert found == (name, dt.date.fromisoformat(f"{name}-01"), dt.date.fromisoformat(last))
