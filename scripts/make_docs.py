"""Make the documentation of the data: a page with lineage, and the data dictionary.

    python scripts/make_docs.py --site dbt/target/docs --dictionary docs/dictionary.md

Data flow: one day of the sandbox through the pipeline in a folder of its own → dbt's catalog and
manifest → the page; the same and the contract → the dictionary. Needs no network.
The page is generated only: it is a megabyte of script that changes with dbt's version. The
dictionary is committed, so that it can be read, and a change of it reviewed, without running
anything; a test holds it to what this writes.
"""

import argparse
import datetime as dt
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from clearhouse.bnpl.domain import BNPL
from clearhouse.core.contract import Contract
from clearhouse.core.errors import ExitCode
from clearhouse.core.resources import resource
from clearhouse.core.telemetry import configure_logging
from clearhouse.core.window import Window
from clearhouse.pipeline.opening import connected, open_run
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.settings import load_settings

CONTRACT = resource("contracts") / "bnpl" / "transactions.yaml"
READERS = "marts"
"""The schema that readers use."""
A_DAY = dt.date(2024, 1, 2)

PREFACE = """\
# Data dictionary

Made by `make docs` from the contract and from dbt's catalog; not edited by hand. `make docs` also
makes a page with the lineage of every model, `dbt/target/docs/index.html`.

Readers use the schema `marts` of `published.duckdb`. It holds published days only.

*Known at* says when a value is known: `decision`, while the purchase is decided, or `outcome`,
later. A model that decides on purchases must not look at an outcome. It is stated for each field of
the source; "–" stands at columns that are computed or that only say how a record came to us.
mart_bnpl_ml_features has no column that descends from an outcome, which a test proves.

Columns whose name begins with `_` are those of the books ([The books](guides/the-books.md)).
Amounts are exact decimals in the record's currency; times are naive, in the source's own time zone.
"""


def main() -> None:
    """Make both."""
    parser = argparse.ArgumentParser(description="Make the documentation of the data.")
    parser.add_argument("--site", type=Path, required=True, help="folder of the page")
    parser.add_argument("--dictionary", type=Path, required=True, help="Markdown file")
    given = parser.parse_args()
    configure_logging("warning", "auto")
    with tempfile.TemporaryDirectory() as home:
        document(Path(home), given.site, given.dictionary)
    print(f"lineage:    {given.site / 'index.html'}\ndictionary: {given.dictionary}")


def document(home: Path, site: Path, dictionary: Path) -> None:
    """Publish a day of the sandbox in a home, and write what is known of what it holds."""
    settings = load_settings(_env_file=None, clearhouse_home=home, bnpl_api_url=None)
    print("building a day of every table …", file=sys.stderr, flush=True)
    with connected(BNPL, settings) as connections:
        run = open_run(BNPL, settings, connections)
        report = run_steps(STEPS, run, Window.day(A_DAY), run_id=run.run_id)
    if report.exit_code is not ExitCode.DONE:
        sys.exit(f"The day could not be built: {report.stopped()}")
    print("asking dbt …", file=sys.stderr, flush=True)
    made = home / "documentation"
    run.dbt.document(made)
    site.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made / "static_index.html", site / "index.html")
    dictionary.write_text(
        in_markdown(_read(made / "manifest.json"), _read(made / "catalog.json")), encoding="utf-8"
    )


def in_markdown(manifest: Mapping[str, Any], catalog: Mapping[str, Any]) -> str:
    """The dictionary, from dbt's manifest (meanings) and catalog (columns and types)."""
    described = {**manifest["nodes"], **manifest["sources"]}
    built = {**catalog["nodes"], **catalog["sources"]}
    datasets = {
        f"{READERS}.{described[name]['name']}": (described[name], built[name])
        for name in built
        if _served_in(described[name]) == READERS
    }
    parts = [PREFACE]
    for name in sorted(datasets):
        parts.append("\n".join(_dataset(name, *datasets[name])))
    parts.append("\n".join(_source()))
    return "\n".join(parts)


def _served_in(node: Mapping[str, Any]) -> str:
    """The schema that readers find a dataset in: a delta is built in another."""
    schema: str = node["config"].get("meta", {}).get("served_in", node["schema"])
    return schema


def _dataset(name: str, node: Mapping[str, Any], built: Mapping[str, Any]) -> Iterator[str]:
    known_at = {field.name: field.known_at for field in Contract.load(CONTRACT).fields}
    yield f"## {name}\n"
    yield node["description"].strip() + "\n"
    yield from _head("column", "type", "known at", "meaning")
    columns = sorted(built["columns"].values(), key=lambda column: column["index"])
    for column in columns:
        told = node["columns"].get(column["name"])
        if told is None or not told["description"]:
            sys.exit(f"{name}.{column['name']} has no description: give it one in dbt/models.")
        at = known_at.get(column["name"], "–")
        yield _row(f"`{column['name']}`", column["type"].lower(), at, told["description"])
    yield ""


def _source() -> Iterator[str]:
    """The contract's fields: what the source promises, and what a record is rejected for."""
    document = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    (table,) = document["schema"]
    yield f"## Contract {document['id']} {document['version']}\n"
    yield f"{document['description']['purpose']} {document['description']['limitations']}\n"
    yield (
        f"Grain: {table['dataGranularityDescription'].lower()} Owner: {document['team']['name']}. "
        "A record without a required field, or with a value that is not allowed, goes to "
        "quarantine ([Quarantine](guides/quarantine.md)).\n"
    )
    yield from _head("field", "in the source", "type", "required", "known at", "meaning")
    for field in table["properties"]:
        yield _row(
            f"`{field['name']}`",
            f"`{field.get('physicalName', field['name'])}`",
            field["physicalType"],
            "yes" if field.get("required") else "no",
            *(p["value"] for p in field["customProperties"] if p["property"] == "known_at"),
            " ".join([field["description"], *_limits(field)]),
        )


def _limits(field: Mapping[str, Any]) -> Iterator[str]:
    allowed = [f"`{each['value']}`" for each in field.get("enum", [])]
    if allowed:
        yield f"Allowed: {', '.join(allowed)}."
    options = field.get("logicalTypeOptions", {})
    bounds = [f"{word} `{options[key]}`" for key, word in _BOUNDS.items() if key in options]
    if bounds:
        yield f"Limits: {', '.join(bounds)}."
    if field.get("classification") == "personal":
        yield "Personal data."


_BOUNDS = {"minimum": "at least", "maximum": "at most", "pattern": "of the form"}


def _head(*names: str) -> Iterable[str]:
    return (_row(*names), _row(*("---" for _ in names)))


def _row(*cells: str) -> str:
    escaped = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
