"""What every contract owes its readers, and what may change in it without a new version.

The baseline holds, for each contract, the promises as they were last released. A change that only
adds (an optional field, a description) is free; one that a reader could trip over needs a new
MAJOR version. When the version is raised, write the baseline anew:
`python tests/contract/test_contracts.py`.
"""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from clearhouse.core.contract import Contract
from clearhouse.domains import DOMAINS, domain_of
from clearhouse.pipeline.serve import derived_tables

CONTRACTS = Path(__file__).parents[2] / "contracts"
BASELINE = Path(__file__).parent / "baseline"
DBT_MODELS = Path(__file__).parents[2] / "dbt" / "models"
FILES = sorted(CONTRACTS.rglob("*.yaml"))
NUMBERS = ("bigint", "double")
STANDARD = json.loads(OpenDataContractStandard.json_schema())

Promises = dict[str, Any]


def promises(contract: Contract) -> Promises:
    """What readers build on: the version, the key, and each field's type and rules."""
    return {
        "version": contract.version,
        "key": [f.name for f in contract.key] + ["ordinal"] * contract.repeats,
        "fields": {
            f.name: {
                "type": f"{f.physical_type} in UTC" if f.has_offset else f.physical_type,
                "required": f.required,
                "enum": sorted(f.enum),
                "minimum": f.minimum,
                "maximum": f.maximum,
                "pattern": f.pattern,
                "known_at": f.known_at,
            }
            for f in contract.fields
        },
    }


def breaks(before: Promises, after: Promises) -> list[str]:
    """What readers of `before` could trip over in `after`; nothing where the MAJOR version rose."""
    if int(after["version"].split(".")[0]) > int(before["version"].split(".")[0]):
        return []
    found = [] if before["key"] == after["key"] else ["the key changed"]
    for name, was in before["fields"].items():
        now = after["fields"].get(name)
        if now is None:
            found.append(f"{name} was removed")
            continue
        changed = {rule for rule in was if was[rule] != now[rule]}
        if changed == {"required"} and now["required"]:
            continue  # readers that bear a null bear none
        found += [f"{name}: {rule} changed" for rule in sorted(changed)]
    return found


def baseline_path(contract: Contract) -> Path:
    return BASELINE / f"{contract.id}.json"


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(CONTRACTS)))
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_a_contract_is_valid_by_the_standard(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(STANDARD)(STANDARD)
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
    assert errors == []


def test_every_field_says_what_it_means_and_when_it_is_known(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    fields = document["schema"][0]["properties"]
    for field in fields:
        known_at = [
            c["value"] for c in field.get("customProperties", []) if c["property"] == "known_at"
        ]
        assert known_at in (["decision"], ["outcome"]), field["name"]
        assert field.get("description", "").endswith("."), field["name"]
    for key in ("name", "physicalName"):
        names = [field.get(key, field["name"]) for field in fields]
        assert len(names) == len(set(names))
    assert document["id"] == f"{path.parent.name}.{path.stem}"
    assert document["domain"] == path.parent.name


def test_every_number_is_bounded_or_says_why_not(path: Path) -> None:
    """A sentinel for "never" that a type can hold stops every model that computes with it."""
    contract = Contract.load(path)
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    unbounded = {
        field["name"]
        for field in document["schema"][0]["properties"]
        for custom in field.get("customProperties", [])
        if custom["property"] == "unbounded" and custom["value"]
    }
    numbers = [f for f in contract.fields if f.places is not None or f.physical_type in NUMBERS]
    open_ended = {
        f.name for f in numbers if not f.enum and (f.minimum is None or f.maximum is None)
    }
    assert open_ended == unbounded


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_text_that_a_server_has_an_index_of_is_bounded(domain: str) -> None:
    """An index takes 2,704 bytes of a row: a longer text would keep every day from readers."""
    for dataset in domain_of(domain).datasets:
        contract = Contract.load(CONTRACTS / domain / f"{dataset.name}.yaml")
        tables = derived_tables(dataset, contract.id)
        indexes = [*dataset.layout.indexes, *(i for table in tables for i in table.indexes)]
        indexes += [table.grain for table in tables if table.is_summary]
        indexed = {column for index in indexes for column in index}
        unbounded = {
            field.name
            for field in (*contract.key, *(f for f in contract.fields if f.name in indexed))
            if field.physical_type == "string"
            and not (field.enum or field.constant or field.is_source)
            and not (field.pattern or field.most_characters)
        }
        assert unbounded == set()


def test_a_bronze_source_lists_no_columns_beside_its_contract(path: Path) -> None:
    contract = Contract.load(path)
    tables = {
        table["name"]: table
        for file in DBT_MODELS.glob(f"{contract.domain}/staging/*.yml")
        for source in yaml.safe_load(file.read_text(encoding="utf-8")).get("sources", [])
        for table in source["tables"]
        if source["schema"] == "bronze"
    }
    assert "columns" not in tables[contract.id.replace(".", "_")]


def test_readers_of_the_released_version_are_not_broken(path: Path) -> None:
    contract = Contract.load(path)
    released = baseline_path(contract)
    assert released.exists(), f"{contract.id} has no baseline: run `python {Path(__file__).name}`"
    before = json.loads(released.read_text(encoding="utf-8"))
    assert breaks(before, promises(contract)) == []
    assert before["version"] == contract.version, "a new version needs its baseline"


def test_what_is_known_only_afterwards_is_marked_so() -> None:
    fields = Contract.load(CONTRACTS / "bnpl" / "transactions.yaml").fields
    outcomes = {f.name for f in fields if f.known_at == "outcome"}
    assert outcomes == {"will_default", "days_to_first_missed_payment", "status"}


WAS: Promises = {
    "version": "1.4.0",
    "key": ["day", "id"],
    "fields": {
        "id": {"type": "string", "required": True, "enum": [], "maximum": None},
        "kind": {"type": "string", "required": False, "enum": ["a", "b"], "maximum": 9},
    },
}


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (["fields"], {"id": WAS["fields"]["id"]}, ["kind was removed"]),
        (["fields", "id", "type"], "bigint", ["id: type changed"]),
        (["fields", "id", "required"], False, ["id: required changed"]),
        (["fields", "kind", "enum"], ["a"], ["kind: enum changed"]),
        (["fields", "kind", "enum"], ["a", "b", "c"], ["kind: enum changed"]),
        (["fields", "kind", "maximum"], 10, ["kind: maximum changed"]),
        (["key"], ["id"], ["the key changed"]),
        (["fields", "kind", "required"], True, []),
        (["fields", "fresh"], {"type": "string", "required": False}, []),
        (["version"], "1.5.0", []),
    ],
)
def test_what_breaks_readers_needs_a_new_major_version(
    place: list[str], value: object, told: list[str]
) -> None:
    now = copy.deepcopy(WAS)
    inner = now
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    assert breaks(WAS, now) == told
    assert breaks(WAS, {**now, "version": "2.0.0"}) == []


if __name__ == "__main__":
    for file in FILES:
        loaded = Contract.load(file)
        text = json.dumps(promises(loaded), indent=1) + "\n"
        baseline_path(loaded).write_text(text, encoding="utf-8")
