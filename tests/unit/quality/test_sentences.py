"""The sentences of a broken rule, as a person reads them."""

import pandas as pd
import pytest

from clearhouse.quality.sentences import of_day, of_rows

BETWEEN = "expect_column_values_to_be_between"
AT_LEAST = "expect_column_pair_values_a_to_be_greater_than_b"


@pytest.mark.parametrize(
    ("expectation", "rule", "sentence"),
    [
        (BETWEEN, {"column": "a", "min_value": 1}, "a: 241 of 5,312 rows below 1"),
        (BETWEEN, {"column": "a", "max_value": 1.5}, "a: 241 of 5,312 rows above 1.5"),
        (
            BETWEEN,
            {"column": "a", "min_value": 1, "max_value": 5_000_000},
            "a: 241 of 5,312 rows outside 1 to 5,000,000",
        ),
        (
            "expect_column_values_to_not_be_null",
            {"column": "a"},
            "a: 241 of 5,312 rows without a value",
        ),
        ("expect_column_values_to_be_unique", {"column": "a"}, "a: 241 of 5,312 rows repeated"),
        (
            "expect_column_values_to_be_in_set",
            {"column": "a", "value_set": ["USD", 4, True]},
            "a: 241 of 5,312 rows not one of USD, 4, True",
        ),
        (
            AT_LEAST,
            {"column_A": "a", "column_B": "b"},
            "a: 241 of 5,312 rows not greater than b",
        ),
        ("expect_a_new_rule", {"column": "a"}, "a: 241 of 5,312 rows against expect_a_new_rule"),
    ],
)
def test_rows_are_counted_and_never_quoted(expectation, rule, sentence):
    assert of_rows(expectation, rule, 241, 5_312) == sentence


@pytest.mark.parametrize(
    ("expectation", "rule", "profile", "sentence"),
    [
        (
            BETWEEN,
            {"column": "a", "min_value": 0, "max_value": 0},
            {"a": 3},
            "a: 3 is other than 0",
        ),
        (
            BETWEEN,
            {"column": "a", "min_value": 0, "max_value": 0.01},
            {"a": 0.0312},
            "a: 0.0312 is outside 0 to 0.01",
        ),
        (
            AT_LEAST,
            {"column_A": "a", "column_B": "b", "or_equal": True},
            {"a": 2_656.0, "b": 4_000.0},
            "a: 2,656 is less than b (4,000)",
        ),
        (
            AT_LEAST,
            {"column_A": "a", "column_B": "b", "or_equal": True},
            {"a": 2_656, "b": None},
            "a: 2,656 is less than b (no value)",
        ),
        (
            AT_LEAST,
            {"column_A": "net_rows", "column_B": "volume_low", "or_equal": True},
            {"net_rows": 2_656.0, "volume_low": 4_000.0},
            "net_rows: 2,656 is less than the 4,000 expected at least",
        ),
        (
            AT_LEAST,
            {"column_A": "volume_high", "column_B": "net_rows", "or_equal": True},
            {"net_rows": 9_120, "volume_high": 7_000},
            "net_rows: 9,120 is more than the 7,000 expected at most",
        ),
        (
            "expect_column_pair_values_to_be_equal",
            {"column_A": "a", "column_B": "b"},
            {"a": 1, "b": 2},
            "a: 1 is different from b (2)",
        ),
        ("expect_column_values_to_not_be_null", {"column": "a"}, {"a": pd.NA}, "a: no value"),
        (
            "expect_column_values_to_be_unique",
            {"column": "a"},
            {"a": "2024-03-04"},
            "a: 2024-03-04 is repeated",
        ),
    ],
)
def test_a_profile_quotes_the_days_own_figure(expectation, rule, profile, sentence):
    assert of_day(expectation, rule, profile) == sentence
