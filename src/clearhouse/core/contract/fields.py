"""The fields of a contract, as an Open Data Contract Standard file promises them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pyarrow as pa

from clearhouse.core.errors import ContractError

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
}


_FORMS = {"timestamp": ("naive", "offset"), "bigint": ("number", "text", "minor")}
_DECIMAL_FORMS = ("number", "text")

Names = tuple[tuple[str, str], ...]
"""Something's name by source, in order of source."""


@dataclass(frozen=True, slots=True)
class Field:
    """One promised field.

    Attributes:
        name: our column.
        source_name: the key in the source's JSON; "" where the source does not send the field.
        physical_type: string, bigint, boolean, double, timestamp, date or decimal(p,s).
        required: whether a record without it is rejected.
        enum: the values allowed, as text; empty for any.
        known_values: of a field marked `enum: open`, the values that are known, as text; another
            value is accepted and reported. Empty for a field without such values.
        known_at: `decision` or `outcome`: whether a model may look at it.
        form: `text` for a number that stands in quotes; `offset` for a timestamp that ends with Z
            or an offset, whose column is in UTC; `minor` for a whole number that counts minor units
            of the books' currency. None for the usual form of the type.
        constant: its value in every record, where the source's records do not hold it.
        is_identity: a correction never changes it: two records of one key that differ in it are
            two records, which the key can't tell apart.
        sources: its `source_name` by source, where sources name it differently; another source
            does not send it. Empty where all sources name it alike.
        is_source: its value is the source's own name, which no record holds.
        most_characters: how many a text may have; None for any number. What a server has an index
            of must be bounded: one text that fits into none would stop all days.
    """

    name: str
    source_name: str
    physical_type: str
    required: bool
    enum: tuple[str, ...] = ()
    known_values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    known_at: str = "decision"
    form: str | None = None
    constant: str | None = None
    is_identity: bool = False
    sources: Names = field(default=(), repr=False)
    is_source: bool = False
    most_characters: int | None = field(default=None, repr=False)

    @property
    def places(self) -> int | None:
        """Decimal places of a decimal, or None for another type."""
        match = _DECIMAL.fullmatch(self.physical_type)
        return int(match.group(2)) if match else None

    @property
    def is_text(self) -> bool:
        """Whether it is a number that stands in quotes."""
        return self.form == "text"

    @property
    def is_minor(self) -> bool:
        """Whether it is a whole number of minor units of the books' currency."""
        return self.form == "minor"

    @property
    def has_offset(self) -> bool:
        """Whether it is a timestamp with Z or an offset."""
        return self.form == "offset"

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the column."""
        return pa.timestamp("us", "UTC") if self.has_offset else _arrow_type(self.physical_type)

    @property
    def json_type(self) -> pa.DataType:
        """The type as which Arrow's JSON reader can read it.

        It reads a date from a number only, but a timestamp from a date's text. What it would take
        for a whole number or shift to UTC in silence is read as text, and cast.
        """
        if self.has_offset or (self.is_text and self.places is None):
            return pa.string()
        return pa.timestamp("us") if self.physical_type == "date" else self.arrow_type


@cache
def _arrow_type(physical_type: str) -> pa.DataType:
    match = _DECIMAL.fullmatch(physical_type)
    if match:
        return pa.decimal128(int(match.group(1)), int(match.group(2)))
    return _ARROW_TYPES[physical_type]


def custom(prop: Any, name: str) -> str | None:
    """A custom property of a field or a table, as text."""
    value = _value(prop, name)
    return None if value is None else str(value)


def _value(prop: Any, name: str) -> Any:
    return next((c.value for c in prop.customProperties or [] if c.property == name), None)


def names_by_source(prop: Any, name: str) -> Names:
    """A custom property that is a mapping by source; empty where it is not one."""
    value = _value(prop, name)
    if not isinstance(value, Mapping):
        return ()
    # YAML takes a bare `no` for false: what is no text is no name.
    names = {str(s): named if isinstance(named, str) else "" for s, named in value.items()}
    return tuple(sorted(names.items()))


def field_of(prop: Any) -> Field:
    """The field that a property of an ODCS schema promises.

    Raises:
        ContractError: its type, form, enumeration or names are not understood.
    """
    physical_type = str(prop.physicalType)
    if physical_type not in _ARROW_TYPES and not _DECIMAL.fullmatch(physical_type):
        raise ContractError(f"Field {prop.name}: the physical type {physical_type} is not known.")
    forms = _FORMS.get(physical_type, _DECIMAL_FORMS if _DECIMAL.fullmatch(physical_type) else ())
    form = custom(prop, "form")
    if form is not None and form not in forms:
        raise ContractError(
            f"Field {prop.name}: the form {form} is not one of a {physical_type}'s "
            f"({', '.join(forms) or 'it has none'})."
        )
    options = prop.logicalTypeOptions or {}
    values = tuple(str(e.value) for e in prop.enum or [])
    openness = custom(prop, "enum")
    if openness not in (None, "open") or (openness and not values):
        raise ContractError(
            f"Field {prop.name}: `enum: {openness}` is not understood: list the known values under "
            "`enum`, and set it to `open` if others are accepted."
        )
    return Field(
        name=prop.name,
        source_name=prop.physicalName or prop.name,
        physical_type=physical_type,
        required=bool(prop.required),
        enum=() if openness else values,
        known_values=values if openness else (),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        pattern=options.get("pattern"),
        known_at=custom(prop, "known_at") or "decision",
        form=None if form in ("number", "naive") else form,
        constant=custom(prop, "constant"),
        is_identity=custom(prop, "identity") == "True",
        sources=_names(prop),
        is_source=custom(prop, "is_source") == "True",
        most_characters=options.get("maxLength"),
    )


def _names(prop: Any) -> Names:
    names = names_by_source(prop, "sources")
    if _value(prop, "sources") is not None and not (names and all(name for _, name in names)):
        raise ContractError(
            f"Field {prop.name}: `sources` is not understood: give the field's name in the JSON of "
            "each source that sends it."
        )
    return names
