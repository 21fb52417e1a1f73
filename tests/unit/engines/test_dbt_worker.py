"""dbt in a worker: it answers as dbt in this process does, and leaves the warehouse free."""

import os
import signal
from collections.abc import Iterator

import pytest
from bnpl_warehouse import Warehouse, purchase

from clearhouse.engines import dbt_worker
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_messages import DbtError

DAY = "2024-03-01"


@pytest.fixture(scope="module")
def worker() -> Iterator[None]:
    """A worker, which is started also where this process has imported dbt."""
    dbt_worker._worker.start()
    yield
    dbt_worker._worker.stop()


@pytest.fixture
def warehouse(worker: None, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    made = Warehouse(tmp_path_factory.mktemp("warehouse"))
    made.lay_out()
    made.set_bronze([purchase("txn_1", DAY, "12.50")])
    made.set_build_days(DAY)
    return made


def test_it_builds_what_this_process_then_reads(warehouse: Warehouse) -> None:
    warehouse.project.prepare()

    result = warehouse.project.build("tag:normalize")

    assert "stg_bnpl_raw_transactions" in {node.name for node in result.nodes}
    assert not result.bad_nodes
    rows = warehouse.execute("select amount::varchar from silver.stg_bnpl_raw_transactions")
    assert rows == [("12.50",)]
    assert "silver.stg_bnpl_raw_transactions" in warehouse.project.descriptions()


def test_a_failure_is_told_in_its_own_words_with_what_became_of_each_node(
    warehouse: Warehouse,
) -> None:
    warehouse.execute("drop view bronze.bnpl_transactions")

    with pytest.raises(DbtError, match=r"dbt model stg_bnpl_raw_\w+ failed.*not exist") as caught:
        warehouse.project.build("tag:normalize")

    assert caught.value.result.bad_nodes
    assert dbt_worker.is_running(), "a failure of a model is none of the worker's"


def test_one_that_was_killed_is_told(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    place = DbtProject._place

    def killed(project: DbtProject) -> object:
        process = dbt_worker._worker._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        return place(project)

    monkeypatch.setattr(DbtProject, "_place", killed)
    with pytest.raises(DbtError, match="process that runs dbt has ended: run this again"):
        warehouse.project.build("tag:normalize")
    dbt_worker._worker.start()
