"""Make the documentation of the data: a page with lineage a domain, and the data dictionary.

    python scripts/make_docs.py --site dbt/target/docs --dictionary docs/dictionary.md

Data flow, for each domain of the registry: one day of the sandbox through the pipeline in a folder
of its own → dbt's catalog and manifest → its page; the same and its contracts → the dictionary.
Needs no network.
A page is generated only: it is a megabyte of script that changes with dbt's version. The
dictionary is committed, so that it can be read, and a change of it reviewed, without running
anything; a test holds it to what this writes.
"""

import argparse
import datetime as dt
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from clearhouse.core.contract import Contract
from clearhouse.core.errors import ExitCode
from clearhouse.core.telemetry import configure_logging
from clearhouse.core.window import Window
from clearhouse.domains import DOMAINS, domain_of
from clearhouse.pipeline.domain import Domain
from clearhouse.pipeline.opening import connected, open_run
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.settings import Settings, load_settings

Known = tuple[Mapping[str, Any], Mapping[str, Any]]
"""A manifest and a catalog of dbt."""
READERS = "marts"
"""The schema that readers use."""
A_DAY = dt.date(2024, 1, 2)

PREFACE = """\
# Data dictionary

Made by `make docs` from the contract and from dbt's catalog; not edited by hand. `make docs` also
makes a page a domain with the lineage of every model, `dbt/target/docs/<domain>.html`.

Readers use the schema `marts` of `published.duckdb`. It holds published days only.

*Known at* says when a value is known: `decision`, while the purchase is decided or the sale made,
or `outcome`, later. A model that decides on purchases must not look at an outcome. It is stated for
each field of the source; "–" stands at columns that are computed or that only say how a record came
to us.
mart_bnpl_ml_features has no column that descends from an outcome, which a test proves.

Columns whose name begins with `_` are those of the books ([The books](guides/the-books.md)).
Amounts are exact decimals in the record's currency, or whole minor units of it where the column's
name ends with _minor; times are naive, in the source's own time zone, and in UTC for payments.
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
    print(f"lineage:    {given.site}\ndictionary: {given.dictionary}")


def document(folder: Path, site: Path, dictionary: Path) -> None:
    """Publish a day of each domain in homes of their own, and write what is known of it."""
    site.mkdir(parents=True, exist_ok=True)
    known: dict[str, Known] = {}
    for name in DOMAINS:
        print(f"building a day of every table of {name} …", file=sys.stderr, flush=True)
        made = _documented(domain_of(name), folder / name)
        shutil.copyfile(made / "static_index.html", site / f"{name}.html")
        known[name] = known_in(made)
    dictionary.write_text(in_markdown(known), encoding="utf-8")


def _documented(domain: Domain, home: Path) -> Path:
    """The folder of what dbt knows of a domain, a day of which is built in a home."""
    home.mkdir()
    outside = {
        name: None
        for name, field in Settings.model_fields.items()
        if name.endswith("_url") and field.default is None
    }
    settings = load_settings(_env_file=None, clearhouse_home=home, **outside)
    with connected(domain, settings) as connections:
        run = open_run(domain, settings, connections)
        report = run_steps(STEPS, run, Window.day(A_DAY), run_id=run.run_id)
    if report.exit_code is not ExitCode.DONE:
        sys.exit(f"The day of {domain.name} could not be built: {report.stopped()}")
    run.dbt.document(home / "documentation")
    return home / "documentation"


def known_in(folder: Path) -> Known:
    """What dbt wrote in a folder: its manifest (meanings) and catalog (columns and types)."""
    manifest, catalog = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("manifest", "catalog")
    )
    return manifest, catalog


def in_markdown(known: Mapping[str, Known]) -> str:
    """The dictionary, from what dbt knows of each domain."""
    parts = [PREFACE]
    told: set[str] = set()
    for name in sorted(known):
        domain = domain_of(name)
        contracts = [domain.contracts / f"{each.name}.yaml" for each in domain.datasets]
        tables = dict(_tables(known[name], contracts))
        parts += [text for table, text in tables.items() if table not in told]
        told |= tables.keys()
        parts += ["\n".join(_source(contract)) for contract in contracts]
    return "\n".join(parts)


def _tables(known: Known, contracts: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """The tables of a domain that readers see, by name, each with its part of the dictionary."""
    manifest, catalog = known
    known_at = {f.name: f.known_at for path in contracts for f in Contract.load(path).fields}
    described = {**manifest["nodes"], **manifest["sources"]}
    built = {**catalog["nodes"], **catalog["sources"]}
    served = {
        f"{READERS}.{described[name]['name']}": name
        for name in built
        if _served_in(described[name]) == READERS
    }
    for table, name in sorted(served.items()):
        yield table, "\n".join(_dataset(table, described[name], built[name], known_at))


def _served_in(node: Mapping[str, Any]) -> str:
    """The schema that readers find a dataset in: a delta is built in another."""
    schema: str = node["config"].get("meta", {}).get("served_in", node["schema"])
    return schema


def _dataset(
    name: str,
    node: Mapping[str, Any],
    built: Mapping[str, Any],
    known_at: Mapping[str, str | None],
) -> Iterator[str]:
    yield f"## {name}\n"
    yield node["description"].strip() + "\n"
    yield from _head("column", "type", "known at", "meaning")
    columns = sorted(built["columns"].values(), key=lambda column: column["index"])
    for column in columns:
        told = node["columns"].get(column["name"])
        if told is None or not told["description"]:
            sys.exit(f"{name}.{column['name']} has no description: give it one in dbt/models.")
        at = known_at.get(column["name"]) or "–"
        yield _row(f"`{column['name']}`", column["type"].lower(), at, told["description"])
    yield ""


def _source(contract: Path) -> Iterator[str]:
    """A contract's fields: what the source promises, and what a record is rejected for."""
    document = yaml.safe_load(contract.read_text(encoding="utf-8"))
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
            _in_the_source(field),
            field["physicalType"],
            "yes" if field.get("required") else "no",
            *(p["value"] for p in field["customProperties"] if p["property"] == "known_at"),
            " ".join([field["description"], *_limits(field)]),
        )


def _in_the_source(field: Mapping[str, Any]) -> str:
    """What the source calls a field, or each source that sends it."""
    ours = {each["property"]: each["value"] for each in field.get("customProperties", [])}
    if "sources" in ours:
        return "<br>".join(f"{source}: `{name}`" for source, name in ours["sources"].items())
    if "constant" in ours or "is_source" in ours:
        return "–"
    return f"`{field.get('physicalName', field['name'])}`"


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


if __name__ == "__main__":
    main()
