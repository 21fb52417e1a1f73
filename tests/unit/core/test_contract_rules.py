import json
from pathlib import Path

import pytest
from wide_contract import CONTRACT, line

from clearhouse.core.contract import Contract, violations


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"amount": "-0"},
        {"amount": "9999999999999.99"},
        {"score": "1"},
        {"score": "1e-3"},
        {"count": "100"},
        {"_at": '"2024-02-29T23:59:59.123456"'},
        {"ratio": "null", "note": "null", "fee": "null", "due": "null", "size": "null"},
        {"ratio": "-1.5e300", "note": '""', "fee": "0.0001", "due": '"2024-02-29"', "code": '"TX"'},
        {"size": str(-(2**63))},
        {"unheard_of": '{"of": [1, {"deep": null}]}'},
        {"note": r'"\ud83d\ude00"'},
        {"note": json.dumps("[" * 100)},
        {"note": f'"{"😀" * 100}"'},
    ],
    ids=str,
)
def test_a_record_that_keeps_its_contract(changes: dict[str, str]) -> None:
    assert violations(line(**changes), CONTRACT) == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("id", None, "missing"),
        ("id", "null", "missing"),
        ("id", "7", "wrong_type"),
        ("note", r'"a\u0000b"', "null_character"),
        ("note", f'"{"a" * 101}"', "too_long"),
        ("id", '"two words"', "pattern"),
        ("id", '"seventeen-letters"', "pattern"),
        ("id", '"line\\n"', "pattern"),
        ("code", '"TX\\n"', "pattern"),
        ("code", '"ＴＸ"', "pattern"),
        ("amount", "185.66843307230633", "money_malformed"),
        ("amount", "1.100", "money_malformed"),
        ("amount", '"1.10"', "money_malformed"),
        ("amount", "1e2", "money_malformed"),
        ("amount", "12345678901234", "money_malformed"),
        ("amount", "true", "money_malformed"),
        ("fee", "0.00001", "money_malformed"),
        ("kind", '"c"', "not_allowed"),
        ("level", "5", "not_allowed"),
        ("level", "6.27", "wrong_type"),
        ("level", "4.0", "wrong_type"),
        ("level", '"4"', "wrong_type"),
        ("count", "-1", "below_minimum"),
        ("count", "101", "above_maximum"),
        ("count", "1e1", "wrong_type"),
        ("size", str(2**63), "wrong_type"),
        ("size", "9" * 5000, "wrong_type"),
        ("score", "-0.0001", "below_minimum"),
        ("score", "1.0001", "above_maximum"),
        ("score", "1e999", "wrong_type"),
        ("score", '"0.5"', "wrong_type"),
        ("flag", "1.0995", "wrong_type"),
        ("flag", '"true"', "wrong_type"),
        ("note", "1", "wrong_type"),
        ("note", "{}", "wrong_type"),
        ("_at", '"2024-03-09T10:11:12Z"', "wrong_type"),
        ("_at", '"2024-03-09T10:11:12+01:00"', "wrong_type"),
        ("_at", '"2024-03-09 10:11:12"', "wrong_type"),
        ("_at", '"2024-03-09"', "wrong_type"),
        ("_at", '"2024-02-30T10:11:12"', "wrong_type"),
        ("_at", '"0999-03-09T10:11:12"', "wrong_type"),
        ("_at", "1709979072", "wrong_type"),
        ("due", '"2024-02-30"', "wrong_type"),
        ("due", '"2024-02-29T00:00:00"', "wrong_type"),
    ],
)
def test_each_broken_promise_is_named(field: str, value: str | None, code: str) -> None:
    (broken,) = violations(line(**{field: value}), CONTRACT)
    assert (broken.field, broken.code) == (field.lstrip("_"), code)
    assert broken.detail.endswith(".")
    assert len(broken.detail) < 200


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_json"),
        (b"[]", "not_json"),
        (b'"text"', "not_json"),
        (b"<html>502</html>", "not_json"),
        (line()[:-1], "not_json"),
        (line() + line(), "not_json"),
        (line(ratio="NaN"), "not_json"),
        (line(other="-Infinity"), "not_json"),
        (b"\xef\xbb\xbf" + line(), "not_json"),
        (line(note='"\xff"').decode().encode("latin-1"), "not_json"),
        (line(note=r'"\ud800"'), "not_json"),
        (line(note=r'"\uDFFF"'), "not_json"),
        (line(other="[" * 40 + "]" * 40), "not_json"),
        (line(other="[" * 100_000 + "]" * 100_000), "not_json"),
        (line()[:-1] + b', "amount": 1.00}', "duplicate_field"),
        (line(other='{"x": 1, "x": 2}'), "duplicate_field"),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else value,
)
def test_what_is_not_one_object_is_broken_as_a_whole(raw: bytes, code: str) -> None:
    (broken,) = violations(raw, CONTRACT)
    assert (broken.field, broken.code) == ("", code)


def test_every_broken_promise_of_a_record_is_told() -> None:
    broken = violations(line(amount="1.234", level="5", count="-1", id=None), CONTRACT)
    assert {(v.field, v.code) for v in broken} == {
        ("amount", "money_malformed"),
        ("level", "not_allowed"),
        ("count", "below_minimum"),
        ("id", "missing"),
    }


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("level", "6.27", "6.27 is not a whole number."),
        ("size", str(2**63), f"{2**63} is a whole number of more than 64 bits."),
        ("flag", "1.0995", "1.0995 is not true or false."),
        ("score", "1.5", "1.5 is above 1."),
        ("due", '"2024-02-30"', '"2024-02-30" is not a date written YYYY-MM-DD.'),
        ("_at", "7", "7 is not a time written YYYY-MM-DDTHH:MM:SS."),
        ("note", "7", "7 is not a text."),
    ],
)
def test_a_wrong_value_is_told_in_a_persons_words(field: str, value: str, sentence: str) -> None:
    (broken,) = violations(line(**{field: value}), CONTRACT)
    assert broken.detail == sentence


FORMS = Contract.load(Path(__file__).parent / "data" / "forms.yaml")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("_at", '"2024-03-09T10:11:12"', "a time written YYYY-MM-DDTHH:MM:SS with Z or an offset."),
        ("till", "12", "12 is not a whole number in double quotes."),
        (
            "amount",
            "1.10",
            "1.10 is not an exact amount with at most 2 decimals, in double quotes.",
        ),
        ("till", '"9007199254740993"', '"9007199254740993" is above 9007199254740992.'),
        ("amount", '"-1000.11"', '"-1000.11" is below -1000.1.'),
    ],
)
def test_a_sentence_says_the_form_of_the_contract(name: str, value: str, sentence: str) -> None:
    broken = violations(f'{{"{name}": {value}}}'.encode(), FORMS)
    assert any(violation.detail.endswith(sentence) for violation in broken)


def test_the_sentence_shows_the_value_shortened() -> None:
    (level,) = violations(line(level="5"), CONTRACT)
    assert level.detail == "5 is not one of 4, 6."
    (code,) = violations(line(code=json.dumps("x" * 500)), CONTRACT)
    assert code.detail == '"' + "x" * 79 + "… has not the form ^[A-Z]{2}$."
