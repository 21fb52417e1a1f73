"""What replaces parts of Great Expectations comes to what these come to, and asks a rule once."""

import ast
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest

from clearhouse.quality import project, savings

project.preload()
from great_expectations import expectations as rules  # noqa: E402
from great_expectations.expectations import expectation  # noqa: E402

RULES = [
    rules.ExpectColumnValuesToBeBetween(column="amount", min_value=1, strict_min=True),
    rules.ExpectColumnValuesToBeInSet(column="kind", value_set=["a", "b"], mostly=0.9),
    rules.ExpectColumnValuesToNotBeNull(column="key", row_condition="x > 1"),
    rules.ExpectColumnPairValuesAToBeGreaterThanB(column_A="a", column_B="b", or_equal=True),
    rules.ExpectTableRowCountToBeBetween(min_value=3),
]
RUNTIMES = [
    None,
    {},
    {"result_format": {"result_format": "COMPLETE", "unexpected_index_column_names": ["key"]}},
    {"result_format": "BASIC", "catch_exceptions": True, "column": "not a runtime's"},
]
METHODS = ("_get_domain_kwargs", "_get_success_kwargs", "_get_runtime_kwargs")


@pytest.fixture(scope="module")
def as_the_library_has_it() -> dict[str, Any]:
    """The methods by their source, as nothing has changed them."""
    source = ast.parse(Path(expectation.__file__).read_text())
    (of_rules,) = (
        each
        for each in source.body
        if isinstance(each, ast.ClassDef) and each.name == expectation.Expectation.__name__
    )
    methods = [m for m in of_rules.body if isinstance(m, ast.FunctionDef) and m.name in METHODS]
    found = dict(vars(expectation))
    exec(compile(ast.Module(methods, []), expectation.__file__, "exec"), found)
    return {name: found[name] for name in METHODS}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_arguments_are_those_that_the_library_finds(
    rule: Any, as_the_library_has_it: dict[str, Any]
) -> None:
    ours = {name: vars(expectation.Expectation)[name] for name in METHODS}
    assert ours["_get_domain_kwargs"] is savings._domain_kwargs, "another version of the library"

    with patch.multiple(expectation.Expectation, **as_the_library_has_it):
        theirs = [rule._get_domain_kwargs(), rule._get_success_kwargs()]
        theirs += [rule._get_runtime_kwargs(runtime) for runtime in RUNTIMES]

    assert [
        *(rule._get_domain_kwargs(), rule._get_success_kwargs()),
        *(rule._get_runtime_kwargs(runtime) for runtime in RUNTIMES),
    ] == theirs


def test_a_rule_is_asked_once_for_all_its_arguments() -> None:
    rule = RULES[0]
    made = rule.configuration
    with patch.object(
        expectation.Expectation, "configuration", PropertyMock(return_value=made)
    ) as configuration:
        rule._get_runtime_kwargs({"result_format": "BASIC"})

    assert configuration.call_count == 1
