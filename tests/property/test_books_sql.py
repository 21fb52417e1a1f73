"""What the books compute in SQL is what their definitions in Python say."""

import datetime as dt

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from clearhouse.books.measure import SPINE_SCHEMA, record_hash, totals_of
from clearhouse.books.model import Totals
from clearhouse.core.columnar import DIALECT, query
from clearhouse.core.money import exponents, minor_from_text, text_from_minor

often = settings(max_examples=150)
int64 = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
days = st.dates(dt.date(2024, 3, 1), dt.date(2024, 3, 3))


@often
@given(st.lists(st.tuples(days, texts, int64, st.sampled_from(["USD", "JPY", "XXX"]))))
def test_totals_are_the_sums_of_the_records(rows: list[tuple[dt.date, str, int, str]]) -> None:
    expected: dict[dt.date, Totals] = {}
    for day, record_id, minor, currency in rows:
        one = {"records": 1, "hash": record_hash(record_id, minor, currency)}
        record = Totals({**one, f"minor:{currency}": minor})
        expected[day] = expected.get(day, Totals()) + record
    names = ("_book_date", "_record_id", "amount_minor", "currency")
    table = pa.Table.from_pylist(
        [{"_record_key": "", **dict(zip(names, row, strict=True))} for row in rows], SPINE_SCHEMA
    )
    assert totals_of(table) == expected


@often
@given(
    st.lists(
        st.tuples(st.integers(-(10**13) + 1, 10**13 - 1), st.sampled_from(sorted(exponents()))),
        min_size=1,
    )
)
def test_minor_units_of_a_decimal_column_are_those_of_its_text(rows: list[tuple[int, str]]) -> None:
    texts_of_rows = [text_from_minor(minor, currency) for minor, currency in rows]
    table = pa.table({"t": texts_of_rows, "currency": [currency for _, currency in rows]})
    answer = query(
        f"SELECT {DIALECT.minor_units('amount', 'currency')} AS minor"
        " FROM (SELECT t::DECIMAL(17, 4) AS amount, currency FROM r)",
        r=table,
    )
    read = [
        minor_from_text(t, currency) for t, (_, currency) in zip(texts_of_rows, rows, strict=True)
    ]
    assert answer["minor"].to_pylist() == read == [minor for minor, _ in rows]
