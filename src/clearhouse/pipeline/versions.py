"""What the outcome of each stage depends on beside its input, as digests.

A version follows what is computed, not how it is written: comments, descriptions and the order of
files change nothing, and so a day is not made again for them. The stages written in Python say
their version themselves.
"""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from clearhouse.books.model import digest
from clearhouse.core.contract import Contract
from clearhouse.core.resources import resource
from clearhouse.pipeline.context import Versions
from clearhouse.pipeline.domain import Dataset, Domain, Gate

READING = "2"
"""Version of the books' reading of a landed line (core/contract/reading.py, core/amounts.py)."""
TYPING = "4"
"""Version of what becomes of a line in bronze (core/contract, pipeline/bronze.py)."""

_COMMENTS = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)\s*\(.*?endmacro\s*-?%\}", re.DOTALL)
_MATERIALIZATION = re.compile(
    r"\{%-?\s*materialization\s+(\w+).*?endmaterialization\s*-?%\}", re.DOTALL
)
_NAME = re.compile(r"\w+")
_TAGS = re.compile(r"tags\s*=\s*(\[[^\]]*\]|'[^']*')")


def versions_of(domain: Domain, dataset: Dataset, contract: Contract) -> Versions:
    """The versions of a dataset's stages."""
    shape = digest(
        repr(contract.fields), repr(contract.key), repr(contract.amount), *_stated(contract)
    )
    models = sorted(domain.models.rglob("*.sql"))
    others = [f"{domain.name}.{each.name}" for each in domain.datasets if each is not dataset]
    silver = _of(contract.id, others, _tagged(models, "normalize"))
    gold = _of(contract.id, others, _tagged(models, "gold"))
    return Versions(
        reading=digest(READING, shape),
        bronze=digest(READING, TYPING, shape),
        silver=sql_version(silver),
        gold=sql_version(gold),
        published=sql_version(_tagged(models, "published")),
        gates={
            gate.name: gate_version(domain.gates, gate)
            for gate in (dataset.raw_gate, dataset.business_gate)
        },
    )


def _stated(contract: Contract) -> Iterable[str]:
    """What a contract says beside its fields; nothing of one that says nothing more."""
    for field in contract.fields:
        if field.sources:
            yield repr((field.name, field.sources))
        if field.most_characters is not None:
            yield repr((field.name, "at most", field.most_characters))
    if contract.rows_by_source:
        yield repr(contract.rows_by_source)
    if contract.repeats:
        yield f"repeats {contract.together.name if contract.together else ''}"


def sql_version(models: Iterable[Path]) -> str:
    """A digest of models and of the macros that they use, without comments and white space."""
    texts = [f"{path.stem}: {_plain(path.read_text())}" for path in models]
    macros = _macros()
    used: set[str] = set()
    waiting = list(texts)
    while waiting:
        named = set(_NAME.findall(waiting.pop())) & set(macros) - used
        used |= named
        waiting += [macros[name] for name in named]
    return digest(*texts, *(macros[name] for name in sorted(used)))


@cache
def _macros() -> dict[str, str]:
    """The text of every macro and materialization by its name; dispatched ones by the caller's."""
    found: dict[str, str] = {}
    for path in sorted((resource("dbt") / "macros").rglob("*.sql")):
        text = _plain(path.read_text())
        for pattern in (_MACRO, _MATERIALIZATION):
            for match in pattern.finditer(text):
                name = match.group(1).rpartition("__")[2]
                found[name] = found.get(name, "") + match.group(0)
    return found


def _plain(text: str) -> str:
    return " ".join(_COMMENTS.sub(" ", text).split())


def _tagged(models: Iterable[Path], tag: str) -> list[Path]:
    """The models whose configuration names a tag, by which dbt is told to build them."""
    return [
        path
        for path in models
        if any(f"'{tag}'" in named for named in _TAGS.findall(path.read_text()))
    ]


def _of(dataset: str, others: Sequence[str], models: Iterable[Path]) -> list[Path]:
    """The models of a dataset: those that name it, or none of the others."""
    texts = {path: path.read_text() for path in models}
    return [
        path
        for path, text in texts.items()
        if f"'{dataset}'" in text or not any(f"'{other}'" in text for other in others)
    ]


def gate_version(project: Path, gate: Gate) -> str:
    """A digest of a checkpoint, its validations and suites, and what its frames are made by."""
    checkpoint = _json(project / "checkpoints" / f"{gate.name}.json")
    parts = [gate.version, json.dumps(checkpoint, sort_keys=True)]
    for validation in checkpoint["validation_definitions"]:
        definition = _json(project / "validation_definitions" / f"{validation['name']}.json")
        suite = _json(project / "expectations" / f"{definition['suite']['name']}.json")
        parts += [json.dumps(each, sort_keys=True) for each in (definition, suite)]
    parts += [path.read_text() for path in gate.inputs]
    return digest(*parts)


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found
