"""The rows of a payload: their own bytes, and what the books and the contract read of them."""

import json
from decimal import Decimal
from hashlib import md5
from pathlib import Path

import pytest

from clearhouse.core.contract import (
    Contract,
    PayloadFormat,
    TypedRecords,
    read_payloads,
    read_records,
    row_texts,
    rows_of,
    type_records,
)
from clearhouse.core.contract.rows import landed_rows
from clearhouse.core.errors import SourceError

DATA = Path(__file__).parent / "data"
RECORDED = Path(__file__).parents[2] / "data" / "retailers" / "retailer_1-2024-01-15.json"
SALES = """\
apiVersion: v3.1.0
kind: DataContract
id: test.sales
version: 1.0.0
status: active
domain: test
schema:
  - name: sales
    customProperties: FORMAT
    properties:
      - {name: id, physicalName: order_id, physicalType: string, required: true, primaryKey: true}
      - {name: quantity, physicalType: bigint, required: true}
      - name: total
        physicalType: decimal(15,2)
        required: true
        customProperties: [{property: books, value: amount}]
      - name: currency
        physicalType: string
        required: true
        customProperties: [{property: books, value: currency}, {property: constant, value: USD}]
      - {name: is_gift, physicalType: boolean}
      - {name: note, physicalType: string}
"""
UNDER_DATA = "[{property: format, value: json_rows}, {property: rows_under, value: data}]"


def contract(tmp_path: Path, format_: str) -> Contract:
    path = tmp_path / "sales.yaml"
    path.write_text(SALES.replace("FORMAT", format_))
    return Contract.load(path)


@pytest.fixture
def rows(tmp_path: Path) -> Contract:
    return contract(tmp_path, UNDER_DATA)


@pytest.fixture
def sheet(tmp_path: Path) -> Contract:
    return contract(tmp_path, "[{property: format, value: csv}]")


def told(found: TypedRecords) -> dict[int, list[str]]:
    return {r.line: [v.code for v in r.violations] for r in found.rejected}


def test_rows_of_a_recorded_answer_are_the_bytes_that_stand_in_it(rows: Contract) -> None:
    payload = RECORDED.read_bytes()
    texts = row_texts(payload, rows)
    written = json.loads(payload, parse_float=str)["data"]
    assert b'"data":[' + b",".join(texts) + b"]" in payload
    assert [json.loads(text, parse_float=str) for text in texts] == written

    found = type_records(payload, rows, "retailer_1")
    assert found.rejected == ()
    assert found.accepted["total"].to_pylist() == [Decimal(row["total"]) for row in written]
    first = found.reading.to_pylist()[0]
    own = b"retailer_1|" + first["_record_key"].encode() + b"|" + texts[0]
    assert first["_record_id"] == md5(own).hexdigest()
    assert (first["_record_key"], first["currency"]) == (written[0]["order_id"], "USD")


def test_a_row_over_several_lines_keeps_its_bytes(rows: Contract) -> None:
    row = b'{\r\n  "order_id": "a",\n\t"quantity": 1,\n  "total": 1.50,\n  "tags": [\n "x" ]\n}'
    payload = b'{"count": 2, "data": [ ' + row + b",\n 7 ]}\n"
    found = type_records(payload, rows, "till")
    (kept,) = found.accepted.to_pylist()
    assert (kept["id"], kept["total"], kept["extra"]) == ("a", Decimal("1.50"), '{"tags":["x"]}')
    assert kept["_record_id"] == md5(b"till|a|" + row).hexdigest()
    assert told(found) == {2: ["not_json"]}
    assert found.rejected[0].raw == b"7"


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_half_of_a_character_is_a_fault_of_its_row_alone(rows: Contract, end: bytes) -> None:
    names = [
        rb"\ud83d\ude00",
        rb"cut \ud83d",
        rb"\\ud83d",
        rb"\uDE00",
        rb"\ud83d\ud83d\ude00",
        b"a",
    ]
    texts = [
        b'{"order_id": "%d",%b "quantity": 1, "total": 1.50, "name": "%b"}' % (at, end, name)
        for at, name in enumerate(names)
    ]
    payload = rb'{"note": "\ud83d", "data": [' + b", ".join(texts) + b"]}"
    found = type_records(payload, rows, "till")
    assert row_texts(payload, rows) == texts
    assert told(found) == {at: ["not_json"] for at in (2, 4, 5)}
    assert found.accepted["id"].to_pylist() == ["0", "2", "5"]


def test_rows_over_several_lines_are_read_beside_rows_on_one(rows: Contract) -> None:
    payloads = [
        b'{"data": [{"order_id": "a", "quantity": 1, "total": 1.50}]}',
        b'{"data": [{\n"order_id": "a", "quantity": 1,\n"total": 1.50}]}',
    ]

    together = read_payloads(payloads, rows, "till")

    assert together == [read_records(payload, rows, "till") for payload in payloads]
    assert together[0]["_record_key"] == together[1]["_record_key"]


def test_an_answer_without_rows_has_none(rows: Contract) -> None:
    assert rows_of(b'{"data": []}', rows).lines == b""
    assert len(type_records(b'{"data": []}', rows, "till").reading) == 0


