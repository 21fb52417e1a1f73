"""What `make docs` makes: the dictionary in the repository is the one that the models give."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from bnpl_home import Warehouse
from programs import REPOSITORY, loaded

from clearhouse.engines.dbt import DbtError


@pytest.fixture(scope="module")
def make_docs() -> ModuleType:
    return loaded("scripts/make_docs.py")


def test_dictionary_and_page_tell_what_readers_have(
    published: Warehouse, make_docs: ModuleType, tmp_path: Path
) -> None:
    run = published.open()

    run.dbt.document(tmp_path)

    manifest, catalog = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("manifest", "catalog")
    )
    committed = (REPOSITORY / "docs" / "dictionary.md").read_text()
    assert committed == make_docs.in_markdown(manifest, catalog), "run `make docs`"
    tables = [
        row["table_name"]
        for row in published.readers(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts'"
        )
    ]
    assert re.findall(r"^## marts\.(\w+)$", committed, re.MULTILINE) == sorted(tables)
    page = (tmp_path / "static_index.html").read_text()
    assert '"depends_on":{"macros"' in page.replace(" ", "")
    assert all(table in page for table in tables)


def test_a_warehouse_that_dbt_can_not_read_is_told_in_a_sentence(
    published: Warehouse, tmp_path: Path
) -> None:
    run = published.open()
    not_a_warehouse = tmp_path / "bnpl.duckdb"
    not_a_warehouse.write_text("not a warehouse")
    target = run.dbt._target
    variables = {**target.variables, "CLEARHOUSE_WAREHOUSE": str(not_a_warehouse)}
    run.dbt._target = replace(target, variables=variables)

    with pytest.raises(DbtError, match="dbt could not"):
        run.dbt.document(tmp_path / "docs")
