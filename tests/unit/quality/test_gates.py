"""The gates over made frames: each rule of gx/ breaks on its case, and holds that day alone."""

import datetime as dt
import json
import shutil
import socket
from pathlib import Path

import pandas as pd
import pytest
from gate_cases import (
    AGAIN,
    AT_LEAST,
    BETWEEN,
    EQUAL,
    IN_SET,
    NOT_NULL,
    UNIQUE,
    breaks_as_said,
    changes_of,
    days_from,
    frame,
)

from clearhouse.quality.gates import Gates
from clearhouse.quality.judging import NO_ROWS
from clearhouse.quality.project import working_copy
from clearhouse.quality.verdicts import QualityError

GX = Path(__file__).parents[3] / "gx" / "bnpl"
PROFILE = {
    "landed_rows": 5_320,
    "accepted_rows": 5_310,
    "rejected_rows": 2,
    "duplicate_rows": 8,
    "net_rows": 5_312,
    "rejected_share": 0.0004,
    "volume_low": 4_000,
    "volume_high": 8_000,
    "late_share": 0.01,
    "future_rows": 0,
    "distinct_customers": 3_100,
    "unknown_fields": 0,
}
ROW = {
    "customer_id": "cust_000042",
    "amount_minor": 13_092,
    "currency": "USD",
    "first_payment_minor": 3_273,
    "product_price_minor": 13_092,
    "installment_count": 4,
    "risk_score": 0.33,
    "status": "completed",
    "will_default": False,
    "default_consistent": True,
    "transaction_age_days": 0,
}
GOLD_DAY = {
    "rows": 3,
    "silver_rows": 3,
    "distinct_records": 3,
    "default_rate": 0.07,
    "mean_amount_minor": 14_325,
    "distinct_customers": 2,
    "shared_keys": 0,
}
DRIFTS = (
    "drift_risk_scenario", "drift_risk_level", "drift_credit_score_range",
    "drift_installment_count", "drift_amount", "drift_product_category", "drift_payment_provider",
    "drift_device_type", "drift_checkout_speed", "drift_status", "drift_part_of_day",
)  # fmt: skip
STATISTICS = {
    "records": 5_312,
    "volume_low": 4_000,
    "volume_high": 8_000,
    "weekend_level": 0,
    "weekend_level_high": 0,
    "holiday_level": 0,
    "holiday_level_low": 0,
    "holiday_level_high": 0,
    "stale_hours": 0.02,
    "stale_hours_high": 0.45,
    **dict.fromkeys(DRIFTS, 0.3),
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a gate reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(GX, tmp_path / "gx")


def profiles(changes: dict[dt.date, dict]) -> dict[str, pd.DataFrame]:
    return {"bnpl_daily_profile": frame(PROFILE, changes)}


def gold(
    row_changes: dict[dt.date, dict], day_changes: dict[dt.date, dict] | None = None
) -> dict[str, pd.DataFrame]:
    whole = {day: {} for day in row_changes} if day_changes is None else day_changes
    return {
        "bnpl_gold_rows": frame(ROW, row_changes, rows_per_day=3),
        "bnpl_gold_days": frame(GOLD_DAY, whole),
        "bnpl_gold_statistics": frame(STATISTICS, {day: {} for day in whole}),
    }


def statistics(changes: dict[dt.date, dict]) -> dict[str, pd.DataFrame]:
    healthy: dict[dt.date, dict] = {day: {} for day in changes}
    return gold(healthy) | {"bnpl_gold_statistics": frame(STATISTICS, changes)}


WEEK = days_from("2024-03-04", 7)
HEALTHY: dict[dt.date, dict] = {day: {} for day in WEEK}


@pytest.mark.parametrize("as_dates", [str, dt.date.fromisoformat, pd.Timestamp])
def test_a_healthy_week_passes_both_gates(gates, as_dates):
    for checkpoint, frames in [
        ("raw_schema_gate", profiles(HEALTHY)),
        ("daily_quality_gate", gold(HEALTHY)),
    ]:
        for made in frames.values():
            made["book_date"] = made["book_date"].map(as_dates)
        verdicts = gates.judge(checkpoint, frames, WEEK)
        assert list(verdicts) == WEEK
        assert all(verdict.passed and not verdict.failures for verdict in verdicts.values())


def test_half_the_volume_holds_the_day_and_not_its_neighbours(gates):
    short = {"landed_rows": 2_660, "accepted_rows": 2_650, "net_rows": 2_656}
    verdicts = gates.judge("raw_schema_gate", profiles(HEALTHY | {WEEK[3]: short}), WEEK)

    assert [day for day, verdict in verdicts.items() if not verdict.passed] == [WEEK[3]]
    (failure,) = verdicts[WEEK[3]].failures
    assert failure.detail == "net_rows: 2,656 is less than the 4,000 expected at least"


def test_negative_amounts_hold_their_day_and_no_person_is_named(gates):
    bad = {"amount_minor": -13_092, "customer_id": "cust_000666"}
    verdicts = gates.judge("daily_quality_gate", gold(HEALTHY | {WEEK[5]: bad}), WEEK)

    assert [day for day, verdict in verdicts.items() if not verdict.passed] == [WEEK[5]]
    below, smaller = verdicts[WEEK[5]].failures
    assert below.detail == "amount_minor: 1 of 3 rows outside 1 to 5,000,000"
    assert below.unexpected == 1
    assert smaller.detail == "amount_minor: 1 of 3 rows less than first_payment_minor"
    assert "cust_" not in str(verdicts)
    assert "13,092" not in str(verdicts)


def test_a_missing_day_and_an_empty_frame_fail(gates):
    frames = profiles({day: {} for day in WEEK[1:]})
    verdicts = gates.judge("raw_schema_gate", frames, WEEK)
    assert [day for day, verdict in verdicts.items() if not verdict.passed] == [WEEK[0]]
    assert verdicts[WEEK[0]].failures[0].expectation == NO_ROWS
    assert "2024-03-04" in verdicts[WEEK[0]].failures[0].detail

    emptied = gold(HEALTHY)
    emptied["bnpl_gold_rows"] = emptied["bnpl_gold_rows"].iloc[:0]
    verdicts = gates.judge("daily_quality_gate", emptied, WEEK)
    assert not any(verdict.passed for verdict in verdicts.values())


def test_a_year_of_rows_in_parts_has_the_verdicts_of_the_whole(gates):
    bad = {WEEK[1]: {"amount_minor": 0}, WEEK[5]: {"currency": "EUR"}}
    whole = gold(HEALTHY | bad)
    rows = whole["bnpl_gold_rows"]
    taken = []

    def parts():
        for first in (0, 9, 12):
            taken.append(first)
            yield rows.iloc[first : {0: 9, 9: 12, 12: None}[first]]

    in_parts = gates.judge("daily_quality_gate", whole | {"bnpl_gold_rows": parts()}, WEEK)
    assert taken == [0, 9, 12]
    assert in_parts == gates.judge("daily_quality_gate", whole, WEEK)
    assert [day for day, verdict in in_parts.items() if not verdict.passed] == sorted(bad)


def test_a_part_that_is_missing_fails_its_days_and_a_day_in_two_parts_is_refused(gates):
    whole = gold(HEALTHY)
    rows = whole["bnpl_gold_rows"]

    few = gates.judge("daily_quality_gate", whole | {"bnpl_gold_rows": [rows.iloc[6:]]}, WEEK)
    assert [day for day, verdict in few.items() if not verdict.passed] == WEEK[:2]
    assert few[WEEK[0]].failures[0].expectation == NO_ROWS

    torn = whole | {"bnpl_gold_rows": [rows.iloc[:4], rows.iloc[4:]]}
    with pytest.raises(QualityError, match="bnpl_gold_rows has 2024-03-05 in two parts"):
        gates.judge("daily_quality_gate", torn, WEEK)


def test_a_day_not_asked_for_is_not_judged(gates):
    frames = profiles(HEALTHY | {WEEK[6]: {"landed_rows": 0}})
    verdicts = gates.judge("raw_schema_gate", frames, WEEK[:6])
    assert list(verdicts) == WEEK[:6]
    assert all(verdict.passed for verdict in verdicts.values())


def test_a_year_is_judged_in_one_run_with_a_verdict_for_each_day(gates):
    year = days_from("2024-01-01", 366)
    late = set(year[::7])
    frames = profiles({day: {"late_share": 0.5} if day in late else {} for day in year})
    verdicts = gates.judge("raw_schema_gate", frames, year)
    assert len(verdicts) == 366
    assert {day for day, verdict in verdicts.items() if not verdict.passed} == late


# A change of a healthy row, and the rule that it breaks; None: still within every rule.
RAW_CASES = [
    *[({column: None}, (NOT_NULL, column)) for column in PROFILE],
    ({"landed_rows": 0}, (BETWEEN, "landed_rows")),
    ({"landed_rows": 1}, None),
    ({"net_rows": 3_999}, (AT_LEAST, "net_rows")),
    ({"net_rows": 4_000}, None),
    ({"net_rows": 8_000}, None),
    ({"net_rows": 8_001}, (AT_LEAST, "volume_high")),
    ({"rejected_share": 0.0101}, (BETWEEN, "rejected_share")),
    ({"rejected_share": 0.01}, None),
    ({"late_share": 0.21}, (BETWEEN, "late_share")),
    ({"late_share": 0.2}, None),
    ({"future_rows": 1}, (BETWEEN, "future_rows")),
    ({"distinct_customers": 0}, (BETWEEN, "distinct_customers")),
    ({"unknown_fields": 3}, None),
    (AGAIN, (UNIQUE, "book_date")),
]  # fmt: skip
ROW_CASES = [
    *[({column: None}, (NOT_NULL, column)) for column in (
        "customer_id", "amount_minor", "first_payment_minor", "product_price_minor",
        "currency", "installment_count", "risk_score", "status", "will_default",
        "transaction_age_days", "default_consistent",
    )],
    ({"amount_minor": 0, "first_payment_minor": 0}, (BETWEEN, "amount_minor")),
    ({"amount_minor": 1, "first_payment_minor": 1}, None),
    ({"amount_minor": 5_000_000}, None),
    ({"amount_minor": 5_000_001}, (BETWEEN, "amount_minor")),
    ({"first_payment_minor": 0}, (BETWEEN, "first_payment_minor")),
    ({"first_payment_minor": 13_092}, None),
    ({"first_payment_minor": 13_093}, (AT_LEAST, "amount_minor")),
    ({"product_price_minor": 0}, (BETWEEN, "product_price_minor")),
    ({"currency": "EUR"}, (IN_SET, "currency")),
    ({"installment_count": 5}, (IN_SET, "installment_count")),
    ({"installment_count": 24}, None),
    ({"risk_score": -0.01}, (BETWEEN, "risk_score")),
    ({"risk_score": 1.01}, (BETWEEN, "risk_score")),
    ({"risk_score": 1}, None),
    ({"default_consistent": False}, (IN_SET, "default_consistent")),
    ({"transaction_age_days": -1}, (BETWEEN, "transaction_age_days")),
    ({"transaction_age_days": 40}, None),
]  # fmt: skip
DAY_CASES = [
    *[({column: None}, (NOT_NULL, column)) for column in GOLD_DAY],
    ({"rows": 0, "silver_rows": 0}, (BETWEEN, "rows")),
    ({"rows": 2}, (EQUAL, "rows")),
    ({"distinct_records": 2}, (EQUAL, "distinct_records")),
    ({"default_rate": 0.51}, (BETWEEN, "default_rate")),
    ({"default_rate": 0.5}, None),
    ({"mean_amount_minor": 999}, (BETWEEN, "mean_amount_minor")),
    ({"mean_amount_minor": 500_001}, (BETWEEN, "mean_amount_minor")),
    ({"distinct_customers": 0}, (BETWEEN, "distinct_customers")),
    ({"shared_keys": 1}, (BETWEEN, "shared_keys")),
    (AGAIN, (UNIQUE, "book_date")),
]  # fmt: skip
STATISTICS_CASES = [
    *[({column: None}, (NOT_NULL, column)) for column in STATISTICS],
    *[({column: 1.01}, (BETWEEN, column)) for column in DRIFTS],
    (dict.fromkeys(DRIFTS, 1), None),
    ({"records": 3_999}, (AT_LEAST, "records")),
    ({"records": 4_000}, None),
    ({"records": 8_000}, None),
    ({"records": 8_001}, (AT_LEAST, "volume_high")),
    ({"weekend_level": 0.77, "weekend_level_high": 0.76}, (AT_LEAST, "weekend_level_high")),
    ({"weekend_level": 0.60, "weekend_level_high": 0.76}, None),
    ({"holiday_level": 1.00, "holiday_level_low": 1.38, "holiday_level_high": 1.91},
        (AT_LEAST, "holiday_level")),
    ({"holiday_level": 1.50, "holiday_level_low": 1.38, "holiday_level_high": 1.91}, None),
    ({"holiday_level": 1.92, "holiday_level_low": 1.38, "holiday_level_high": 1.91},
        (AT_LEAST, "holiday_level_high")),
    ({"stale_hours": 9.5}, (AT_LEAST, "stale_hours_high")),
    (AGAIN, (UNIQUE, "book_date")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("suite", "checkpoint", "asset", "cases"),
    [
        ("bnpl_raw_schema", "raw_schema_gate", "bnpl_daily_profile", RAW_CASES),
        ("bnpl_business_rules", "daily_quality_gate", "bnpl_gold_rows", ROW_CASES),
        ("bnpl_business_days", "daily_quality_gate", "bnpl_gold_days", DAY_CASES),
        (
            "bnpl_statistical_patterns",
            "daily_quality_gate",
            "bnpl_gold_statistics",
            STATISTICS_CASES,
        ),
    ],
)
def test_every_rule_of_a_suite_has_a_case_that_breaks_it(gates, suite, checkpoint, asset, cases):
    changed = changes_of(cases)
    healthy: dict[dt.date, dict] = {day: {} for day in changed}
    frames = {
        "bnpl_daily_profile": lambda: profiles(changed),
        "bnpl_gold_rows": lambda: gold(changed, healthy),
        "bnpl_gold_days": lambda: gold(healthy, changed),
        "bnpl_gold_statistics": lambda: statistics(changed),
    }[asset]()
    breaks_as_said(gates, checkpoint, frames, cases, GX / "expectations" / f"{suite}.json")


def test_what_could_not_be_computed_is_an_error_and_no_verdict(gates):
    text = profiles(HEALTHY)
    text["bnpl_daily_profile"]["late_share"] = "a few"
    with pytest.raises(QualityError, match=r"late_share could not be computed") as caught:
        gates.judge("raw_schema_gate", text, WEEK)
    assert caught.value.code == "gate_failed_to_run"

    narrow = profiles(HEALTHY)
    narrow["bnpl_daily_profile"] = narrow["bnpl_daily_profile"].drop(columns="net_rows")
    with pytest.raises(QualityError, match="net_rows"):
        gates.judge("raw_schema_gate", narrow, WEEK)


def test_what_was_asked_wrongly_is_refused(gates):
    with pytest.raises(QualityError, match="There is no gate x: there are daily_quality_gate, raw"):
        gates.judge("x", {}, WEEK)
    with pytest.raises(QualityError, match="needs the frame bnpl_gold_days"):
        gates.judge("daily_quality_gate", {"bnpl_gold_rows": gold(HEALTHY)["bnpl_gold_rows"]}, WEEK)
    with pytest.raises(QualityError, match="no column book_date"):
        gates.judge("raw_schema_gate", {"bnpl_daily_profile": pd.DataFrame({"x": [1]})}, WEEK)


@pytest.mark.parametrize(
    ("book_dates", "message"),
    [
        ([None, "2024-03-05"], "has no book_date"),
        (["soon", "2024-03-05"], "'soon' in bnpl_daily_profile.book_date is not a date"),
        ([pd.Timestamp("2024-03-05"), "2024-03-05"], "in more than one way"),
    ],
)
def test_a_row_that_belongs_to_no_day_is_refused(gates, book_dates, message):
    frames = profiles({day: {} for day in WEEK[:2]})
    frames["bnpl_daily_profile"]["book_date"] = pd.Series(book_dates, dtype=object)
    with pytest.raises(QualityError, match=message):
        gates.judge("raw_schema_gate", frames, WEEK)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_committed_files_are_never_written(gates):
    before = files_below(GX)
    gates.judge("raw_schema_gate", profiles(HEALTHY), WEEK)
    assert files_below(GX) == before


def test_a_working_copy_is_made_again_only_when_the_files_change(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(GX, project)
    first = working_copy(project, tmp_path / "work")
    (first / "seen").touch()
    assert working_copy(project, tmp_path / "work") == first
    assert (first / "seen").exists()

    (project / "uncommitted").mkdir()
    (project / "uncommitted" / "result.json").write_text("{}")
    assert working_copy(project, tmp_path / "work") == first

    (project / "checkpoints" / "raw_schema_gate.json").write_text("{}")
    assert working_copy(project, tmp_path / "work") != first


MEAN = {
    "type": "expect_column_mean_to_be_between",
    "id": "7f0f6d1a-9d0a-4c7f-8a53-7b1f6f0e7d11",
    "kwargs": {"column": "late_share", "min_value": 0, "max_value": 1},
    "meta": {},
    "severity": "critical",
}
UNSET = MEAN | {"kwargs": {"column": "late_share", "min_value": {"$PARAMETER": "of_nobody"}}}


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        (
            "checkpoints/raw_schema_gate.json",
            lambda gate: gate | {"result_format": "SUMMARY"},
            "does not name the rows",
        ),
        (
            "expectations/bnpl_raw_schema.json",
            lambda suite: suite | {"expectations": [MEAN]},
            "does not name the rows",
        ),
        (
            "expectations/bnpl_raw_schema.json",
            lambda suite: suite | {"expectations": [UNSET]},
            "bnpl_daily_profile could not be judged",
        ),
        (
            "checkpoints/raw_schema_gate.json",
            lambda gate: gate | {"validation_definitions": [{"name": "gone", "id": None}]},
            "raw_schema_gate in gx/ can't be used",
        ),
    ],
)
def test_files_from_which_no_day_can_be_judged_are_refused(tmp_path, file, edit, message):
    shutil.copytree(GX, tmp_path / "gx")
    path = tmp_path / "gx" / file
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    month = days_from("2024-03-01", 31)
    frames = profiles({day: {"late_share": 0.9} for day in month})
    with pytest.raises(QualityError, match=message):
        Gates(tmp_path / "gx", tmp_path / "work").judge("raw_schema_gate", frames, month)


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    with pytest.raises(QualityError, match=r"There is no great_expectations\.yml"):
        Gates(tmp_path, tmp_path / "work").judge("raw_schema_gate", {}, WEEK)

    (tmp_path / "great_expectations.yml").write_text("config_version: [")
    with pytest.raises(QualityError, match=r"great_expectations\.yml can't be used"):
        Gates(tmp_path, tmp_path / "work").judge("raw_schema_gate", {}, WEEK)