def test_rows_can_lie_deeper_in_an_answer(tmp_path: Path) -> None:
    deeper = contract(tmp_path, UNDER_DATA.replace("data}", "response.data}"))
    row = b'{ "order_id": "a", "quantity": 1, "total": 1.50 }'
    inner = b'{"total": "1", "data": [' + row + b"]}"
    payload = b'{"response": ' + inner + b', "data": [7], "apiVersion": "2.1"}'
    assert rows_of(payload, deeper).lines == row + b"\n"
    for bad in (
        inner,
        b'{"response": []}',
        b'{"response": {"data": {}}}',
        b'{"response": {"data": [1], "data": [2]}}',
        b'{"response": ' + inner + b', "response": ' + inner + b"}",
    ):
        with pytest.raises(SourceError, match=r"response\.data"):
            rows_of(bad, deeper)


NOT_ROWS = [
    b"",
    b"<html>",
    b'{"error":"Unauthorized"}\n',
    b'{"data": {"id": 1}}',
    b'[{"order_id": "a"}]',
    b'{"data": [{"order_id": "a"}',
    b'{"data": [{"order_id": "a"}], "data": [{"order_id": "b"}]}',
    b'{"data": [1], "d\\u0061ta": [1]}',
    b'{"data": [NaN]}',
]


def test_a_row_that_nests_without_end_is_no_answer_and_one_rejected_record(rows: Contract) -> None:
    payload = b'{"data": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}"
    with pytest.raises(SourceError, match="is not JSON"):
        rows_of(payload, rows)
    assert landed_rows(payload, rows).own == (payload,)


@pytest.mark.parametrize("payload", NOT_ROWS)
def test_an_answer_that_is_not_of_its_format_is_refused_with_what_it_says(
    rows: Contract, payload: bytes
) -> None:
    with pytest.raises(SourceError, match="The answer ") as refused:
        rows_of(payload, rows)
    assert repr(payload.decode()) in refused.value.message


@pytest.mark.parametrize("payload", NOT_ROWS)
def test_what_has_landed_broken_is_one_rejected_record_of_no_money(
    rows: Contract, payload: bytes
) -> None:
    found = type_records(payload, rows, "till")
    assert told(found) == {1: ["not_a_row"]}
    rejected = found.rejected[0]
    assert (rejected.raw, rejected.amount_minor, rejected.currency) == (payload, 0, "XXX")
    assert rejected.violations[0].detail.startswith("The answer ")


def test_a_payload_can_be_of_another_format_than_its_contracts(rows: Contract) -> None:
    mended = b'{"order_id": "a", "quantity": 1, "total": 1.50}\n'
    found = type_records(mended, rows, "till", kind=PayloadFormat.NDJSON)
    assert found.accepted["id"].to_pylist() == ["a"]


SHEET = """\
\ufefforder_id,quantity,total,is_gift,note,colour\r
a,1,1.50,true,"two
lines, ""quoted""\",red\r

b,1.5,1e2,yes,,\r
c,1,2.00
"d",-2,-0.5,,é,\
"""


def test_rows_of_a_sheet_are_read_by_its_header(sheet: Contract) -> None:
    found = type_records(SHEET.encode(), sheet, "till")
    first, last = found.accepted.drop_columns(["_record_id", "_record_key"]).to_pylist()
    assert first == {
        "id": "a", "quantity": 1, "total": Decimal("1.50"), "currency": "USD", "is_gift": True,
        "note": 'two\nlines, "quoted"', "extra": '{"colour":"red"}', "_line": 1,
    }  # fmt: skip
    assert (last["id"], last["quantity"], last["total"]) == ("d", -2, Decimal("-0.50"))
    assert (last["is_gift"], last["note"], last["extra"]) == (None, "é", None)
    assert told(found) == {2: ["wrong_type", "money_malformed", "wrong_type"], 3: ["not_a_row"]}
    assert found.rejected[1].violations[0].detail == (
        "The CSV row is broken: it has 3 cells and the header 6."
    )
    assert row_texts(SHEET.encode(), sheet) == [
        b'a,1,1.50,true,"two\nlines, ""quoted""",red',
        b"b,1.5,1e2,yes,,",
        b"c,1,2.00",
        '"d",-2,-0.5,,é,'.encode(),
    ]
    assert [r["_record_id"] for r in found.reading.to_pylist()][3] == (
        md5(b"till|d|" + '"d",-2,-0.5,,é,'.encode()).hexdigest()
    )


def test_a_row_of_a_sheet_that_is_broken_does_not_take_the_others_with_it(sheet: Contract) -> None:
    payload = b'order_id,quantity,total\na,1,1.50\n"b"x,1,1\nc\xff,1,1\nd,1,1\n'
    found = type_records(payload, sheet, "till")
    assert found.accepted["id"].to_pylist() == ["a", "d"]
    assert told(found) == {2: ["not_a_row"], 3: ["not_json"]}
    assert found.rejected[1].raw == b"c\xff,1,1"


@pytest.mark.parametrize(
    ("payload", "how"),
    [
        (b"", "does not begin with a line of different column names"),
        (b"order_id,total,total\n", "does not begin with a line of different column names"),
        (b'order_id,total\na,"1.50', "ends inside a quoted cell"),
    ],
)
def test_what_is_no_sheet_is_refused(sheet: Contract, payload: bytes, how: str) -> None:
    with pytest.raises(SourceError, match=how):
        rows_of(payload, sheet)
