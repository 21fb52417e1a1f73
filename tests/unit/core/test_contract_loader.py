from pathlib import Path

import pyarrow as pa
import pytest

from clearhouse.core.contract import Contract
from clearhouse.core.errors import ContractError

WIDE = Path(__file__).parent / "data" / "wide.yaml"


def test_a_contract_is_read_from_its_file() -> None:
    contract = Contract.load(WIDE)
    assert (contract.id, contract.version, contract.domain) == ("test.wide", "1.0.0", "test")
    assert [f.name for f in contract.key] == ["at", "id"]
    assert (contract.amount.name, contract.currency.name) == ("amount", "currency")
    at, level, count, due = (contract.by_source_name[n] for n in ("_at", "level", "count", "due"))
    assert (at.name, at.known_at, due.known_at) == ("at", "decision", "outcome")
    assert level.enum == ("4", "6")
    assert (count.minimum, count.maximum, count.required) == (0, 100, True)
    assert contract.by_source_name["code"].pattern == "^[A-Z]{2}$"
    note = contract.by_source_name["note"]
    assert (note.enum, note.known_values) == ((), ("a",))


def test_columns_are_typed_by_the_contract_under_our_names_or_the_sources() -> None:
    contract = Contract.load(WIDE)
    types = {
        "at": pa.timestamp("us"),
        "id": pa.string(),
        "amount": pa.decimal128(15, 2),
        "count": pa.int64(),
        "score": pa.float64(),
        "flag": pa.bool_(),
        "fee": pa.decimal128(17, 4),
        "due": pa.date32(),
    }
    assert {name: contract.arrow_schema.field(name).type for name in types} == types
    assert contract.json_schema.names[0] == "_at"
    assert contract.json_schema.field("amount").type == pa.decimal128(15, 2)
    assert [f.places for f in (contract.amount, contract.currency)] == [2, None]


def test_another_text_is_another_digest(tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_text(WIDE.read_text())
    assert Contract.load(copy) == Contract.load(WIDE)
    copy.write_text(WIDE.read_text() + "\n")
    assert Contract.load(copy).digest != Contract.load(WIDE).digest


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("physicalType: double, required", "physicalType: float, required", "type float is not"),
        ("enum, value: open", "enum, value: ajar", "`enum: ajar` is not understood"),
        ("        enum: [{value: a}]\n", "", "list the known values"),
        ("value: amount", "value: nothing", "mark one field with `books: amount`"),
        ("books, value: currency", "books, value: none", "one with `books: currency`"),
        ("primaryKey: true", "primaryKey: false", "names no primary key"),
        ("decimal(15,2)\n        required: true", "decimal(15,2)", "the books need amount"),
        ("_at, physicalType: timestamp, required: true", "_at, physicalType: timestamp", "need at"),
        ("decimal(15,2)", "double", "the books' amount is double: make it a decimal"),
        ("id, physicalType: string", "id, physicalType: boolean", "id can't be part of the key"),
        (
            "books, value: currency}",
            "books, value: currency}, {property: constant, value: XXX}",
            "the constant of currency can't be used",
        ),
        (
            "[{property: known_at, value: outcome}]",
            "[{property: constant, value: USD}]",
            "the constant of due can't be used",
        ),
        (
            "[{property: known_at, value: outcome}]",
            "[{property: form, value: offset}]",
            "the form offset is not one of a date's (it has none)",
        ),
        (
            "books, value: amount}",
            "books, value: amount}, {property: form, value: naive}",
            "not one of a decimal(15,2)'s (number, text)",
        ),
        (
            "  - name: wide",
            "  - name: wide\n    customProperties: [{property: format, value: xml}]",
            "set `format` to one of ndjson, json_rows, csv",
        ),
        (
            "  - name: wide",
            "  - name: wide\n    customProperties: [{property: format, value: json_rows}]",
            "with `rows_under`",
        ),
        (None, "{apiVersion: v3.1.0, kind: DataContract, id: x, version: 1.0.0}", "has 0 tables"),
        ("  - name: wide", "  - name: second\n  - name: wide", "has 2 tables"),
        ("required: true", "required: [1]", "is not a data contract: schema"),
        ("kind:", "kind: [", "is not a YAML file with a data contract"),
        (None, "only text", "is not a YAML file with a data contract"),
        (None, "", "is not a YAML file with a data contract"),
        (None, b"\xff", "is not a YAML file with a data contract"),
    ],
)
def test_a_file_that_is_no_contract_is_refused_in_one_sentence(
    tmp_path: Path, old: str | None, new: str | bytes, told: str
) -> None:
    path = tmp_path / "contract.yaml"
    content = WIDE.read_text().replace(old, str(new)) if old else new
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ContractError) as refused:
        Contract.load(path)
    assert told in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.code == "bad_contract"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(ContractError) as refused:
        Contract.load(path)
    assert refused.value.message == f"{path} can't be read: No such file or directory."
