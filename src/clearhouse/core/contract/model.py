"""Contracts read from Open Data Contract Standard files: what one dataset promises.

Source: https://bitol-io.github.io/open-data-contract-standard/ (parsed by its own library). Of the
standard's many keys these are used: name, physicalName (the field in the source's JSON),
physicalType, required, primaryKey, enum, logicalTypeOptions (minimum, maximum, pattern), and the
custom properties of

- a field: `known_at`; `enum` (open: other values are accepted and reported); `books` (amount or
  currency; a record may lack an amount in minor units that is not `required`: 0 of XXX); `form`
  (number or text for a decimal or bigint, minor for a bigint of the currency's minor units, naive
  or offset for a timestamp); `constant`, for a books' currency that no record states; `identity`,
  where a correction never changes the field; `sources`, the field's name in each source's JSON,
  where sources differ; `is_source`, for a field that is the source's own name, in keys where ids
  are a source's own;
- the table: `format` (ndjson, json_rows or csv); `rows_under`, the key of an answer's rows (with
  dots where they lie deeper, as in `response.data`), or that key by source; `repeats`, where a
  source can rightly repeat a line: true, or the field that such lines share, where they stand
  together in an answer.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from clearhouse.core.contract.fields import Field, Names, custom, field_of, names_by_source
from clearhouse.core.errors import ContractError
from clearhouse.core.money import exponents

_QUOTED_TYPES = ("string", "timestamp", "date")
_KEY_TYPES = ("string", "bigint", "timestamp", "date")


class PayloadFormat(StrEnum):
    """How the rows of a payload stand in it.

    NDJSON: one JSON object a line. JSON_ROWS: a JSON object with an array of rows under a key.
    CSV: a line of column names, then one record a row, as RFC 4180 writes them.
    """

    NDJSON = "ndjson"
    JSON_ROWS = "json_rows"
    CSV = "csv"


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
        rows_by_source: `rows_under` by source, where answers of sources differ.
        repeats: whether a source can rightly repeat a line: keys then end with an ordinal.
        together: the field that lines of one key share which rightly repeat: they follow each other
            in an answer, and what comes again later is a correction or a duplicate. None: lines are
            counted over the whole answer.
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
    rows_by_source: Names = ()
    repeats: bool = False
    together: Field | None = None

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
        fields = tuple(field_of(p) for p in properties)
        pairs = list(zip(properties, fields, strict=True))
        keyed = [p for p in pairs if p[0].primaryKey]
        keyed.sort(key=lambda pair: pair[0].primaryKeyPosition or 0)
        key = tuple(f for _, f in keyed)
        books = {custom(p, "books"): f for p, f in pairs}
        _check_books(path, key, books)
        _check_constants(path, fields, books["currency"])
        payload_format, rows_under, rows_by_source = _payload(path, tables[0])
        repeats = _repeats(path, tables[0], fields)
        contract = cls(
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
            rows_by_source=rows_by_source,
            repeats=repeats is not None,
            together={f.name: f for f in fields}.get(repeats or ""),
        )
        for source in contract.named_sources:
            contract.of(source)
        return contract

    @cached_property
    def named_sources(self) -> tuple[str, ...]:
        """The sources that the contract names the fields of; none where all name them alike."""
        named = (self.rows_by_source, *(f.sources for f in self.fields))
        return tuple(sorted({source for names in named for source, _ in names}))

    def of(self, source: str) -> "Contract":
        """The contract as a source states it: with its names, and the key of its rows.

        Columns are the same for all sources. A field that the source does not send is null.

        Raises:
            ContractError: it does not name a required field, or one name for two fields.
        """
        if not self.named_sources and not any(f.is_source for f in self.fields):
            return self
        if source not in self._by_source:
            self._by_source[source] = self._stated_by(source)
        return self._by_source[source]

    @cached_property
    def _by_source(self) -> dict[str, "Contract"]:
        return {}

    def _stated_by(self, source: str) -> "Contract":
        names = {f.name: dict(f.sources).get(source, "") for f in self.fields if f.sources}
        stated = {
            f.name: replace(
                f,
                source_name=names.get(f.name, f.source_name),
                sources=(),
                constant=source if f.is_source else f.constant,
                is_source=False,
            )
            for f in self.fields
        }
        contract = replace(
            self,
            fields=tuple(stated.values()),
            key=tuple(stated[f.name] for f in self.key),
            amount=stated[self.amount.name],
            currency=stated[self.currency.name],
            rows_under=dict(self.rows_by_source).get(source, self.rows_under),
            rows_by_source=(),
            together=self.together and stated[self.together.name],
        )
        _check_names(contract, source)
        return contract

    def without_ordinal(self, record_key: str) -> str:
        """The values of the key fields in a `_record_key`."""
        return record_key.rpartition("|")[0] if self.repeats else record_key

    def parts_after(self, name: str) -> int:
        """How many parts of a `_record_key` come after this field of the key, with the ordinal."""
        names = [field.name for field in self.key]
        after = names[names.index(name) + 1 :] if name in names else []
        return len(after) + self.repeats

    @cached_property
    def sent(self) -> tuple[Field, ...]:
        """The fields that the source's records hold: all but constants."""
        return tuple(f for f in self.fields if f.constant is None and f.source_name)

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
    for field in (*key,) if _may_lack_amounts(amount, currency) else (*key, amount, currency):
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
    if amount.places is None and not amount.is_minor:
        raise ContractError(
            f"{path}: the books' amount is {amount.physical_type}: make it a decimal, or a bigint "
            "of the form `minor`."
        )


