"""Contracts read from Open Data Contract Standard files: what one dataset promises.

Source: https://bitol-io.github.io/open-data-contract-standard/ (parsed by its own library). Of the
standard's many keys these are used: name, physicalName (the field in the source's JSON),
physicalType, required, primaryKey, enum, logicalTypeOptions (minimum, maximum, pattern),
classification, and the custom properties `known_at`, `money`, `books` and `enum`.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

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


@dataclass(frozen=True, slots=True)
class Field:
    """One promised field.

    Attributes:
        name: our column.
        source_name: the key in the source's JSON.
        physical_type: string, bigint, boolean, double, timestamp or decimal(p,s).
        required: whether a record without it is rejected.
        enum: the values allowed, as text; empty for any.
        known_values: of a field marked `enum: open`, the values that are known, as text; another
            value is accepted and reported. Empty for a field without such values.
        known_at: `decision` or `outcome`: whether a model may look at it.
        money_currency: for money, the field that holds its currency.
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
    money_currency: str | None = None

    @property
    def places(self) -> int | None:
        """Decimal places of a decimal, or None for another type."""
        match = _DECIMAL.fullmatch(self.physical_type)
        return int(match.group(2)) if match else None

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the column."""
        match = _DECIMAL.fullmatch(self.physical_type)
        if match:
            return pa.decimal128(int(match.group(1)), int(match.group(2)))
        return _ARROW_TYPES[self.physical_type]


@dataclass(frozen=True)
class Contract:
    """The promised shape of one dataset.

    Attributes:
        id: `<domain>.<dataset>`.
        key: fields of the natural key in order; of a timestamp only the date is part of the key.
        amount, currency: the fields the books are kept in.
        digest: SHA-256 of the file: part of the code a step depends on.
    """

    id: str
    version: str
    domain: str
    fields: tuple[Field, ...]
    key: tuple[Field, ...]
    amount: Field
    currency: Field
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
        books = {_custom(p, "books"): f for p, f in pairs}
        if not keyed or "amount" not in books or "currency" not in books:
            raise ContractError(
                f"{path} names no primary key, or no fields for the books: mark one field "
                "with `books: amount` and one with `books: currency`."
            )
        for field in (*(f for _, f in keyed), books["amount"], books["currency"]):
            if not field.required:
                raise ContractError(
                    f"{path}: the books need {field.name} of every record: mark it `required`."
                )
        if books["amount"].places is None:
            raise ContractError(
                f"{path}: the books' amount is {books['amount'].physical_type}: make it a decimal."
            )
        return cls(
            id=str(document.id),
            version=str(document.version),
            domain=str(document.domain),
            fields=fields,
            key=tuple(f for _, f in keyed),
            amount=books["amount"],
            currency=books["currency"],
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )

    @cached_property
    def by_source_name(self) -> dict[str, Field]:
        """Fields by their key in the source's JSON."""
        return {f.source_name: f for f in self.fields}

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """The columns of the dataset, named and typed as we keep them."""
        return pa.schema([pa.field(f.name, f.arrow_type) for f in self.fields])

    @cached_property
    def json_schema(self) -> pa.Schema:
        """The columns under the source's names, as Arrow's JSON reader can fill them.

        It reads a date from a number only, but a timestamp from a date's text.
        """
        types = (
            pa.timestamp("us") if f.physical_type == "date" else f.arrow_type for f in self.fields
        )
        return pa.schema(zip((f.source_name for f in self.fields), types, strict=True))


def _read(path: Path) -> tuple[str, Any]:
    """A contract file's text, and the document in it."""
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    try:
        text = path.read_text(encoding="utf-8")
        return text, OpenDataContractStandard.from_string(text)
    except OSError as error:
        raise ContractError(f"{path} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ContractError(f"{path} is not a data contract: {place}: {first['msg']}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise ContractError(f"{path} is not a YAML file with a data contract in it.") from error


def _custom(prop: Any, name: str) -> str | None:
    for custom in prop.customProperties or []:
        if custom.property == name:
            return str(custom.value)
    return None


def _field(prop: Any) -> Field:
    physical_type = str(prop.physicalType)
    if physical_type not in _ARROW_TYPES and not _DECIMAL.fullmatch(physical_type):
        raise ContractError(f"Field {prop.name}: the physical type {physical_type} is not known.")
    options = prop.logicalTypeOptions or {}
    values = tuple(str(e.value) for e in prop.enum or [])
    openness = _custom(prop, "enum")
    if openness not in (None, "open") or (openness and not values):
        raise ContractError(
            f"Field {prop.name}: `enum: {openness}` is not understood: list the known values under "
            "`enum`, and mark it `open` if others are accepted."
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
        money_currency=_custom(prop, "money"),
    )
