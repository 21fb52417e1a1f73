"""Contracts read from Open Data Contract Standard files: what one dataset promises.

Source: https://bitol-io.github.io/open-data-contract-standard/ (parsed by its own library). Of the
standard's many keys these are used: name, physicalName (the field in the source's JSON),
physicalType, required, primaryKey, enum, logicalTypeOptions (minimum, maximum, pattern), and the
custom properties of

- a field: `known_at`; `enum` (open: other values are accepted and reported); `books` (amount or
  currency); `form` (number or text for a decimal or bigint, naive or offset for a timestamp);
  `constant`, for a books' currency that no record states; `identity`, where a correction never
  changes the field;
- the table: `format` (ndjson, json_rows or csv) and `rows_under`, the key of an answer's rows.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from clearhouse.core.errors import ContractError
from clearhouse.core.money import iso_exponents

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
}


_FORMS = {"timestamp": ("naive", "offset"), "bigint": ("number", "text")}
_DECIMAL_FORMS = ("number", "text")
_KEY_TYPES = ("string", "bigint", "timestamp", "date")


class PayloadFormat(StrEnum):
    """How the rows of a payload stand in it.

    NDJSON: one JSON object a line. JSON_ROWS: a JSON object with an array of rows under a key.
    CSV: a line of column names, then one record a row, as RFC 4180 writes them.
    """

    NDJSON = "ndjson"
    JSON_ROWS = "json_rows"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Field:
    """One promised field.

    Attributes:
        name: our column.
        source_name: the key in the source's JSON.
        physical_type: string, bigint, boolean, double, timestamp, date or decimal(p,s).
        required: whether a record without it is rejected.
        enum: the values allowed, as text; empty for any.
        known_values: of a field marked `enum: open`, the values that are known, as text; another
            value is accepted and reported. Empty for a field without such values.
        known_at: `decision` or `outcome`: whether a model may look at it.
        form: `text` for a number that stands in quotes; `offset` for a timestamp that ends with Z
            or an offset, whose column is in UTC. None for the usual form of the type.
        constant: its value in every record, where the source's records do not hold it.
        is_identity: a correction never changes it: two records of one key that differ in it are
            two records, which the key can't tell apart.
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
    def has_offset(self) -> bool:
        """Whether it is a timestamp with Z or an offset."""
        return self.form == "offset"

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the column."""
        match = _DECIMAL.fullmatch(self.physical_type)
        if match:
            return pa.decimal128(int(match.group(1)), int(match.group(2)))
        return pa.timestamp("us", "UTC") if self.has_offset else _ARROW_TYPES[self.physical_type]

    @property
    def json_type(self) -> pa.DataType:
        """The type as which Arrow's JSON reader can read it.

        It reads a date from a number only, but a timestamp from a date's text. What it would take
        for a whole number or shift to UTC in silence is read as text, and cast.
        """
        if self.has_offset or (self.is_text and self.places is None):
            return pa.string()
        return pa.timestamp("us") if self.physical_type == "date" else self.arrow_type


@dataclass(frozen=True)
class Contract:
    """The promised shape of one dataset.

    Attributes:
        id: `<domain>.<dataset>`.
        key: fields of the natural key in order; of a timestamp only the date, as it is written, is
            part of the key.
        amount, currency: the fields the books are kept in. The currency can be a constant.
        payload_format, rows_under: how the rows stand in the source's answers.
        digest: SHA-256 of the file: part of the code a step depends on.
    """

    id: str
    version: str
    domain: str
    fields: tuple[Field, ...]
    key: tuple[Field, ...]
    amount: Field
    currency: Field
    payload_format: PayloadFormat
    rows_under: str
    digest: str

    @classmethod
    def load(cls, path: Path) -> "Contract":
        """The contract in a file.

        Raises:
            ContractError: the file is missing, not ODCS, or lacks what the books need.
        """
        text, document = _read(path)
        tables = document.schema_ or []
        if len(tables) != 1:
            raise ContractError(f"{path} has {len(tables)} tables in its schema: give it one.")
        properties = tables[0].properties or []
        fields = tuple(_field(p) for p in properties)
        pairs = list(zip(properties, fields, strict=True))
        keyed = [p for p in pairs if p[0].primaryKey]
        keyed.sort(key=lambda pair: pair[0].primaryKeyPosition or 0)
        key = tuple(f for _, f in keyed)
        books = {_custom(p, "books"): f for p, f in pairs}
        _check_books(path, key, books)
        _check_constants(path, fields, books["currency"])
        payload_format, rows_under = _payload(path, tables[0])
        return cls(
            id=str(document.id),
            version=str(document.version),
            domain=str(document.domain),
            fields=fields,
            key=key,
            amount=books["amount"],
            currency=books["currency"],
            payload_format=payload_format,
            rows_under=rows_under,
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )

    @cached_property
    def sent(self) -> tuple[Field, ...]:
        """The fields that the source's records hold: all but constants."""
        return tuple(f for f in self.fields if f.constant is None)

    @cached_property
    def by_source_name(self) -> dict[str, Field]:
        """Fields by their key in the source's JSON."""
        return {f.source_name: f for f in self.sent}

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """The columns of the dataset, named and typed as we keep them."""
        return pa.schema([pa.field(f.name, f.arrow_type) for f in self.fields])

    @cached_property
    def json_schema(self) -> pa.Schema:
        """The columns under the source's names, as Arrow's JSON reader can fill them."""
        return pa.schema([(f.source_name, f.json_type) for f in self.sent])


