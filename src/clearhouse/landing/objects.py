"""Names and manifests of landed objects: pure functions, no storage.

raw/<source>/year=YYYY/month=MM/day=DD/NNNN-<first 12 hex of the payload's SHA-256>.ndjson.zst
raw/<source>/year=YYYY/month=MM/day=DD/NNNN-<the same>.manifest.json

NNNN is the version of the day, from 0001. The suffix says the payload's format: .ndjson.zst,
.json.zst (rows under a key) or .csv.zst. A manifest is canonical JSON (sorted keys, no spaces) of
the object's fields and of `landed_at`, the one field that a repeat would not give again.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from clearhouse.core.contract import PayloadFormat
from clearhouse.core.errors import StoreError, UsageError
from clearhouse.landing.folder import Stored

OBJECT_SUFFIXES = {
    PayloadFormat.NDJSON: ".ndjson.zst",
    PayloadFormat.JSON_ROWS: ".json.zst",
    PayloadFormat.CSV: ".csv.zst",
}
_FORMATS = {suffix: kind for kind, suffix in OBJECT_SUFFIXES.items()}
MANIFEST_SUFFIX = ".manifest.json"
CORRECTS = "corrects"
"""In a request: the record id of the row that was corrected. The source was not asked for it."""

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_]{0,62}")
_KEY = re.compile(
    r"raw/(?P<source>[a-z0-9_]+)/year=(?P<year>\d{4})/month=(?P<month>\d{2})/day=(?P<day>\d{2})/"
    r"(?P<version>\d{4,})-(?P<digest>[0-9a-f]{12})"
    r"(?P<suffix>\.(?:ndjson|json|csv)\.zst|\.manifest\.json)"
)
_SHORT_DIGEST_LENGTH = 12


class Counted(NamedTuple):
    """How the rows stand in a payload, and how many there are."""

    payload_format: PayloadFormat
    records: int


@dataclass(frozen=True, slots=True)
class LandedObject:
    """One landed payload, as its manifest describes it.

    Sizes in bytes; `payload_*` is what arrived, `object_*` its zstd frame as stored.
    `request` is what the source was asked; `created` is False when the bytes had landed before.
    `e_tag` is what an object store named the object when it was written, "" of a local file;
    `seen` is what it said of it when it was listed.
    """

    source: str
    book_date: dt.date
    version: int
    key: str
    records: int
    payload_bytes: int
    payload_sha256: str
    object_bytes: int
    object_sha256: str
    request: dict[str, Any] = field(hash=False)
    e_tag: str = ""
    created: bool = field(default=False, compare=False)
    seen: Stored | None = field(default=None, compare=False)

    @property
    def is_as_written(self) -> bool:
        """Whether the store lists the object as it did when it was written, without reading it."""
        return bool(self.e_tag) and self.seen == Stored(self.object_bytes, self.e_tag)

    @property
    def is_given(self) -> bool:
        """Whether the source gave it: it did not come by correcting a row."""
        return CORRECTS not in self.request

    @property
    def payload_format(self) -> PayloadFormat:
        """How the rows stand in the payload."""
        parsed = parse_key(self.key)
        if parsed is None:
            raise ValueError(f"{self.key} is no landed object's key")
        return parsed[0].payload_format


@dataclass(frozen=True, slots=True, order=True)
class ObjectName:
    """The parts of a key; ordered by source, day, version.

    The payload's format is known from an object's key, not from a manifest's.
    """

    source: str
    book_date: dt.date
    version: int
    digest: str
    payload_format: PayloadFormat = field(default=PayloadFormat.NDJSON, compare=False)

    @property
    def key(self) -> str:
        """Key of the object."""
        return self._stem + OBJECT_SUFFIXES[self.payload_format]

    @property
    def manifest_key(self) -> str:
        """Key of the manifest beside it."""
        return self._stem + MANIFEST_SUFFIX

    @property
    def _stem(self) -> str:
        return f"{day_prefix(self.source, self.book_date)}/{self.version:04d}-{self.digest}"

    @classmethod
    def of(
        cls,
        source: str,
        book_date: dt.date,
        version: int,
        payload_sha256: str,
        payload_format: PayloadFormat,
    ) -> "ObjectName":
        """The name of a payload that lands as this version of its day."""
        digest = payload_sha256[:_SHORT_DIGEST_LENGTH]
        return cls(source, book_date, version, digest, payload_format)


def parse_key(key: str) -> tuple[ObjectName, bool] | None:
    """The name in a key and whether the key is a manifest's; None for any other key."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    try:
        book_date = dt.date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return None
    kind = _FORMATS.get(match["suffix"], PayloadFormat.NDJSON)
    name = ObjectName(match["source"], book_date, int(match["version"]), match["digest"], kind)
    return name, match["suffix"] == MANIFEST_SUFFIX


