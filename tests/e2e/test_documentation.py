"""What `make docs` makes: the dictionary in the repository is the one that the models give."""

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from bnpl_home import DAY, Warehouse
from payments_home import Home as PaymentsHome
from prices_home import PricesHome
from programs import REPOSITORY, loaded
from retail_home import Shops, retailers

from clearhouse.domains import DOMAINS
from clearhouse.engines.dbt_messages import DbtError
from clearhouse.payments.domain import PAYMENTS
from clearhouse.pipeline.opening import open_run


@pytest.fixture(scope="module")
def make_docs() -> ModuleType:
    return loaded("scripts/make_docs.py")


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    shops = Shops(tmp_path_factory.mktemp("retail") / "home")
    with retailers() as urls:
        assert shops.run(urls, DAY).exit_code == 0
    return shops


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> PaymentsHome:
    payments = PaymentsHome(tmp_path_factory.mktemp("payments") / "home")
    assert payments.run(DAY, DAY).exit_code == 0
    return payments


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> PricesHome:
    prices = PricesHome(tmp_path_factory.mktemp("gl") / "home")
    assert prices.run(DAY, DAY).exit_code == 0
    return prices


def test_dictionary_and_page_tell_what_readers_have(
    published: Warehouse,
    shops: Shops,
    prices: PricesHome,
    payments: PaymentsHome,
    make_docs: ModuleType,
    tmp_path: Path,
) -> None:
    runs = {
        "bnpl": published.open(),
        "retail": shops.open(),
        "gl": prices.open(),
        "payments": open_run(PAYMENTS, payments.settings),
    }
    for name, run in runs.items():
        run.dbt.document(tmp_path / name)

    known = {name: make_docs.known_in(tmp_path / name) for name in runs}

    committed = (REPOSITORY / "docs" / "dictionary.md").read_text()
    assert set(runs) == set(DOMAINS)
    assert committed == make_docs.in_markdown(known), "run `make docs`"
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts'"
    tables = {
        "bnpl": [row["table_name"] for row in published.readers(sql)],
        "retail": [name for (name,) in shops.read(sql)],
        "gl": [name for (name,) in prices.read(sql)],
        "payments": [name for (name,) in payments.read(sql)],
    }
    described = re.findall(r"^## marts\.(\w+)$", committed, re.MULTILINE)
    assert len(described) == len(set(described))
    assert set(described) == {table for of_domain in tables.values() for table in of_domain}
    for name in runs:
        page = (tmp_path / name / "static_index.html").read_text()
        assert '"depends_on":{"macros"' in page.replace(" ", "")
        assert all(table in page for table in set(tables[name]) - {"quality_metrics"})


def test_all_that_readers_find_is_described(
    published: Warehouse, shops: Shops, prices: PricesHome, payments: PaymentsHome
) -> None:
    without = """SELECT table_name FROM (
            SELECT view_name AS table_name, comment FROM duckdb_views()
            WHERE schema_name = 'marts'
            UNION ALL SELECT table_name || '.' || column_name, comment FROM duckdb_columns()
            WHERE schema_name = 'marts')
        WHERE comment IS NULL"""
    assert [row["table_name"] for row in published.readers(without)] == []
    assert shops.read(without) == []
    assert prices.read(without) == []
    assert payments.read(without) == []


def test_a_warehouse_that_dbt_can_not_read_is_told_in_a_sentence(
    published: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = published.open()
    not_a_warehouse = tmp_path / "bnpl.duckdb"
    not_a_warehouse.write_text("not a warehouse")
    target = run.engine.dbt_target()
    variables = {**target.variables, "CLEARHOUSE_WAREHOUSE": str(not_a_warehouse)}
    monkeypatch.setattr(run.engine, "dbt_target", lambda: replace(target, variables=variables))

    with pytest.raises(DbtError, match="dbt could not"):
        run.dbt.document(tmp_path / "docs")
