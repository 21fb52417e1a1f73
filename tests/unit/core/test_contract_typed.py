import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import pytest
from wide_contract import CONTRACT, line

from clearhouse.core.contract import (
    Contract,
    TypedRecords,
    Violation,
    one_by_one,
    read_payloads,
    type_payloads,
    type_records,
    violations,
)


def typed(*lines: bytes) -> TypedRecords:
    return type_records(b"\n".join(lines) + b"\n", CONTRACT, "till")


def told(found: TypedRecords) -> dict[int, list[str]]:
    """Codes by line of what was rejected."""
    return {r.line: [v.code for v in r.violations] for r in found.rejected}


def test_a_clean_record_is_typed_by_its_contract() -> None:
    found = typed(line(fee="0.0001", due='"2024-04-01"', note='"é"'))
    assert found.accepted.drop_columns(["extra", "_record_id", "_record_key", "_line"]).schema == (
        CONTRACT.arrow_schema
    )
    (row,) = found.accepted.to_pylist()
    assert row["at"] == dt.datetime(2024, 3, 9, 10, 11, 12)  # noqa: DTZ001 (naive, as it came)
    assert (row["amount"], row["fee"]) == (Decimal("45.90"), Decimal("0.0001"))
    assert (row["due"], row["note"], row["flag"]) == (dt.date(2024, 4, 1), "é", True)
    assert (row["ratio"], row["size"], row["extra"]) == (None, None, None)
    assert (row["_record_key"], row["_line"]) == ("2024-03-09|t-1", 1)
    assert found.rejected == ()


@pytest.mark.parametrize("beside", [line(), b"<html>"], ids=["columns", "one by one"])
def test_a_value_that_an_open_enumeration_does_not_name_is_kept_and_counted(beside: bytes) -> None:
    notes = ["a", "new", "b", "new", "a"]
    lines = [line(id=f'"n-{at}"', note=f'"{note}"') for at, note in enumerate(notes)]
    found = typed(beside, *lines, line(id='"none"', note="null"), line(note='"bad"', level="5"))
    assert [row for row in found.accepted["note"].to_pylist() if row] == notes
    assert found.unknown_values == (("note", "b", 1), ("note", "new", 2))


def test_one_bad_record_does_not_take_the_others_with_it() -> None:
    bad = line(id='"t-2"', amount="185.66843307230633")
    found = typed(line(id='"t-1"'), bad, b"<html>", line(id='"t-4"'))
    assert found.accepted["id"].to_pylist() == ["t-1", "t-4"]
    assert found.accepted["_line"].to_pylist() == [1, 4]
    assert told(found) == {2: ["money_malformed"], 3: ["not_json"]}
    rejected = found.rejected[0]
    assert rejected.raw == bad
    assert (rejected.amount_minor, rejected.currency) == (0, "XXX")
    assert rejected.record_key == "2024-03-09|t-2"
    assert [rejected.record_id, found.rejected[1].record_id] == [
        found.reading["_record_id"][n].as_py() for n in (1, 2)
    ]


