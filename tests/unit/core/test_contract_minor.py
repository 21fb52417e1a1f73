"""Amounts in minor units: what the books read of a line, and what typed columns say of it."""

import json
from typing import Any

import duckdb
import pytest
from payment_lives import an_event
from payment_sql import contract

from clearhouse.core.columnar import DIALECT
from clearhouse.core.contract import type_records
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.core.contract.reading import read_line, read_records
from clearhouse.payments.event import EventType, encode_event

LINE = encode_event(an_event(EventType.CAPTURED, number=1))


def _line(**changes: Any) -> bytes:
    return json.dumps({**json.loads(LINE), **changes}).encode()


CASES = [
    (_line(), (1000, "USD"), True),
    (_line(amount_minor=-5), (-5, "USD"), True),
    (_line(amount_minor=0), (0, "USD"), True),
    (_line(amount_minor=7, currency="JPY"), (7, "JPY"), True),
    (_line(amount_minor=None, currency=None), (0, "XXX"), True),
    (_line(amount_minor=None), (0, "XXX"), True),
    (_line(currency=None), (0, "XXX"), False),
    (_line(currency="ZZZ"), (0, "XXX"), False),
    (_line(amount_minor=10.5), (0, "XXX"), False),
    (_line(amount_minor="1000"), (0, "XXX"), False),
    (_line(amount_minor=10**15), (0, "XXX"), False),
]


@pytest.mark.parametrize(("line", "read", "is_accepted"), CASES)
def test_a_line_counts_as_its_minor_units_or_as_nothing(
    line: bytes, read: tuple[int, str], is_accepted: bool
) -> None:
    one = read_line(line, contract(), "payments_store")
    (row,) = read_records(line, contract(), "payments_store").to_pylist()
    typed = type_records(line, contract(), "payments_store")

    assert (one["amount_minor"], one["currency"]) == read
    assert (row["amount_minor"], row["currency"]) == read
    assert len(typed.accepted) == is_accepted
    assert len(typed.rejected) == (not is_accepted)


def test_typed_columns_count_as_their_lines_do() -> None:
    lines = [line for line, _, is_accepted in CASES if is_accepted]
    rows = type_records(b"\n".join(lines), contract(), "payments_store").accepted
    minor, currency = amount_sql(contract(), DIALECT, "r.")

    found = duckdb.sql(f"SELECT {minor}, {currency} FROM rows r ORDER BY _line").fetchall()

    assert rows.num_rows == len(found)
    assert found == [read for _, read, is_accepted in CASES if is_accepted]
