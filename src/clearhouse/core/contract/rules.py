"""The contract's rules as pure functions from one record's text to a list of violations.

This is the definition of what a contract means. The columnar path (`columnar`) must accept exactly
what this accepts; a property test holds the two together. It runs only on lines that the columnar
path has doubts about.
"""

import datetime as dt
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.contract.fields import Field
from clearhouse.core.contract.forms import INTEGER, text_form
from clearhouse.core.contract.model import Contract

_JSON_INTEGER = "-?[0-9]+"
_INT64 = range(-(2**63), 2**63)
_SHOWN_CHARACTERS = 80
_IN_WORDS = {
    "string": "a text",
    "boolean": "true or false",
    "bigint": "a whole number",
    "double": "a number",
    "timestamp": "a time written YYYY-MM-DDTHH:MM:SS",
    "date": "a date written YYYY-MM-DD",
}
"""What a value of each physical type is to a person."""
_TEXT_INTEGER_IN_WORDS = "a whole number in double quotes"
_OFFSET_IN_WORDS = "a time written YYYY-MM-DDTHH:MM:SS with Z or an offset"
MAX_NESTING = 32
"""How deep a record may nest: deep nesting exhausts the stack of recursive readers."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One broken promise of one record.

    Attributes:
        field: our column, or "" where the record as a whole is meant.
        code: a stable word for programs.
        detail: one sentence for a person, with the offending value shortened.
    """

    field: str
    code: str
    detail: str


class NumberText(str):
    """A JSON number, kept as it was written."""

    __slots__ = ()


class _DuplicateKeyError(ValueError):
    pass


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise _DuplicateKeyError
    return record


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(
    parse_float=NumberText,
    parse_int=NumberText,
    parse_constant=_no_constant,
    object_pairs_hook=_no_duplicates,
)


def decode_value(text: str) -> Any:
    """A JSON value with every number kept as the text it was written in.

    Raises:
        ValueError: not JSON, or a key stands twice in an object.
    """
    return _JSON.decode(text)


def decode(line: bytes) -> dict[str, Any]:
    """A record's JSON object with every number kept as the text it was written in.

    Raises:
        ValueError: not one JSON object, or a key stands twice in it.
    """
    text = line.decode("utf-8")
    record = decode_value(text)
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    if text.count("{") + text.count("[") > MAX_NESTING and not _is_shallow(record, MAX_NESTING):
        raise ValueError(f"nested more than {MAX_NESTING} deep")
    if "\\ud" in text.lower():  # half of a surrogate pair is no character, and can't be stored
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    return record


def _is_shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    children = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(child, levels - 1) for child in children)


def violations(line: bytes, contract: Contract) -> list[Violation]:
    """What a record breaks of the contract; empty where it keeps it. Unknown fields are allowed."""
    try:
        record = decode(line)
    except _DuplicateKeyError:
        return [Violation("", "duplicate_field", "A field stands twice in the record.")]
    except (ValueError, RecursionError) as error:
        return [Violation("", "not_json", f"The line is not one JSON object: {error}.")]
    found: list[Violation] = []
    for field in contract.sent:
        found.extend(_check(field, record))
    return found


def _check(field: Field, record: dict[str, Any]) -> Iterator[Violation]:
    value = record.get(field.source_name)
    if value is None:
        if field.required:
            yield Violation(field.name, "missing", f"{field.name} is required and is not there.")
        return
    wrong = _type_violation(field, value)
    if wrong:
        yield wrong
        return
    text = str(value)
    if "\0" in text:
        why = "holds the character U+0000, which not every store can keep"
        yield Violation(field.name, "null_character", f"{_show(value)} {why}.")
        return
    if field.enum and text not in field.enum:
        allowed = ", ".join(field.enum)
        yield Violation(field.name, "not_allowed", f"{_show(value)} is not one of {allowed}.")
    if field.most_characters is not None and len(text) > field.most_characters:
        long = f"has {len(text):,} characters, and {field.most_characters:,} at most are allowed"
        yield Violation(field.name, "too_long", f"{_show(value)} {long}.")
    if field.pattern and not _matches(field.pattern, text):
        yield Violation(field.name, "pattern", f"{_show(value)} has not the form {field.pattern}.")
    if field.minimum is not None and _number(field, text) < _number(field, str(field.minimum)):
        yield Violation(field.name, "below_minimum", f"{_show(value)} is below {field.minimum}.")
    if field.maximum is not None and _number(field, text) > _number(field, str(field.maximum)):
        yield Violation(field.name, "above_maximum", f"{_show(value)} is above {field.maximum}.")


def _number(field: Field, text: str) -> float | Decimal:
    """A number as its column holds it: of a double the nearest one, else exactly."""
    return float(text) if field.physical_type == "double" else Decimal(text)


def _matches(pattern: str, text: str) -> bool:
    r"""Whether a pattern of a contract is found in a text, in RE2's sense as for whole columns.

    Python's `$` lets a line feed pass at the end, and its `\s` and `\d` know more characters; on
    printable ASCII the two agree, and Python's is much the faster for a single text.
    """
    if text.isascii() and text.isprintable():
        return re.search(pattern, text) is not None
    return bool(pc.match_substring_regex(pa.scalar(text, pa.string()), pattern).as_py())


def _type_violation(field: Field, value: Any) -> Violation | None:
    """The violation of the field's type, if any."""
    kind = field.physical_type
    if field.places is not None:
        if _is_written(value, text_form(field), is_text=field.is_text):
            return None
        quoted = ", in double quotes" if field.is_text else ""
        return Violation(
            field.name,
            "money_malformed",
            f"{_show(value)} is not an exact amount with at most {field.places} decimals{quoted}.",
        )
    if _has_type(field, value):
        return None
    wrong = f"is not {_in_words(field)}"
    if kind == "bigint" and _is_written(value, _JSON_INTEGER, is_text=False) and not field.is_text:
        wrong = "is a whole number of more than 64 bits"
    return Violation(field.name, "wrong_type", f"{_show(value)} {wrong}.")


def _has_type(field: Field, value: Any) -> bool:
    match field.physical_type:
        case "string":
            return isinstance(value, str) and not isinstance(value, NumberText)
        case "boolean":
            return isinstance(value, bool)
        case "bigint":
            return _is_integer(field, value)
        case "double":
            return isinstance(value, NumberText) and math.isfinite(float(value))
        case _:
            return _is_moment(field, value)


def _in_words(field: Field) -> str:
    """What a value of the field is to a person."""
    if field.has_offset:
        return _OFFSET_IN_WORDS
    return _TEXT_INTEGER_IN_WORDS if field.is_text else _IN_WORDS[field.physical_type]


def _is_written(value: Any, form: str | None, *, is_text: bool) -> bool:
    """Whether a value is a text, or else a number, of a form."""
    if not isinstance(value, str) or isinstance(value, NumberText) is is_text:
        return False
    return re.fullmatch(form or "", value) is not None


def _is_integer(field: Field, value: Any) -> bool:
    form = INTEGER if field.is_text else _JSON_INTEGER
    return (
        _is_written(value, form, is_text=field.is_text)
        and len(value) < 25  # int() of a longer text costs, and no 64-bit integer is longer
        and int(value) in _INT64
    )


def _is_moment(field: Field, value: Any) -> bool:
    if not _is_written(value, text_form(field), is_text=True):
        return False
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _show(value: Any) -> str:
    text = value if isinstance(value, NumberText) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
