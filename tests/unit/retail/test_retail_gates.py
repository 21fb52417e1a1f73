"""The gates of retail over made frames: each rule breaks on its case."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    Case,
    breaks_as_said,
    changes_of,
    days_from,
    frame,
)

from clearhouse.quality.gates import Gates
from clearhouse.retail import profiles
from clearhouse.retail.domain import RETAIL, SALES

PROFILE = {
    "landed_rows": 1_420,
    "accepted_rows": 1_410,
    "rejected_rows": 2,
    "duplicate_rows": 8,
    "net_rows": 1_412,
    "rejected_share": 0.0014,
    "other_day_rows": 0,
    "without_product_share": 0.0,
    "without_store_share": 0.0,
}
LINE = {
    "retailer": "retailer_2",
    "unit_price_minor": 19_999,
    "quantity": 3,
    "off_by_minor": 0,
    "discount_minor": 0,
    "sale_age_days": 0,
}
GOLD_DAY = {"rows": 2, "silver_rows": 2, "distinct_records": 2}
DRIFTS = {f"drift_{name}": 0.4 for name in profiles.DISTRIBUTIONS}
ANSWER = {
    "retailer": "retailer_2",
    "lines": 520,
    "lines_low": 320,
    "lines_high": 840,
    "newest_age_days": 0,
    "newest_age_days_high": 0,
    **DRIFTS,
}
HEALTHY = {
    "retail_daily_profile": PROFILE,
    "retail_gold_rows": LINE,
    "retail_gold_days": GOLD_DAY,
    "retail_gold_answers": ANSWER,
}
FRAMES_OF = {
    "retail_raw_gate": ("retail_daily_profile",),
    "retail_business_gate": ("retail_gold_rows", "retail_gold_days", "retail_gold_answers"),
}

RAW_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in PROFILE],
    ({"landed_rows": 0, "accepted_rows": 0, "net_rows": 0}, None),
    ({"rejected_share": 0.0201}, (BETWEEN, "rejected_share")),
    ({"rejected_share": 0.02}, None),
    ({"other_day_rows": 1}, (BETWEEN, "other_day_rows")),
    ({"without_product_share": 0.051}, (BETWEEN, "without_product_share")),
    ({"without_product_share": 0.05}, None),
    ({"without_store_share": 0.21}, (BETWEEN, "without_store_share")),
    ({"without_store_share": 0.2}, None),
    (AGAIN, (UNIQUE, "book_date")),
]
LINE_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in LINE],
    ({"retailer": "retailer_4"}, (IN_SET, "retailer")),
    ({"off_by_minor": 2}, (BETWEEN, "off_by_minor")),
    ({"off_by_minor": 1}, None),
    ({"quantity": -3}, None),
    ({"discount_minor": -1}, (BETWEEN, "discount_minor")),
    ({"sale_age_days": -1}, (BETWEEN, "sale_age_days")),
    ({"sale_age_days": 401}, (BETWEEN, "sale_age_days")),
    ({"sale_age_days": 400}, None),
]
DAY_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in GOLD_DAY],
    ({"rows": 1}, (EQUAL, "rows")),
    ({"distinct_records": 1}, (EQUAL, "distinct_records")),
    ({"rows": 0, "silver_rows": 0, "distinct_records": 0}, None),
    (AGAIN, (UNIQUE, "book_date")),
]
ANSWER_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in ANSWER],
    ({"lines": 319}, (AT_LEAST, "lines")),
    ({"lines": 320}, None),
    ({"lines": 841}, (AT_LEAST, "lines_high")),
    ({"lines": 840}, None),
    ({"newest_age_days": 1}, (AT_LEAST, "newest_age_days_high")),
    ({"newest_age_days": 1, "newest_age_days_high": 400}, None),
    *[({column: 1.001}, (BETWEEN, column)) for column in DRIFTS],
    (dict.fromkeys(DRIFTS, 1.0), None),
]


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(RETAIL.gates, tmp_path / "gx")


@pytest.mark.parametrize(
    ("suite", "checkpoint", "asset", "cases"),
    [
        ("retail_raw_schema", "retail_raw_gate", "retail_daily_profile", RAW_CASES),
        ("retail_line_rules", "retail_business_gate", "retail_gold_rows", LINE_CASES),
        ("retail_days", "retail_business_gate", "retail_gold_days", DAY_CASES),
        ("retail_answers", "retail_business_gate", "retail_gold_answers", ANSWER_CASES),
    ],
)
def test_every_rule_of_a_suite_has_a_case_that_breaks_it(
    gates: Gates, suite: str, checkpoint: str, asset: str, cases: Sequence[Case]
) -> None:
    changes = changes_of(cases)
    frames = {
        name: frame(HEALTHY[name], changes if name == asset else {key: {} for key in changes})
        for name in FRAMES_OF[checkpoint]
    }
    breaks_as_said(gates, checkpoint, frames, cases, RETAIL.gates / f"expectations/{suite}.json")


def test_a_day_without_lines_is_judged_by_its_figures(gates: Gates) -> None:
    full, empty = days_from("2024-12-24", 2)
    none: dict[str, Any] = {"rows": 0, "silver_rows": 0, "distinct_records": 0}
    frames = {
        "retail_gold_rows": frame(LINE, {full: {}}),
        "retail_gold_days": frame(GOLD_DAY, {full: {}, empty: none}),
        "retail_gold_answers": frame(ANSWER, {full: {}}),
    }

    verdicts = gates.judge(SALES.business_gate.name, frames, [full, empty])

    assert [verdict.passed for verdict in verdicts.values()] == [True, True]


def test_each_retailer_that_breaks_a_rule_of_answers_is_named(gates: Gates) -> None:
    day, other = days_from("2024-03-05", 2)
    few, old = {"lines": 12}, {"lines": 13, "newest_age_days": 1}
    answers = pd.concat(
        frame({**ANSWER, "retailer": retailer}, {day: change, other: {}})
        for retailer, change in (("retailer_1", few), ("retailer_2", {}), ("retailer_3", old))
    )
    frames = {
        "retail_gold_rows": frame(LINE, {day: {}, other: {}}),
        "retail_gold_days": frame(GOLD_DAY, {day: {}, other: {}}),
        "retail_gold_answers": answers,
    }

    verdicts = gates.judge(SALES.business_gate.name, frames, [day, other])

    assert verdicts[other].passed
    assert [failure.detail for failure in verdicts[day].failures] == [
        "retailer_1 lines: 12 is less than the 320 expected at least",
        "retailer_3 lines: 13 is less than the 320 expected at least",
        "retailer_3 newest_age_days: 1 is more than the 0 expected at most",
    ]
