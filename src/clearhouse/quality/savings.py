"""What Great Expectations makes again for each argument of each rule, made once for a rule.

Judging a day asks some hundred rules of a few rows, so its time is the library's own. The parts
that are replaced here come to the same (`test_gate_savings` holds them against it). They are
written for the one version below: any other is left as it is, and the test says so.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

_WRITTEN_FOR = "1.24."


@cache
def apply() -> None:
    """Replace the parts in this process, once; for a version of the library that they are for."""
    import great_expectations
    from great_expectations.expectations import expectation

    if not great_expectations.__version__.startswith(_WRITTEN_FOR):
        return
    expectation.camel_to_snake = cache(expectation.camel_to_snake)
    expectation.Expectation._get_domain_kwargs = _domain_kwargs
    expectation.Expectation._get_success_kwargs = _success_kwargs
    expectation.Expectation._get_runtime_kwargs = _runtime_kwargs


def _domain_kwargs(rule: Any) -> dict[str, Any]:
    return _given(rule, rule.domain_keys)


def _success_kwargs(rule: Any) -> dict[str, Any]:
    return _given(rule, (*rule.success_keys, *rule.domain_keys))


def _runtime_kwargs(
    rule: Any, runtime_configuration: dict[str, Any] | None = None
) -> dict[str, Any]:
    from great_expectations.expectations.expectation import parse_result_format

    own = (*rule.success_keys, *rule.domain_keys)
    given = _given(rule, (*rule.runtime_keys, *own))
    found = given | {
        k: v for k, v in (runtime_configuration or {}).items() if k in rule.runtime_keys
    }
    found |= {key: given[key] for key in own}
    found["result_format"] = parse_result_format(found["result_format"])
    return found


def _given(rule: Any, keys: Iterable[str]) -> dict[str, Any]:
    """Arguments of a rule, by name. The library makes all of `configuration` anew for each."""
    given = rule.configuration.kwargs
    return {key: given.get(key, rule._get_default_value(key)) for key in keys}
