"""The dbt project over a made-up warehouse: what silver, gold and readers hold after a build."""

import datetime as dt
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog
from bnpl_warehouse import CONTRACT, Warehouse, purchase
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments.local import LocalEnvironment
from domain_warehouse import documented_columns, limits

from clearhouse.core.contract import Contract
from clearhouse.core.environment import take_no_foreign_settings
from clearhouse.engines import dbt_worker
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_messages import DbtError
from clearhouse.engines.dbt_runner import DbtRunner, preload
from clearhouse.engines.duckdb import DuckDBEngine

DAY_1, DAY_2, DAY_3 = "2024-03-01", "2024-03-02", "2024-03-03"
VISIBLE = (
    "select _record_key, amount, _book_date::varchar from marts.mart_bnpl_transactions order by all"
)


@pytest.fixture(scope="module")
def warehouse_file(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """One folder for the module, so that dbt parses once; it runs in this process."""
    dbt_worker._worker.stop()  # of tests that pulled days
    preload()
    return Warehouse(tmp_path_factory.mktemp("warehouse"))


@pytest.fixture
def warehouse(warehouse_file: Warehouse) -> Warehouse:
    """The module's folder, laid out anew."""
    warehouse_file.lay_out()
    return warehouse_file


def build_and_publish(warehouse: Warehouse, *days: str, build: str = "1") -> None:
    warehouse.build(*days, build=build)
    warehouse.publish(*days, build=build)


def test_the_last_version_within_a_day_is_current_and_the_older_stays_marked(
    warehouse: Warehouse,
) -> None:
    warehouse.set_bronze(
        [
            purchase("txn_1", DAY_1, "100.00", version=1),
            purchase("txn_1", DAY_1, "90.00", version=2),
            purchase("txn_2", DAY_1, "10.00", customer_id="cust_2"),
        ]
    )

    build_and_publish(warehouse, DAY_1)

    assert warehouse.execute(
        "select amount, _is_superseded, _entry_id from silver.stg_bnpl_raw_transactions order by 1"
    ) == [
        (Decimal("10.00"), False, f"s1-{DAY_1}"),
        (Decimal("90.00"), False, f"s1-{DAY_1}"),
        (Decimal("100.00"), True, f"s1-{DAY_1}"),
    ]
    assert warehouse.execute(VISIBLE) == [
        (f"{DAY_1}|txn_1", Decimal("90.00"), DAY_1),
        (f"{DAY_1}|txn_2", Decimal("10.00"), DAY_1),
    ]
    assert warehouse.execute(
        "select customer_id, total_amount, segment from marts.mart_bnpl_customers order by 1"
    ) == [("cust_1", Decimal("90.00"), "new"), ("cust_2", Decimal("10.00"), "new")]
    failed = [r for r in warehouse.project.run_unit_tests().nodes if r.status != "pass"]
    assert not failed


def test_over_days_a_correction_supersedes_and_the_same_bytes_are_a_duplicate(
    warehouse: Warehouse,
) -> None:
    original = {"business_date": DAY_1, "amount": "50.00"}
    warehouse.set_bronze(
        [
            purchase("redelivered", DAY_1, **original),
            purchase("corrected", DAY_1, **original),
            purchase("reverted", DAY_1, **original),
            purchase("redelivered", DAY_2, **original),
            purchase("corrected", DAY_2, "45.90", business_date=DAY_1),
            purchase("reverted", DAY_2, "45.90", business_date=DAY_1),
            purchase("reverted", DAY_3, **original),
        ]
    )

    # The later days first: the answer must not depend on the order of building.
    build_and_publish(warehouse, DAY_3, DAY_2)
    build_and_publish(warehouse, DAY_1)

    assert warehouse.execute(VISIBLE) == [
        (f"{DAY_1}|corrected", Decimal("45.90"), DAY_2),
        (f"{DAY_1}|redelivered", Decimal("50.00"), DAY_1),
        (f"{DAY_1}|reverted", Decimal("45.90"), DAY_2),
    ]
    assert warehouse.execute(
        "select _record_key, _book_date::varchar, reason from gold.int_bnpl_hidden_records"
        " order by all"
    ) == [
        (f"{DAY_1}|corrected", DAY_1, "superseded"),
        (f"{DAY_1}|redelivered", DAY_2, "duplicate"),
        (f"{DAY_1}|reverted", DAY_1, "superseded"),
        (f"{DAY_1}|reverted", DAY_3, "duplicate"),
    ]


def test_readers_see_no_row_of_a_held_day_nor_of_a_held_rebuild(warehouse: Warehouse) -> None:
    warehouse.set_bronze([purchase("txn_1", DAY_1), purchase("txn_2", DAY_2, customer_id="cust_2")])
    warehouse.build(DAY_1, DAY_2)
    warehouse.publish(DAY_1)
    assert warehouse.execute(VISIBLE) == [(f"{DAY_1}|txn_1", Decimal("100.00"), DAY_1)]

    # Day 1 comes again, corrected and in another state, and this time it is held.
    warehouse.set_bronze([purchase("txn_1", DAY_1, "1.00", version=2, customer_state="NY")])
    warehouse.build(DAY_1, build="2")

    assert warehouse.execute(VISIBLE) == [(f"{DAY_1}|txn_1", Decimal("100.00"), DAY_1)]
    assert warehouse.execute(
        "select customer_id, total_amount, state from marts.mart_bnpl_customers"
    ) == [("cust_1", Decimal("100.00"), "TX")]

    warehouse.publish(DAY_1, build="2")
    warehouse.publish(DAY_2)
    assert warehouse.execute(VISIBLE) == [
        (f"{DAY_1}|txn_1", Decimal("1.00"), DAY_1),
        (f"{DAY_2}|txn_2", Decimal("100.00"), DAY_2),
    ]


def test_a_rebuild_replaces_its_own_days_and_entries_alone(warehouse: Warehouse) -> None:
    day, entry = "_book_date::varchar", "_entry_id"
    silver = f"select {day}, amount, {entry} from silver.stg_bnpl_raw_transactions order by all"
    customers = f"select {day}, {entry} from silver.stg_bnpl_extracted_customers order by all"
    gold = f"select amount, {entry} from gold.fct_bnpl_transactions order by all"
    warehouse.set_bronze([purchase("txn_1", DAY_1, "10.00"), purchase("txn_2", DAY_2, "20.00")])
    build_and_publish(warehouse, DAY_1, DAY_2)
    before = [warehouse.execute(query) for query in (silver, customers, gold, VISIBLE)]

    build_and_publish(warehouse, DAY_1, DAY_2)
    assert [warehouse.execute(query) for query in (silver, customers, gold, VISIBLE)] == before

    # Day 1 has become empty and day 2 has changed, but only day 1 is built.
    warehouse.set_bronze([purchase("txn_2", DAY_2, "99.00")])
    build_and_publish(warehouse, DAY_1, build="2")

    assert warehouse.execute(silver) == [(DAY_2, Decimal("20.00"), f"s1-{DAY_2}")]
    assert warehouse.execute(customers) == [(DAY_2, f"s1-{DAY_2}")]
    assert warehouse.execute(gold) == before[2], "rows of earlier entries stay beside"
    assert warehouse.execute(VISIBLE) == [(f"{DAY_2}|txn_2", Decimal("20.00"), DAY_2)]


def test_days_of_several_quarters_are_built_together(warehouse: Warehouse) -> None:
    days = ["2023-12-31", "2024-01-01", "2024-03-31", "2024-07-01"]
    warehouse.set_bronze([purchase(f"txn_{n}", day) for n, day in enumerate(days)])

    build_and_publish(warehouse, *days)

    assert warehouse.execute(
        "select transaction_id, _book_date::varchar, _entry_id from gold.fct_bnpl_transactions "
        "order by all"
    ) == [(f"txn_{n}", day, f"g1-{day}") for n, day in enumerate(days)]


def test_a_failing_test_is_named_and_what_hangs_on_it_is_skipped(warehouse: Warehouse) -> None:
    twice = purchase("txn_1", DAY_1)
    warehouse.set_bronze([twice, twice])
    warehouse.set_build_days(DAY_1)

    with pytest.raises(DbtError, match="stg_bnpl_raw_transactions_spine_is_sound") as caught:
        warehouse.project.build("tag:normalize")

    assert caught.value.code == "dbt_failed"
    status = {node.name: node.status for node in caught.value.result.nodes}
    assert status["stg_bnpl_raw_transactions"] == "success"
    assert status["stg_bnpl_raw_transactions_spine_is_sound"] == "fail"
    assert status["stg_bnpl_extracted_customers"] == "skipped"


def test_a_model_that_breaks_is_named_with_the_engines_words(warehouse: Warehouse) -> None:
    warehouse.execute("drop view bronze.bnpl_transactions")

    with pytest.raises(
        DbtError, match=r"dbt model stg_bnpl_raw_transactions failed.*not exist"
    ) as caught:
        warehouse.project.build("tag:normalize")

    assert "\n" not in caught.value.message


def test_money_that_is_lost_between_the_mart_and_its_customers_is_noticed(
    warehouse: Warehouse,
) -> None:
    warehouse.set_bronze([purchase("txn_1", DAY_1)])
    build_and_publish(warehouse, DAY_1)
    warehouse.execute("update marts.mart_bnpl_customers set total_amount = total_amount - 0.01")

    with pytest.raises(DbtError, match="customers_add_up_to_transactions failed with 1 row:"):
        warehouse.project.build("customers_add_up_to_transactions")


def purchases_at_the_bounds() -> list[dict[str, Any]]:
    """One for each ordered field at each of its limits, then two with all of them at once."""
    fields = {field.name: limits(field) for field in Contract.load(CONTRACT).fields}
    bounded = {name: both for name, both in fields.items() if both is not None}
    singly = [{name: value} for name, both in bounded.items() for value in both]
    together = [{name: both[end] for name, both in bounded.items()} for end in (0, 1)]
    rows = []
    for number, values in enumerate([*singly, *together]):
        values["will_default"] = "days_to_first_missed_payment" in values
        business_date = values.get("transaction_timestamp", DAY_1)[:10]
        if "transaction_timestamp" in values:
            moment = dt.datetime.fromisoformat(values["transaction_timestamp"])
            values["transaction_timestamp"] = moment
        rows.append(purchase(f"txn_{number}", DAY_1, business_date=business_date, **values))
    return rows


def test_what_the_contract_lets_through_can_always_be_read(warehouse: Warehouse) -> None:
    rows = purchases_at_the_bounds()
    warehouse.set_bronze(rows)

    build_and_publish(warehouse, DAY_1)

    marts = warehouse.execute(
        "select table_name from information_schema.tables where table_schema = 'marts'"
    )
    read = {mart: len(warehouse.execute(f"select * from marts.{mart}")) for (mart,) in marts}
    assert read["mart_bnpl_customers"] == 1
    assert {count for mart, count in read.items() if mart != "mart_bnpl_customers"} == {len(rows)}


def test_a_selection_of_nothing_is_said(warehouse: Warehouse) -> None:
    with pytest.raises(DbtError, match="nothing to do for build --select=tag:nothing"):
        warehouse.project.build("tag:nothing")


def test_a_project_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    engine = DuckDBEngine(tmp_path / "w.duckdb", tmp_path / "gold", tmp_path / "readers.duckdb")
    with pytest.raises(DbtError, match="dbt could not begin: ") as caught:
        DbtProject(tmp_path, engine, tmp_path / "work").build("tag:gold")

    assert caught.value.result.nodes == ()


def test_what_others_change_in_the_environment_meanwhile_stays_changed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONE_MEANWHILE", "of the caller")
    monkeypatch.setenv("DBT_TARGET", "of another project")
    parsed = DbtRunner._parse

    def parse(project: DbtRunner) -> Any:
        del os.environ["GONE_MEANWHILE"]
        os.environ["CAME_MEANWHILE"] = "of the caller"
        return parsed(project)

    monkeypatch.setattr(DbtRunner, "_parse", parse)
    warehouse.project.prepare()

    assert "GONE_MEANWHILE" not in os.environ
    assert os.environ.pop("CAME_MEANWHILE") == "of the caller"
    assert os.environ["DBT_TARGET"] == "of another project"


def test_another_thread_that_refuses_foreign_settings_leaves_dbt_its_own(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = DbtRunner._parse
    read: dict[str, str] = {}

    def parse(project: DbtRunner) -> Any:
        os.environ["DBT_TARGET"] = "of another project"
        take_no_foreign_settings()
        read.update({name: os.environ[name] for name in os.environ if name.startswith("DBT_")})
        return parsed(project)

    monkeypatch.setattr(DbtRunner, "_parse", parse)
    warehouse.project.prepare()

    assert read.keys() == {"DBT_TARGET_PATH", "DBT_LOG_PATH", "DBT_SEND_ANONYMOUS_USAGE_STATS"}
    assert read["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"


def test_a_call_leaves_the_file_free_and_the_environment_as_it_was(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DBT_TARGET_PATH", "DBT_TARGET", "DBT_ENGINE_TARGET", "DBT_EMPTY"):
        monkeypatch.setenv(name, "true")
    uncollected = kept_alive(monkeypatch)
    before, folder = dict(os.environ), Path.cwd()
    warehouse.set_bronze([purchase("txn_1", DAY_1)])
    warehouse.set_build_days(DAY_1)

    with structlog.testing.capture_logs() as logs:
        warehouse.project.build("tag:normalize")

    assert dict(os.environ) == before
    assert Path.cwd() == folder
    assert {line["log_level"] for line in logs} == {"debug"}, "quiet when all is well"
    other = (
        f"import duckdb; duckdb.connect({str(warehouse.path)!r}).execute('create table t (i int)')"
    )
    subprocess.run([sys.executable, "-c", other], check=True)
    assert len(uncollected) == 1
    assert warehouse.execute("select count(*) from silver.stg_bnpl_raw_transactions") == [(1,)]


def kept_alive(monkeypatch: pytest.MonkeyPatch) -> list[LocalEnvironment]:
    """What holds dbt's connection, as it is before the collector of garbage has come by."""
    made: list[LocalEnvironment] = []
    begin = LocalEnvironment.__init__

    def begin_and_keep(self: LocalEnvironment, credentials: DuckDBCredentials) -> None:
        begin(self, credentials)
        made.append(self)

    monkeypatch.setattr(LocalEnvironment, "__init__", begin_and_keep)
    return made


def test_every_built_column_is_documented_in_its_order(warehouse: Warehouse) -> None:
    warehouse.set_bronze([purchase("txn_1", DAY_1)])
    build_and_publish(warehouse, DAY_1)

    built = warehouse.columns()

    documented = documented_columns(warehouse.domain)
    assert {name: next(iter(found.values())) for name, found in built.items()} == documented
    served = [list(found.values()) for found in built.values() if len(found) > 1]
    assert len(served) == 5
    assert all(columns == others for columns, others in served), "what is built fits what is served"