@pytest.mark.parametrize("beside", [line(), b"<html>"], ids=["columns", "one by one"])
@pytest.mark.parametrize(
    ("unknown", "extra"),
    [
        ({"b": "1.10", "a": '"x"'}, '{"a":"x","b":1.10}'),
        ({"a": "0.12345678901234567890123"}, '{"a":0.12345678901234567890123}'),
        ({"a": "null"}, '{"a":null}'),
        ({"ü/~'": "true"}, '{"ü/~\'":true}'),
        ({"a": '{"b": [1.0, "]"]}'}, '{"a":{"b":[1.0,"]"]}}'),
        ({"a": r'"q\"\u0000"'}, r'{"a":"q\"\u0000"}'),
        ({"a": '"2024-01-01T00:00:00+01:00"'}, '{"a":"2024-01-01T00:00:00+01:00"}'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unknown_fields_are_kept_as_they_were_written(
    unknown: dict[str, str], extra: str, beside: bytes
) -> None:
    found = typed(line(id='"t-0"', other="1"), beside, line(**unknown))
    row = next(r for r in found.accepted.to_pylist() if r["_line"] == 3)
    assert row["extra"] == extra


def test_columns_are_not_trusted_where_lines_and_objects_only_agree_in_number() -> None:
    two, three = line(id='"t-2"'), line(id='"t-3"')
    found = typed(line() + b" " + two, b"", three)
    assert told(found) == {1: ["not_json"], 2: ["not_json"]}
    found = typed(line()[:-1], b"} " + two)
    assert told(found) == {1: ["not_json"], 2: ["not_json"]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": '"45.90"', "x": '{"amount": 45.90}'}, "money_malformed"),
        ({"amount": '"45.90"', r"x\"amount": "45.90"}, "money_malformed"),
        (
            {"_at": '"2024-03-09T12:00:00+01:00"', "x": '[{"_at": "2024-03-09T12:00:00"}]'},
            "wrong_type",
        ),
        ({"ratio": "Infinity"}, "not_json"),
        ({"x": "NaN"}, "not_json"),
        ({"id": '"a\u00a0b"'}, None),
        ({"note": r'"a\u0000b"'}, "null_character"),
        ({"note": r'"a\\u0000b"'}, None),
        ({"due": '"0999-01-01"'}, "wrong_type"),
    ],
)
def test_what_arrow_is_lenient_about_is_judged_by_the_rules(changes, code) -> None:
    found = typed(line(**changes), line())
    assert told(found) == ({1: [code]} if code else {})


def test_a_payload_that_is_not_utf_8_loses_only_its_broken_line() -> None:
    found = typed(line(), line(note='"\u00ff"').replace(b"\xc3\xbf", b"\xff"), line())
    assert found.accepted["_line"].to_pylist() == [1, 3]
    assert told(found) == {2: ["not_json"]}


@pytest.mark.parametrize("beside", [line(), b"<html>"], ids=["columns", "one by one"])
@pytest.mark.parametrize("note", ["\ufeffTea", "Tea\ufeff for two"])
def test_a_byte_order_mark_within_a_text_is_a_character_of_it(note: str, beside: bytes) -> None:
    found = typed(beside, line(note=f'"{note}"'), line(note='"other"'))
    assert found.accepted["note"].to_pylist()[-2:] == [note, "other"]


@pytest.mark.parametrize("at", [0, 1])
def test_a_byte_order_mark_before_a_record_is_no_json(at: int) -> None:
    lines = [line(), line()]
    lines[at] = "\ufeff".encode() + lines[at]
    assert told(typed(*lines)) == {at + 1: ["not_json"]}


def test_a_nest_that_would_exhaust_the_stack_is_one_rejected_record() -> None:
    deep = 200_000
    found = typed(line(), line(x='{"a":' * deep + "1" + "}" * deep), line(x="[" * deep))
    assert told(found) == {2: ["not_json"], 3: ["not_json"]}


def test_a_line_longer_than_a_block_is_a_line() -> None:
    found = typed(line(), line(unheard_of=json.dumps("x" * (5 << 20))), b"<html>")
    assert found.accepted["_line"].to_pylist() == [1, 2]
    assert typed(line(), line(unheard_of=json.dumps("x" * (5 << 20)))).rejected == ()


@pytest.mark.parametrize(
    ("changes", "minor"),
    [
        ({"amount": "100", "currency": '"JPY"'}, 100),
        ({"amount": "9999999999999.99", "currency": '"KWD"'}, 9_999_999_999_999_990),
        ({"amount": "1.5", "currency": '"USD"'}, 150),
    ],
)
def test_the_books_read_the_minor_units_of_the_currency(changes, minor: int) -> None:
    found = typed(line(**changes))
    assert found.rejected == ()
    assert found.reading["amount_minor"].to_pylist() == [minor]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "100.50", "currency": '"JPY"'},
        {"currency": '"XXX"'},
        {"id": r'"t\u002d1"'},
    ],
    ids=["more places than yen have", "no currency", "escaped key"],
)
def test_what_books_and_json_read_differently_is_not_guessed_at(changes) -> None:
    assert told(typed(line(**changes), line())) == {1: ["ambiguous"]}


def test_an_empty_payload_is_no_records() -> None:
    found = type_records(b"", CONTRACT, "till")
    assert (len(found.reading), len(found.accepted), found.rejected) == (0, 0, ())
    assert found.accepted.schema.names[-4:] == ["extra", "_record_id", "_record_key", "_line"]


FORMS = Contract.load(Path(__file__).parent / "data" / "forms.yaml")
SALE = {
    "_at": '"2024-03-09T23:11:12-02:00"',
    "number": "7",
    "till": '"12"',
    "day": '"2024-03-08"',
    "amount": '"45.90"',
}


def sale(**changes: str) -> bytes:
    """A record that keeps FORMS, with fields as raw JSON."""
    members = (f'"{name}": {value}' for name, value in {**SALE, **changes}.items())
    return ("{" + ", ".join(members) + "}").encode()


def sold(*lines: bytes) -> TypedRecords:
    return type_records(b"\n".join(lines) + b"\n", FORMS, "till")


