"""A file that is exported gives back the rows that it was made of, to the last digit."""

import datetime as dt
import json
from decimal import Decimal

import pyarrow as pa
import pytest

from clearhouse.core.errors import StoreError
from clearhouse.pipeline.export_files import Form, from_bytes, prepared, to_bytes

DAY = dt.date(2024, 3, 31)
SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("amount", pa.decimal128(38, 3)),
        ("at", pa.timestamp("us")),
        ("at_utc", pa.timestamp("us", "UTC")),
        ("on", pa.date32()),
        ("share", pa.float64()),
        ("count", pa.int64()),
        ("is_new", pa.bool_()),
        ("_source", pa.string()),
        ("_book_date", pa.date32()),
    ]
)
AT = dt.datetime(2024, 3, 31, 1, 30, 0, 123_456, dt.UTC)
ROWS = pa.Table.from_pylist(
    [
        {
            "text": 'a "quoted"\\ text,\n of two lines\t\x01 – é\u2028😀',
            "amount": Decimal("-12345678901234567890123456789012345.600"),
            "at": AT.replace(tzinfo=None),
            "at_utc": AT,
            "on": dt.date(1970, 1, 1),
            "share": 0.1 + 0.2,
            "count": -(2**63),
            "is_new": False,
            "_source": "till",
            "_book_date": DAY,
        },
        {
            "text": "",
            "amount": Decimal("0.000"),
            "share": 1e-7,
            "_source": "till",
            "_book_date": DAY,
        },
        {"_source": "till", "_book_date": DAY},
    ],
    schema=SCHEMA,
)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("rows", [ROWS, ROWS.slice(1, 1), ROWS.slice(0, 0)])
def test_rows_come_back_as_they_were(form: Form, rows: pa.Table) -> None:
    data = to_bytes(prepared(rows, form), form)
    assert data == to_bytes(prepared(rows, form), form)
    assert from_bytes(data, form, SCHEMA, "a file").equals(rows)


def test_a_line_is_an_object_with_all_columns_and_every_digit() -> None:
    data = to_bytes(prepared(ROWS, Form.RAW), Form.RAW).decode()
    first, *_, last = data.removesuffix("\n").split("\n")
    assert '"amount":-12345678901234567890123456789012345.600,' in first
    assert json.loads(first)["at"] == "2024-03-31 01:30:00.123456"
    assert json.loads(last) == {
        **dict.fromkeys(SCHEMA.names), "_source": "till", "_book_date": "2024-03-31"
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", [b"<html>\n", b'{"text": "x", "more": 1}\n', b'{"amount": "much"}\n', b'{"text": "x\n']
)
def test_a_file_of_other_lines_is_named(line: bytes) -> None:
    with pytest.raises(StoreError, match=r"The export raw/till/a\.json can't be read"):
        from_bytes(line, Form.RAW, SCHEMA, "raw/till/a.json")
