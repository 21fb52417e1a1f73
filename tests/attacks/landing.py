"""What arrived: objects and their manifests."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

from attacks.attack import Told, attack, on
from attacks.groups import ENGINE_POINTERS, GONE, LANDING
from attacks.homes import Home
from attacks.recipes import CLOSED, HELD, NEVER, RELEASED, SEALED
from attacks.stores import database
from clearhouse.landing import LandedObject


def _of(home: Home, day: dt.date) -> tuple[str, LandedObject, Path]:
    """What the first source landed for a day, and the file."""
    source = home.at.declared.sources[0].name
    landed = home.at.landed[source, day]
    return home.at.names.landed[source], landed, home.path / "landing" / landed.key


def _manifest(path: Path) -> Path:
    return path.with_name(path.name.partition(".")[0] + ".manifest.json")


def _edit(path: Path, **values: Any) -> None:
    fields = json.loads(_manifest(path).read_text()) | values
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    _manifest(path).write_text(text + "\n", encoding="utf-8")


@attack(GONE, "a landed object deleted")
def _deleted(home: Home) -> Told:
    hop, landed, path = _of(home, CLOSED)
    path.unlink()
    told = f"{landed.key} is missing"
    return [on(hop, CLOSED, told), on(home.at.names.bronze, CLOSED, told)]


@attack(GONE, "a byte of a landed object changed")
def _rotten(home: Home) -> Told:
    hop, landed, path = _of(home, SEALED)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    told = f"{landed.key} is not as it was landed"
    return [on(hop, SEALED, told), on(home.at.names.bronze, SEALED, told)]


@attack(GONE, "a manifest deleted")
def _without_manifest(home: Home) -> Told:
    hop, landed, path = _of(home, RELEASED)
    _manifest(path).unlink()
    return [on(hop, RELEASED, f"{landed.key} has no manifest")]


@attack(GONE, "a manifest with another digest")
def _with_another_digest(home: Home) -> Told:
    hop, landed, path = _of(home, HELD)
    _edit(path, object_sha256="0" * 64)
    return [on(hop, HELD, f"{landed.key} is not as it was landed")]


@attack(LANDING, "a manifest with another count")
def _with_another_count(home: Home) -> Told:
    hop, landed, path = _of(home, CLOSED)
    _edit(path, records=landed.records + 1)
    told = f"{landed.key} has {landed.records} records, and its manifest says {landed.records + 1}"
    return [on(hop, CLOSED, told)]


@attack(LANDING, "an object without a manifest")
def _left(home: Home) -> Told:
    hop, landed, path = _of(home, SEALED)
    left = path.with_name(f"0002-{'ab' * 6}{''.join(path.suffixes)}")
    left.write_bytes(path.read_bytes())
    key = str(Path(landed.key).with_name(left.name))
    return [on(hop, SEALED, f"{key} has no manifest")]


@attack(LANDING, "an object for a day that nobody asked for")
def _never_asked_for(home: Home) -> Told:
    hop, landed, path = _of(home, SEALED)
    place = path.parents[3] / f"year={NEVER:%Y}" / f"month={NEVER:%m}" / f"day={NEVER:%d}"
    place.mkdir(parents=True, exist_ok=True)
    (place / path.name).write_bytes(path.read_bytes())
    key = "/".join([*landed.key.split("/")[:2], *place.parts[-3:], path.name])
    _manifest(place / path.name).write_bytes(_manifest(path).read_bytes())
    _edit(place / path.name, key=key, book_date=str(NEVER))
    return [on(hop, NEVER, f"{key} is of a day that the books don't know")]


@attack(LANDING, "a version landed by another hand")
def _another_version(home: Home) -> Told:
    hop, landed, path = _of(home, RELEASED)
    fields = json.loads(_manifest(path).read_text())
    digest = hashlib.sha256(b"other").hexdigest()
    place = path.with_name(f"0002-{digest[:12]}{''.join(path.suffixes)}")
    place.write_bytes(path.read_bytes())
    key = str(Path(landed.key).with_name(place.name))
    text = json.dumps(fields | {"key": key, "version": 2, "payload_sha256": digest})
    _manifest(place).write_text(text, encoding="utf-8")
    return [on(hop, RELEASED, f"+{landed.records} records")]


@attack(LANDING, "a manifest of nonsense")
def _nonsense(home: Home) -> Told:
    hop, landed, path = _of(home, HELD)
    _manifest(path).write_text("{}", encoding="utf-8")
    manifest = Path(landed.key).with_name(_manifest(path).name)
    return [on(hop, HELD, f"The manifest {manifest} is not as it was written")]


@attack(ENGINE_POINTERS, "remembered totals of landed bytes edited")
def _remembered(home: Home) -> Told:
    """Intact landing is not accused; what was remembered is."""
    edited = """replace(totals, '"records": ', '"records": 9')"""
    database(home, f"UPDATE landing_totals SET totals = {edited}")
    told = "the totals that were remembered of what landed were edited: measured again"
    hops = home.at.names.landed.values()
    return [on(hop, day, told) for hop in hops for day in (CLOSED, HELD)]
