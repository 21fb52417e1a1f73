"""The hostile plan is a function of seed and day, and leaves no mode out."""

import datetime as dt

from clearhouse.sandbox.faults import (
    CONNECTION_DROP,
    CUT_STREAM,
    DOWN,
    HTML_PAGE,
    SERVER_ERROR,
    UNAUTHORIZED,
    UNENDED_STREAM,
    WIRE_FAULTS,
)
from clearhouse.sandbox.options import SandboxOptions
from clearhouse.sandbox.simtom.faults import DAY_FAULTS, ROW_FAULTS
from clearhouse.sandbox.simtom.hostile import MODES, faults_of

FIRST = dt.date(2024, 3, 1)
MONTHS = [FIRST + dt.timedelta(days=n) for n in range(60)]


def kinds(seed, day):
    return {fault.partition(":")[0] for fault in faults_of(seed, day)}


def test_the_modes_are_all_faults_but_those_of_whole_days_and_those_by_name_only():
    by_name_only = {UNAUTHORIZED, SERVER_ERROR, HTML_PAGE, CONNECTION_DROP, DOWN}
    assert set(MODES) == {*WIRE_FAULTS, *ROW_FAULTS} - DAY_FAULTS.keys() - by_name_only


def test_two_months_have_every_mode_and_quiet_days_and_every_seed_its_own():
    for seed in (1, 42, -7):
        on = [kinds(seed, day) for day in MONTHS]
        assert set().union(*on) == set(MODES)
        assert all(sum(mode in day for day in on) <= 30 for mode in MODES)
    assert [kinds(1, day) for day in MONTHS] != [kinds(2, day) for day in MONTHS]


def test_late_records_are_delivered_again_the_day_after():
    for day in MONTHS:
        after = day + dt.timedelta(days=1)
        assert ("late" in kinds(42, day)) == ("redelivered" in kinds(42, after))


def test_a_hostile_server_does_to_a_day_what_its_faults_do(send):
    hostile = SandboxOptions(hostile=True, slow_seconds=0.0, retry_after_seconds=0)
    dropped = {CUT_STREAM, UNENDED_STREAM}  # there is no connection here to be dropped
    days = [day for day in MONTHS[:20] if not kinds(42, day) & dropped]
    assert len(days) > 5
    for day in days:
        config = {"start_date": str(day), "end_date": str(day), "base_daily_volume": 60}
        named = SandboxOptions(
            faults={day: faults_of(42, day)}, slow_seconds=0.0, retry_after_seconds=0
        )
        answers, same = (send(options, config, times=2) for options in (hostile, named))
        assert [(a.status_code, a.content) for a in answers] == [
            (a.status_code, a.content) for a in same
        ]
