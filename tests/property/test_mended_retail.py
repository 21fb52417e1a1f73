"""Retail's summaries and dimensions: mended by publications they hold what is built from nothing.

Random gold entries over days of two months and three weeks: versions of a line on one day or
several, the same bytes again, days withdrawn, days that go back to an earlier entry, returns, and
corrections that move a line to another customer and store, another name, category and day of sale.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pytest
from domain_warehouse import DomainWarehouse
from hypothesis import example, given
from hypothesis import strategies as st
from mended_models import BUILDS, DAYS, Models, Publication, entry_of, few_examples, publications
from unit.retail.lines import line

from clearhouse.engines.dbt_runner import preload
from clearhouse.retail.domain import RETAIL, SALES

IN_ORDER = (
    "int_retail_touched_keys",
    "int_retail_published",
    "int_retail_hidden_records",
    "int_retail_touched_combinations",
    *(
        f"int_retail_touched_{each}s"
        for each in (
            *("customer", "day", "product", "retailer", "store"),
            *("week", "month", "quarter", "sale"),
        )
    ),
    *(derived.name for derived in SALES.derived),
)
PRODUCTS = {1: ("retailer_1", "P-1"), 2: ("retailer_2", "P-2"), 3: ("retailer_2", "P-3")}
CUSTOMERS = {"x": ("C-1", "S-1"), "y": ("C-2", None), "": (None, "S-2")}
FIRST = str(DAYS[0])

Version = tuple[int, int, str, str, int]
Entries = Mapping[tuple[dt.date, str], Mapping[int, Version]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """The template has one line for each product and customer."""
    preload()
    warehouse = DomainWarehouse(tmp_path_factory.mktemp("mended"), RETAIL)
    warehouse.set_bronze(
        line(f"{key}{name}", FIRST, retailer, product_code=code, customer_id=who, store_id=store)
        for key, (retailer, code) in PRODUCTS.items()
        for name, (who, store) in CUSTOMERS.items()
    )
    warehouse.build(FIRST)
    warehouse.publish(FIRST)
    yield Models.of(warehouse, IN_ORDER)
    warehouse.engine.close()


versions: st.SearchStrategy[Version] = st.tuples(
    st.integers(1, 3),  # price
    st.sampled_from((-1, 1, 2)),  # quantity
    st.sampled_from([*CUSTOMERS]),
    st.sampled_from("pq"),  # name and category
    st.sampled_from((-40, -7, 0)),  # days from the first day to the sale
)
entries: st.SearchStrategy[Entries] = st.fixed_dictionaries(
    {
        (day, build): st.dictionaries(st.sampled_from([*PRODUCTS]), versions, max_size=1)
        for day in DAYS
        for build in BUILDS
    }
)


@few_examples(8)
@example(
    # The week before one that is published already, which is not of this publication's days.
    entries={
        **{(day, build): {} for day in DAYS for build in BUILDS},
        (DAYS[0], "a"): {2: (1, 1, "x", "p", 0)},
        (DAYS[1], "a"): {3: (1, 1, "x", "p", -7)},
    },
    history=[{DAYS[0]: "a"}, {DAYS[1]: "a"}],
)
@given(entries=entries, history=publications)
def test_what_is_mended_is_what_is_built_from_nothing(
    models: Models, entries: Entries, history: list[Publication]
) -> None:
    models.mends(gold_rows(models, entries), history)


def gold_rows(models: Models, entries: Entries) -> pa.Table:
    """Rows of the fact: a real one of the product and customer, with its version put in."""
    told = [
        {
            "template": f"{key}{customer}",
            "record_id": hashlib.md5(f"{key}{version}".encode()).hexdigest(),
            "record_key": f"key-{key}",
            "entry_id": entry_of(day, build),
            "label": label,
            "book_date": day,
            "price": price,
            "quantity": quantity,
            "days": days,
        }
        for (day, build), lines in entries.items()
        for key, version in lines.items()
        for price, quantity, customer, label, days in [version]
    ]
    texts, numbers = ("template", "record_id", "record_key", "entry_id", "label"), (
        "price", "quantity", "days",
    )  # fmt: skip
    schema = pa.schema(
        [(name, pa.string()) for name in texts]
        + [("book_date", pa.date32())]
        + [(name, pa.int64()) for name in numbers]
    )
    models.tell(told, schema)
    return models.warehouse.engine.query(
        f"""SELECT t.* REPLACE (
            told.record_id AS _record_id, told.record_key AS _record_key,
            told.record_key AS sale_id, told.book_date AS _book_date,
            told.entry_id AS _entry_id, told.quantity AS quantity,
            told.price::DECIMAL(15, 2) AS unit_price,
            (told.price * told.quantity)::DECIMAL(15, 2) AS total_amount,
            (told.price * greatest(told.quantity, 0))::DECIMAL(18, 2) AS gross_amount,
            (told.price * greatest(-told.quantity, 0))::DECIMAL(18, 2) AS return_amount,
            told.label AS product_name, told.label AS category,
            strftime(DATE '{FIRST}' + told.days::INTEGER, '%Y%m%d')::INTEGER AS date_key,
            DATE '{FIRST}' + told.days::INTEGER AS sale_date,
            t.sold_at + to_hours(24 * told.days) AS sold_at)
        FROM scratch.told JOIN scratch.template t ON t.sale_id = told.template"""
    )
