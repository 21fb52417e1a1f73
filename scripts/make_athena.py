"""Write the SQL for Athena that follows from the contract: deploy/athena/*.sql.

How to run, in a checkout that is installed: `.venv/bin/python scripts/make_athena.py`.

Data flow: the columns of the exported files, which are those of the contract and of the spine → an
external table over the JSON files and one over the Parquet files. A test holds the files to what
this makes. `s3://BUCKET` stands for the EXPORT_URL of who runs them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import yaml

from clearhouse.core.contract import Contract
from clearhouse.pipeline.bronze import bronze_schema

REPOSITORY = Path(__file__).parents[1]
CONTRACT = REPOSITORY / "contracts" / "retail" / "sales.yaml"
TARGET = REPOSITORY / "deploy" / "athena"
DATABASE = "clearhouse_retail"
RETAILERS = ("retailer_1", "retailer_2", "retailer_3")
PARTITIONED = ("retailer", "_source")
"""Columns that are left out: Athena takes the retailer from the path, and refuses it twice."""
FIRST_YEAR, LAST_YEAR = 2024, 2030
LONGEST_COMMENT = 255
"""Characters that the Glue catalog keeps of a comment."""
SPINE = {
    "extra": "Fields of the answer that the contract does not know, as a JSON text.",
    "_record_id": "md5 of source, key and the record's own bytes: equal for the same record again.",
    "_record_key": "Natural key with the ordinal of the line: equal for versions of one line.",
    "_line": "Place of the record in what the retailer answered.",
    "_object_version": "Which answer for the day it came in, from 1.",
    "_book_date": "The day that the record arrived.",
}
TYPES = {
    pa.string(): "string",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
}
JSON = """\
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS TEXTFILE"""
PARQUET = "STORED AS PARQUET"


def main() -> None:
    """Write them."""
    for name, sql in files().items():
        (TARGET / name).write_text(sql, encoding="utf-8")
        print(TARGET / name)


def files() -> Mapping[str, str]:
    """The text of each file that follows from the contract, by its name."""
    return {
        "02_sales_json.sql": _table("sales_json", "raw", JSON),
        "03_sales.sql": _table("sales", "columnar", PARQUET),
    }


def _table(name: str, folder: str, stored: str) -> str:
    properties = ",\n".join(f"    '{key}' = '{value}'" for key, value in _projection(folder))
    columns = ",\n".join(_columns())
    return f"""\
-- Made from contracts/retail/sales.yaml by scripts/make_athena.py; not edited by hand.
CREATE EXTERNAL TABLE IF NOT EXISTS {DATABASE}.{name} (
{columns}
)
COMMENT 'Accepted lines of sales as they arrived, all versions, by the day of arrival'
PARTITIONED BY (retailer string, year int, month int, day int)
{stored}
LOCATION 's3://BUCKET/{folder}/'
TBLPROPERTIES (
{properties}
);
"""


def _columns() -> Iterator[str]:
    """The columns of an exported file; one that begins with an underscore has to be quoted."""
    (table,) = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["schema"]
    meanings = SPINE | {each["name"]: each["description"] for each in table["properties"]}
    for column in bronze_schema(Contract.load(CONTRACT)):
        if column.name in PARTITIONED:
            continue
        quoted = f"`{column.name}`" if column.name.startswith("_") else column.name
        meaning = meanings[column.name].replace("'", "’")[:LONGEST_COMMENT]
        yield f"    {quoted} {_type(column.type)} COMMENT '{meaning}'"


def _type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return TYPES[kind]


def _projection(folder: str) -> Iterator[tuple[str, str]]:
    """Partitions are computed from these, so that a new day needs no crawler and no statement."""
    yield "projection.enabled", "true"
    yield "projection.retailer.type", "enum"
    yield "projection.retailer.values", ",".join(RETAILERS)
    for part, first, last in (("year", FIRST_YEAR, LAST_YEAR), ("month", 1, 12), ("day", 1, 31)):
        yield f"projection.{part}.type", "integer"
        yield f"projection.{part}.range", f"{first},{last}"
        yield f"projection.{part}.digits", str(len(str(last)))
    place = "${retailer}/year=${year}/month=${month}/day=${day}/"
    yield "storage.location.template", f"s3://BUCKET/{folder}/{place}"


if __name__ == "__main__":
    main()