def _read(path: Path) -> tuple[str, Any]:
    """A contract file's text, and the document in it."""
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    try:
        text = path.read_text(encoding="utf-8")
        # By libyaml: every command reads the contracts, and the loader in Python takes ten times.
        return text, OpenDataContractStandard(**yaml.load(text, yaml.CSafeLoader))
    except OSError as error:
        raise ContractError(f"{path} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ContractError(f"{path} is not a data contract: {place}: {first['msg']}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ContractError(f"{path} is not a YAML file with a data contract in it.") from error


def _check_books(path: Path, key: tuple[Field, ...], books: dict[str | None, Field]) -> None:
    """See that the fields that the books are kept in can be read of every record.

    Raises:
        ContractError: one of them can't.
    """
    if not key or "amount" not in books or "currency" not in books:
        raise ContractError(
            f"{path} names no primary key, or no fields for the books: mark one field "
            "with `books: amount` and one with `books: currency`."
        )
    amount, currency = books["amount"], books["currency"]
    for field in (*key, amount, currency):
        if not field.required:
            raise ContractError(
                f"{path}: the books need {field.name} of every record: mark it `required`."
            )
    for field in key:
        if field.physical_type not in _KEY_TYPES or field.constant is not None:
            raise ContractError(
                f"{path}: {field.name} can't be part of the key: use fields of the record that "
                f"are {', '.join(_KEY_TYPES)}."
            )
    if amount.places is None:
        raise ContractError(
            f"{path}: the books' amount is {amount.physical_type}: make it a decimal."
        )


def _check_constants(path: Path, fields: tuple[Field, ...], currency: Field) -> None:
    for field in fields:
        if field.constant is None:
            continue
        if field is not currency or field.constant not in iso_exponents():
            raise ContractError(
                f"{path}: the constant of {field.name} can't be used: only the books' currency can "
                "be a constant, an ISO 4217 code."
            )


def _payload(path: Path, table: Any) -> tuple[PayloadFormat, str]:
    """How rows stand in the source's answers, and the key that they stand under."""
    named = _custom(table, "format") or PayloadFormat.NDJSON
    rows_under = _custom(table, "rows_under") or ""
    if named not in list(PayloadFormat) or (named == PayloadFormat.JSON_ROWS) != bool(rows_under):
        raise ContractError(
            f"{path}: set `format` to one of {', '.join(PayloadFormat)}, with `rows_under` for "
            "json_rows only."
        )
    return PayloadFormat(named), rows_under


def _custom(prop: Any, name: str) -> str | None:
    for custom in prop.customProperties or []:
        if custom.property == name:
            return str(custom.value)
    return None


def _field(prop: Any) -> Field:
    physical_type = str(prop.physicalType)
    if physical_type not in _ARROW_TYPES and not _DECIMAL.fullmatch(physical_type):
        raise ContractError(f"Field {prop.name}: the physical type {physical_type} is not known.")
    forms = _FORMS.get(physical_type, _DECIMAL_FORMS if _DECIMAL.fullmatch(physical_type) else ())
    form = _custom(prop, "form")
    if form is not None and form not in forms:
        raise ContractError(
            f"Field {prop.name}: the form {form} is not one of a {physical_type}'s "
            f"({', '.join(forms) or 'it has none'})."
        )
    options = prop.logicalTypeOptions or {}
    values = tuple(str(e.value) for e in prop.enum or [])
    openness = _custom(prop, "enum")
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
        known_at=_custom(prop, "known_at") or "decision",
        form=form if form in ("text", "offset") else None,
        constant=_custom(prop, "constant"),
        is_identity=_custom(prop, "identity") == "True",
    )
