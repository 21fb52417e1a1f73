"""The SQL for Athena: made from the contract, and where the exported files lie.

There is no Athena here: statements are parsed as its dialect by sqlglot, and never run.
"""

from pathlib import Path

import pytest
from athena import FOLDER
from programs import REPOSITORY, loaded
from sqlglot import exp, parse

from clearhouse.core.contract import Contract
from clearhouse.retail.retailers import RETAILERS

FILES = sorted(FOLDER.rglob("*.sql"))
TABLES = {"02_sales_json": "raw", "03_sales": "columnar"}
SPINE = {
    "extra": "STRING",
    "_record_id": "STRING",
    "_record_key": "STRING",
    "_line": "INT",
    "_object_version": "INT",
    "_book_date": "DATE",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_is_one_statement_of_athena(path: Path) -> None:
    (statement,) = parse(path.read_text(), dialect="athena")
    assert isinstance(statement, exp.Create | exp.Select)


def test_tables_are_made_from_the_contract() -> None:
    for name, sql in loaded("scripts/make_athena.py").files().items():
        assert (FOLDER / name).read_text() == sql, "run scripts/make_athena.py"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_each_field_of_the_contract_as_a_column_or_partition(name: str) -> None:
    contract = Contract.load(REPOSITORY / "contracts" / "retail" / "sales.yaml")
    table = parsed(name)

    columns = {column.name: column.kind.sql("hive") for column in table.this.expressions}

    promised = {f.name: f.physical_type.upper().replace(",", ", ") for f in contract.fields}
    partitions = table.find(exp.PartitionedByProperty).this.expressions
    kinds = {column.name: column.kind.sql("hive") for column in partitions}
    assert kinds.pop("retailer") == promised.pop("retailer") == "STRING"
    assert kinds == dict.fromkeys(("year", "month", "day"), "INT")
    assert columns == promised | SPINE


@pytest.mark.parametrize(("name", "folder"), TABLES.items())
def test_partitions_resolve_to_the_place_of_an_exported_day(name: str, folder: str) -> None:
    named = [each for each in parsed(name).find_all(exp.Property) if type(each) is exp.Property]
    properties = {each.name: each.args["value"].name for each in named}

    place = properties["storage.location.template"]
    for part, value in (("year", 2024), ("month", 1), ("day", 5)):
        assert properties[f"projection.{part}.type"] == "integer"
        first, last = map(int, properties[f"projection.{part}.range"].split(","))
        assert first <= value <= last
        digits = int(properties[f"projection.{part}.digits"])
        place = place.replace(f"${{{part}}}", f"{value:0{digits}}")
    names = properties["projection.retailer.values"].split(",")
    assert names == [retailer.name for retailer in RETAILERS]
    assert place == f"s3://BUCKET/{folder}/${{retailer}}/year=2024/month=01/day=05/"


def parsed(name: str) -> exp.Create:
    (statement,) = parse((FOLDER / f"{name}.sql").read_text(), dialect="athena")
    assert isinstance(statement, exp.Create)
    return statement
