"""Derived tables mended publication by publication hold what they hold when built from nothing.

Random gold entries: versions of a record on one day or several, the same bytes again, days
withdrawn, days that go back to an earlier entry, and corrections that move a purchase to another
customer.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pytest
from bnpl_warehouse import Warehouse, purchase
from hypothesis import given
from hypothesis import strategies as st
from mended_models import BUILDS, DAYS, Models, Publication, entry_of, few_examples, publications

IN_ORDER = (
    "int_bnpl_touched_keys",
    "int_bnpl_published",
    "int_bnpl_hidden_records",
    "int_bnpl_touched_customers",
    "int_bnpl_touched_transactions",
    "int_bnpl_customer_profiles",
    "mart_bnpl_customers",
    "int_bnpl_customer_history_features",
)

Version = tuple[int, str, str, int]
Entries = Mapping[tuple[dt.date, str], Mapping[int, Version]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    warehouse = Warehouse(tmp_path_factory.mktemp("mended"))
    warehouse.set_bronze([purchase("txn_1", "2024-03-01")])
    warehouse.build("2024-03-01")
    warehouse.publish("2024-03-01")
    yield Models.of(warehouse, IN_ORDER)
    warehouse.engine.close()


versions: st.SearchStrategy[Version] = st.tuples(
    st.integers(1, 3),  # amount
    st.sampled_from("xy"),  # customer
    st.sampled_from("pq"),  # device and category
    st.integers(0, 3),  # days after the first moment
)
entries: st.SearchStrategy[Entries] = st.fixed_dictionaries(
    {
        (day, build): st.dictionaries(st.integers(1, 4), versions, max_size=3)
        for day in DAYS
        for build in BUILDS
    }
)


@few_examples(12)
@given(entries=entries, history=publications)
def test_what_is_mended_is_what_is_built_from_nothing(
    models: Models, entries: Entries, history: list[Publication]
) -> None:
    models.mends(gold_rows(models, entries), history)


def gold_rows(models: Models, entries: Entries) -> pa.Table:
    """Rows of the fact: a real one, with what tells purchases and versions apart put in."""
    told = [
        {
            "record_id": hashlib.md5(f"{key}{version}".encode()).hexdigest(),
            "record_key": f"key-{key}",
            "book_date": day,
            "entry_id": entry_of(day, build),
            "amount": amount,
            "customer": customer,
            "device": device,
            "days_after": days_after,
        }
        for (day, build), versions in entries.items()
        for key, version in versions.items()
        for amount, customer, device, days_after in [version]
    ]
    columns = ("record_id", "record_key", "customer", "device", "entry_id")
    schema = pa.schema(
        [(name, pa.string()) for name in columns]
        + [("book_date", pa.date32()), ("amount", pa.int64()), ("days_after", pa.int64())]
    )
    models.tell(told, schema)
    return models.warehouse.engine.query(
        """SELECT t.* REPLACE (
            told.record_id AS _record_id, told.record_key AS _record_key,
            told.record_key AS transaction_id, told.book_date AS _book_date,
            told.entry_id AS _entry_id, told.amount::DECIMAL(15, 2) AS amount,
            told.customer AS customer_id, told.device AS device_id,
            told.device AS product_category,
            t.transaction_timestamp + to_hours(24 * told.days_after) AS transaction_timestamp)
        FROM scratch.template t, scratch.told"""
    )