def _may_lack_amounts(amount: Field, currency: Field) -> bool:
    """Whether a record without an amount, and then without a currency, keeps the contract."""
    both = amount.required or currency.required
    return amount.is_minor and currency.constant is None and not both


def _check_constants(path: Path, fields: tuple[Field, ...], currency: Field) -> None:
    for field in fields:
        if field.is_source and (field.physical_type != "string" or field.constant or field.sources):
            raise ContractError(
                f"{path}: {field.name} is the source's name: make it a string with no other value."
            )
        if field.constant is None:
            continue
        if field is not currency or field.constant not in exponents():
            raise ContractError(
                f"{path}: the constant of {field.name} can't be used: only the books' currency can "
                "be a constant: an ISO 4217 code, or a unit of prices."
            )


def _check_names(contract: Contract, source: str) -> None:
    """See that a source names what it must send, each thing by a name of its own.

    Raises:
        ContractError: it does not.
    """
    if contract.payload_format is PayloadFormat.JSON_ROWS and not contract.rows_under:
        raise ContractError(f"{contract.id}: `rows_under` names no key for {source}.")
    known: dict[str, str] = {}
    for each in contract.fields:
        if each.constant is not None:
            continue
        if not each.source_name and each.required:
            raise ContractError(
                f"{contract.id}: the required field {each.name} has no name for {source}."
            )
        if each.source_name and known.setdefault(each.source_name, each.name) != each.name:
            raise ContractError(
                f"{contract.id}: {known[each.source_name]} and {each.name} are both called "
                f"{each.source_name} by {source}."
            )


def _repeats(path: Path, table: Any, fields: tuple[Field, ...]) -> str | None:
    """The field that repeated lines share, "" for none, None where no line is repeated."""
    said = custom(table, "repeats") or "False"
    if said in ("True", "False"):
        return "" if said == "True" else None
    if not any(f.name == said and f.required and f.physical_type in _QUOTED_TYPES for f in fields):
        raise ContractError(
            f"{path}: `repeats: {said}` is not understood: set it to true, or to a required field "
            f"that is {' or '.join(_QUOTED_TYPES)}."
        )
    return said


def _payload(path: Path, table: Any) -> tuple[PayloadFormat, str, Names]:
    """How rows stand in the sources' answers, and the key that they stand under."""
    named = custom(table, "format") or PayloadFormat.NDJSON
    by_source = names_by_source(table, "rows_under")
    rows_under = "" if by_source else custom(table, "rows_under") or ""
    has_rows = bool(by_source or rows_under)
    if named not in list(PayloadFormat) or (named == PayloadFormat.JSON_ROWS) != has_rows:
        raise ContractError(
            f"{path}: set `format` to one of {', '.join(PayloadFormat)}, with `rows_under` for "
            "json_rows only."
        )
    return PayloadFormat(named), rows_under, by_source