def source_of(key: str) -> str:
    """The source in the key of a landed object."""
    return key.split("/")[1]


def checked_source(source: str) -> str:
    """The source's name, as a path may hold it.

    Raises:
        UsageError: it holds more than lower-case letters, digits and underscores.
    """
    if not _SOURCE.fullmatch(source):
        raise UsageError(
            f"{source!r} can't name a source: use lower-case letters, digits and underscores.",
            "bad_source_name",
        )
    return source


def month_prefix(source: str, day: dt.date) -> str:
    """Where a source's objects of the day's month are."""
    return f"raw/{source}/{partition(day).rpartition('/')[0]}"


def day_prefix(source: str, day: dt.date) -> str:
    """Where a source's objects of a day are."""
    return f"raw/{source}/{partition(day)}"


def partition(day: dt.date) -> str:
    """The folders of a day, as engines that know Hive's partitions read them."""
    return f"year={day.year:04d}/month={day.month:02d}/day={day.day:02d}"


def days_in_parts(
    landed: Mapping[dt.date, Sequence[LandedObject]], enough: int, most: int | None = None
) -> Iterator[list[dt.date]]:
    """Days in their order, in parts that end with the day by which they have enough records.

    Args:
        landed: what has landed for each of the days.
        enough: how many records end a part.
        most: how many days a part may have; None for any number.
    """
    part: list[dt.date] = []
    records = 0
    for day, objects in landed.items():
        part.append(day)
        records += sum(each.records for each in objects)
        if records >= enough or len(part) == most:
            yield part
            part, records = [], 0
    if part:
        yield part


def by_source(
    objects: Iterable[LandedObject],
) -> dict[tuple[str, PayloadFormat], list[LandedObject]]:
    """Objects by what their payloads are read with: their source and format."""
    found: dict[tuple[str, PayloadFormat], list[LandedObject]] = {}
    for each in objects:
        found.setdefault((each.source, each.payload_format), []).append(each)
    return found


def write_manifest(landed: LandedObject, landed_at: dt.datetime) -> bytes:
    """The manifest of an object, landed at an aware time."""
    fields = {
        "source": landed.source,
        "book_date": landed.book_date.isoformat(),
        "version": landed.version,
        "key": landed.key,
        "records": landed.records,
        "payload_bytes": landed.payload_bytes,
        "payload_sha256": landed.payload_sha256,
        "object_bytes": landed.object_bytes,
        "object_sha256": landed.object_sha256,
        "request": landed.request,
        "landed_at": landed_at.astimezone(dt.UTC).isoformat(timespec="seconds"),
    }
    if landed.e_tag:
        fields["e_tag"] = landed.e_tag
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def read_manifest(manifest_key: str, text: bytes) -> LandedObject:
    """The object that a manifest describes.

    Raises:
        StoreError: the manifest is not as it was written.
    """
    try:
        fields = json.loads(text)
        landed = LandedObject(
            source=fields["source"],
            book_date=dt.date.fromisoformat(fields["book_date"]),
            version=int(fields["version"]),
            key=fields["key"],
            records=int(fields["records"]),
            payload_bytes=int(fields["payload_bytes"]),
            payload_sha256=fields["payload_sha256"],
            object_bytes=int(fields["object_bytes"]),
            object_sha256=fields["object_sha256"],
            request=dict(fields["request"]),
            e_tag=str(fields.get("e_tag", "")),
        )
        name = ObjectName.of(
            landed.source,
            landed.book_date,
            landed.version,
            landed.payload_sha256,
            landed.payload_format,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        name = None
    if name is None or (name.key, name.manifest_key) != (landed.key, manifest_key):
        raise StoreError(
            f"The manifest {manifest_key} is not as it was written: restore it from a copy.",
            "manifest_corrupt",
        )
    return landed
