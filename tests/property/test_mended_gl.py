"""The ledger's sums: mended by publications they hold what is built from nothing.

Random gold entries over days of three fiscal periods: versions of a line on one day or several, the
same bytes again, days withdrawn, days that go back to an earlier entry, and corrections that move a
line to another period, document, party, account and well.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pytest
from domain_warehouse import DomainWarehouse
from hypothesis import given
from hypothesis import strategies as st
from mended_models import BUILDS, DAYS, Models, Publication, entry_of, few_examples, publications
from unit.gl.journals import A_WELL, journal, of, party

from clearhouse.engines.dbt_runner import preload
from clearhouse.gl.domain import GL
from clearhouse.gl.lines_dataset import LINES

IN_ORDER = (
    "int_gl_touched_keys",
    "int_gl_published",
    "int_gl_hidden_records",
    *(f"int_gl_touched_{each}" for each in ("periods", "documents", "lines")),
    *(derived.name for derived in LINES.derived),
)
FIRST = str(DAYS[0])
PERIODS = ("2023-12", "2023-13", "2024-02")
TEMPLATES = ("1120", "2010", "4100")

Version = tuple[int, str, str, str]
Entries = Mapping[tuple[dt.date, str], Mapping[int, Version]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """The template has one line of a receivable, of a payable and of revenue."""
    preload()
    warehouse = DomainWarehouse(tmp_path_factory.mktemp("mended"), GL)
    warehouse.set_bronze(
        journal(
            1, FIRST,
            of("1120", "30.00", **party("purchaser", "PUR-01", "RUN-1", FIRST)),
            of("2010", "-10.00", **party("vendor", "VEN-001", "INV-1")),
            of("4100", "-20.00", **A_WELL, product="OIL", quantity="2", unit="bbl"),
        )
    )  # fmt: skip
    warehouse.build(FIRST)
    warehouse.publish(FIRST)
    yield Models.of(warehouse, IN_ORDER)
    warehouse.engine.close()


versions: st.SearchStrategy[Version] = st.tuples(
    st.integers(-2, 2),  # amount
    st.sampled_from(PERIODS),
    st.sampled_from("de"),  # document
    st.sampled_from(TEMPLATES),
)
entries: st.SearchStrategy[Entries] = st.fixed_dictionaries(
    {
        (day, build): st.dictionaries(st.integers(1, 3), versions, max_size=2)
        for day in DAYS
        for build in BUILDS
    }
)


@few_examples(8)
@given(entries=entries, history=publications)
def test_what_is_mended_is_what_is_built_from_nothing(
    models: Models, entries: Entries, history: list[Publication]
) -> None:
    models.mends(gold_rows(models, entries), history)


def gold_rows(models: Models, entries: Entries) -> pa.Table:
    """Rows of the fact: a real one of the account, with its version put in."""
    told = [
        {
            "account": account,
            "record_id": hashlib.md5(f"{key}{version}".encode()).hexdigest(),
            "record_key": f"key-{key}",
            "entry_id": entry_of(day, build),
            "period": period,
            "document": document,
            "book_date": day,
            "dollars": dollars,
        }
        for (day, build), lines in entries.items()
        for key, version in lines.items()
        for dollars, period, document, account in [version]
    ]
    texts = ("account", "record_id", "record_key", "entry_id", "period", "document")
    schema = pa.schema(
        [(name, pa.string()) for name in texts]
        + [("book_date", pa.date32()), ("dollars", pa.int64())]
    )
    models.tell(told, schema)
    return models.warehouse.engine.query(
        """SELECT t.* REPLACE (
            told.record_id AS _record_id, told.record_key AS _record_key,
            told.record_key AS line_id, told.book_date AS _book_date,
            told.entry_id AS _entry_id, told.period AS fiscal_period,
            CASE WHEN t.document IS NOT NULL THEN told.document END AS document,
            told.book_date AS posting_date, told.book_date AS recorded_on,
            told.dollars::DECIMAL(18, 2) AS amount,
            greatest(told.dollars, 0)::DECIMAL(18, 2) AS debit,
            greatest(-told.dollars, 0)::DECIMAL(18, 2) AS credit)
        FROM scratch.told JOIN scratch.template t ON t.account_code = told.account"""
    )