@pytest.mark.parametrize("beside", [sale(), b"<html>"], ids=["columns", "one by one"])
def test_a_source_may_write_its_fields_in_the_form_that_its_contract_names(beside: bytes) -> None:
    found = sold(beside, sale(closed='"2024-03-09T10:00:00.5Z"', tip='"0.0001"', ref='"-9"'))
    row = found.accepted.to_pylist()[-1]
    assert row["at"] == dt.datetime(2024, 3, 10, 1, 11, 12, tzinfo=dt.UTC)
    assert row["closed"] == dt.datetime(2024, 3, 9, 10, 0, 0, 500_000, tzinfo=dt.UTC)
    assert (row["number"], row["till"], row["ref"]) == (7, 12, -9)
    assert (row["amount"], row["tip"], row["currency"]) == (
        Decimal("45.90"), Decimal("0.0001"), "USD"
    )  # fmt: skip
    assert row["_record_key"] == "2024-03-09|7|12|2024-03-08"
    reading = found.reading.to_pylist()[-1]
    assert (reading["amount_minor"], reading["currency"]) == (4590, "USD")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "45.90"}, "money_malformed"),
        ({"amount": '"45.900"'}, "money_malformed"),
        ({"amount": '"-1000.11"'}, "below_minimum"),
        ({"amount": '"9999999999999.99"'}, "above_maximum"),
        ({"_at": '"2024-03-09T23:11:12"'}, "wrong_type"),
        ({"_at": '"2024-03-09T23:11:12+0200"'}, "wrong_type"),
        ({"number": '"7"'}, "wrong_type"),
        ({"number": "7.0"}, "wrong_type"),
        ({"number": "-0"}, "ambiguous"),
        ({"till": "12"}, "wrong_type"),
        ({"till": '"012"'}, "wrong_type"),
        ({"till": '"0x1F"'}, "wrong_type"),
        ({"till": '"9007199254740993"'}, "above_maximum"),
    ],
    ids=str,
)
def test_another_form_than_the_contracts_is_refused(changes: dict[str, str], code: str) -> None:
    assert told(sold(sale(**changes), sale())) == {1: [code]}


def test_a_currency_that_a_record_states_beside_a_constant_is_kept_as_unknown() -> None:
    (row,) = sold(sale(currency='"EUR"')).accepted.to_pylist()
    assert (row["currency"], row["extra"]) == ("USD", '{"currency":"EUR"}')


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that were judged one by one."""
    lines: list[bytes] = []

    def violations_of(line: bytes, contract: Contract) -> list[Violation]:
        lines.append(line)
        return violations(line, contract)

    monkeypatch.setattr(one_by_one, "violations", violations_of)
    return lines


def test_nested_and_ever_new_fields_are_no_reason_to_judge_records_one_by_one(
    judged: list[bytes],
) -> None:
    many = 300
    nested = '[{"sku": "a}", "n": 1.50, "of": {"x": []}}' + ', {"sku": "[["}' * 40 + "]"
    found = typed(
        *(line(**{f"k{n}": str(n)}) for n in range(many)),
        *(line(**{f"k{n}": f'"{n}"', "items": nested}) for n in range(many)),
        *(line(items=text) for text in ("{}", "null", "[1, 2]", "7")),
    )
    extras = found.accepted["extra"].to_pylist()
    assert (len(extras), judged) == (2 * many + 4, [])
    assert extras[many - 1] == f'{{"k{many - 1}":{many - 1}}}'
    assert extras[many] == f'{{"items":{nested.replace(": ", ":").replace(", ", ",")},"k0":"0"}}'
    assert extras[-4:] == [f'{{"items":{text}}}' for text in ("{}", "null", "[1,2]", "7")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"x": '{"amount": 45.90}'}, None),
        ({"x": '[{"fee": "1"}]'}, None),
        ({"x": '{"a": 1, "a": 2}'}, "duplicate_field"),
        ({"x": '{"a": NaN}'}, "not_json"),
        ({"x": r'"\u00e9"'}, None),
        ({f"k{n}": "1" for n in range(100)}, None),
        ({"x": "[" * 32 + "]" * 32}, "not_json"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_only_what_could_be_read_in_two_ways_is_judged_one_by_one(
    judged: list[bytes], changes: dict[str, str], code: str | None
) -> None:
    odd = line(**changes)
    found = typed(line(x="[]"), odd)
    assert judged[-1] == odd
    assert told(found) == ({2: [code]} if code else {})


def test_a_field_that_stands_twice_is_found_where_it_is_unknown() -> None:
    twice = line(x="1")[:-1] + b', "x": 2}'
    assert told(typed(line(), twice)) == {2: ["duplicate_field"]}


@pytest.mark.parametrize(
    "odd", [b"", line(id='"bad"').replace(b"bad", b"\xff"), b"<html>", b"\n"], ids=repr
)
def test_payloads_that_are_typed_together_come_out_as_each_by_itself(odd: bytes) -> None:
    bad, unknown, repeated = line(amount="1.234"), line(x='{"a": 1.10}'), line(flag="null")
    payloads = [
        line(id='"first"') + b"\n" + bad + b"\n",
        odd,
        b"",
        unknown + b"\n" + bad,
        repeated + b"\n" + repeated + b"\n",
    ]
    readings = read_payloads(payloads, CONTRACT, "till")
    together = type_payloads(payloads, readings, CONTRACT, "till")
    alone = [type_records(payload, CONTRACT, "till") for payload in payloads]
    for found, expected in zip(together, alone, strict=True):
        assert found.accepted.equals(expected.accepted)
        assert (found.rejected, found.unknown_values) == (
            expected.rejected,
            expected.unknown_values,
        )
