"""The gates of prices over made frames: each rule breaks on its case."""

from pathlib import Path

import pytest
from gate_cases import (
    AGAIN,
    BETWEEN,
    EQUAL,
    NOT_NULL,
    UNIQUE,
    Case,
    breaks_as_said,
    changes_of,
    frame,
)

from clearhouse.gl.domain import GL
from clearhouse.quality.gates import Gates

PROFILE = {"net_rows": 32, "rejected_share": 0.0, "outside_window": 0}
PRICE = {
    "series": "RWTC",
    "is_known_unit": 1,
    "dollars_a_barrel": 72.76,
    "dollars_a_mmbtu": None,
}
GOLD_DAY = {"rows": 2, "silver_rows": 2, "distinct_records": 2}
HEALTHY = {
    "gl_prices_raw_gate": {"gl_prices_profile": PROFILE},
    "gl_prices_business_gate": {"gl_price_rows": PRICE, "gl_price_days": GOLD_DAY},
}
GAS = {"series": "RNGC1", "dollars_a_barrel": None}

RAW_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in PROFILE],
    ({"net_rows": 4}, (BETWEEN, "net_rows")),
    ({"net_rows": 5}, None),
    ({"rejected_share": 0.21}, (BETWEEN, "rejected_share")),
    ({"rejected_share": 0.2}, None),
    ({"outside_window": 1}, (BETWEEN, "outside_window")),
    (AGAIN, (UNIQUE, "book_date")),
]
PRICE_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in ("series", "is_known_unit")],
    ({"is_known_unit": 0}, (BETWEEN, "is_known_unit")),
    ({"dollars_a_barrel": 300.01}, (BETWEEN, "dollars_a_barrel")),
    ({"dollars_a_barrel": -36.98}, None),
    ({**GAS, "dollars_a_mmbtu": -20.001}, (BETWEEN, "dollars_a_mmbtu")),
    ({**GAS, "dollars_a_mmbtu": 23.86}, None),
]
DAY_CASES: list[Case] = [
    *[({column: None}, (NOT_NULL, column)) for column in GOLD_DAY],
    ({"silver_rows": 3}, (EQUAL, "rows")),
    ({"distinct_records": 1}, (EQUAL, "distinct_records")),
    (AGAIN, (UNIQUE, "book_date")),
]


@pytest.mark.parametrize(
    ("checkpoint", "asset", "suite", "cases"),
    [
        ("gl_prices_raw_gate", "gl_prices_profile", "gl_prices_raw", RAW_CASES),
        ("gl_prices_business_gate", "gl_price_rows", "gl_price_rules", PRICE_CASES),
        ("gl_prices_business_gate", "gl_price_days", "gl_price_days", DAY_CASES),
    ],
)
def test_each_rule_breaks_on_its_case_and_on_no_other(
    tmp_path: Path, checkpoint: str, asset: str, suite: str, cases: list[Case]
) -> None:
    changes = changes_of(cases)
    suites = GL.gates / "expectations"
    frames = {
        name: frame(row, changes if name == asset else {day: {} for day in changes})
        for name, row in HEALTHY[checkpoint].items()
    }
    gates = Gates(GL.gates, tmp_path)
    breaks_as_said(gates, checkpoint, frames, cases, suites / f"{suite}.json")
