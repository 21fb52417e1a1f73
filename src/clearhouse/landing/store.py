"""Landing: raw payloads by source and day, each kept byte for byte, with a manifest.

- An object has landed when its manifest is there; the manifest is written last. After a crash
  between the two, the next put of the same bytes completes what was begun.
- The bytes of the last answer again create nothing. Other bytes become the next version, also those
  of an earlier one: the source has gone back to it. Nothing that has landed is ever written again.
- A day has one writer at a time, by the lock of its domain. Should two write at once, both payloads
  are kept; they may then share a version number, and the key decides their order.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Self

import pyarrow as pa

from clearhouse.core.contract import PayloadFormat
from clearhouse.core.errors import StoreError, UsageError
from clearhouse.core.window import Window
from clearhouse.landing.folder import ObjectFolder, Stored
from clearhouse.landing.objects import (
    CORRECTS,
    Counted,
    LandedObject,
    ObjectName,
    checked_source,
    day_prefix,
    month_prefix,
    parse_key,
    read_manifest,
    write_manifest,
)

_ZSTD_LEVEL = 1
"""1.7 GB/s, where higher levels save little on JSON lines."""
_READS_AT_ONCE = 16
"""Manifests are small: over a network, waiting for each in turn would be the cost."""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Landing:
    """What arrived from the sources.

    Args:
        folder: where it is kept.
        now: the clock for `landed_at` (aware).
    """

    def __init__(self, folder: ObjectFolder, now: Callable[[], dt.datetime] = _now) -> None:
        self._folder = folder
        self._now = now
        self._zstd = pa.Codec("zstd", compression_level=_ZSTD_LEVEL)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """The landing at file:///path or s3://bucket/prefix.

        Raises:
            SettingsError: another kind of URL, or one that can't be used.
        """
        return cls(ObjectFolder.from_url(url))

    def put(
        self,
        source: str,
        book_date: dt.date,
        payload: bytes,
        request: Mapping[str, Any],
        counted: Counted | None = None,
    ) -> LandedObject:
        """Land a payload; when this returns, it is durable.

        Args:
            source: name of the outside system: lower-case letters, digits, underscores.
            book_date: the day it belongs to.
            payload: what arrived. NDJSON: each line ended by a newline; empty for a day without
                records. Other formats: an answer in which `contract.rows_of` found the rows.
            request: what the source was asked, as JSON can hold it; of rows that came by correcting
                one, which it is (`CORRECTS`). They are compared with the last correction of that
                row, and what a source gave with what it gave last.
            counted: the rows of another format than NDJSON, whose lines are counted here.

        Raises:
            UsageError: the last line of NDJSON has no end, or the source's name is not one.
            StoreError: the store can't be read or written, or is not as it was left.
        """
        checked_source(source)
        if counted is None and payload and not payload.endswith(b"\n"):
            raise UsageError(
                f"A payload of {source} for {book_date} ends without a newline: land whole lines.",
                "payload_unended",
            )
        rows = counted or Counted(PayloadFormat.NDJSON, payload.count(b"\n"))
        digest = hashlib.sha256(payload).hexdigest()
        names = self._names(day_prefix(source, book_date))
        landed = self._load({n: seen for n, (complete, seen) in names.items() if complete})
        answers = [o for o in landed if o.request.get(CORRECTS) == request.get(CORRECTS)]
        if answers and answers[-1].payload_sha256 == digest:
            return answers[-1]
        newest = max((earlier.version for earlier in landed), default=0)
        for name, (complete, _) in names.items():
            # Only the newest may be completed: an older one would come after a correction.
            begun = not complete and name.version > newest and digest.startswith(name.digest)
            alike = begun and name.payload_format is rows.payload_format
            if alike and self._holds(name.key, payload):
                break
        else:
            version = max((name.version for name in names), default=0) + 1
            name = ObjectName.of(source, book_date, version, digest, rows.payload_format)
        return self._land(name, digest, payload, rows.records, dict(request))

    def put_numbered(
        self,
        source: str,
        book_date: dt.date,
        number: int,
        payload: bytes,
        request: Mapping[str, Any],
    ) -> LandedObject:
        """Land NDJSON under a version that the payload's place in a stream says, without a listing.

        For a source that only lands so. The same bytes again create nothing; other bytes under the
        same number stand beside the earlier ones, and their request says what they hold.

        Raises:
            StoreError: the store can't be read or written, or is not as it was left.
        """
        digest = hashlib.sha256(payload).hexdigest()
        name = ObjectName.of(
            checked_source(source), book_date, number, digest, PayloadFormat.NDJSON
        )
        return self._land(name, digest, payload, payload.count(b"\n"), dict(request))

    def objects(self, source: str, book_date: dt.date) -> list[LandedObject]:
        """Everything landed for a day, in the order of versions.

        Raises:
            StoreError: the store can't be read, or a manifest is not as it was written.
        """
        names = self._names(day_prefix(checked_source(source), book_date))
        return self._load({n: seen for n, (complete, seen) in names.items() if complete})

    def days(self, source: str, window: Window) -> dict[dt.date, list[LandedObject]]:
        """Everything landed for the days of a window (without its look-back).

        Each day is a key, also where nothing landed. One listing per month of the window.

        Raises:
            StoreError: as for `objects`.
        """
        checked_source(source)
        days: dict[dt.date, list[LandedObject]] = {day: [] for day in window}
        prefixes = dict.fromkeys(month_prefix(source, day) for day in days)
        landed = self._load(
            {
                name: seen
                for prefix in prefixes
                for name, (complete, seen) in self._names(prefix).items()
                if complete and name.book_date in window
            }
        )
        for item in landed:
            days[item.book_date].append(item)
        return days

    def landed_days(self, source: str) -> list[dt.date]:
        """The days of which something of a source has landed, in order."""
        names = self._names(f"raw/{checked_source(source)}")
        return sorted({name.book_date for name, (complete, _) in names.items() if complete})

    def unlanded(self, source: str) -> list[tuple[str, dt.date | None]]:
        """Keys below a source that did not land, each with its day: without a manifest, or of no
        landed object at all (None).
        """
        prefix = f"raw/{checked_source(source)}"
        strange = [(key, None) for key in self._folder.keys(prefix) if parse_key(key) is None]
        names = self._names(prefix).items()
        return [*strange, *((n.key, n.book_date) for n, (complete, _) in names if not complete)]

    def read(self, landed: LandedObject) -> bytes:
        """The payload of an object, byte for byte as it arrived.

        Raises:
            StoreError: it is missing (object_missing) or not as it was landed (object_corrupt).
        """
        stored = self._folder.get(landed.key)
        if stored is None:
            raise StoreError(
                f"The landed object {landed.key} is missing: restore it from a copy.",
                "object_missing",
            )
        payload = None
        if hashlib.sha256(stored).hexdigest() == landed.object_sha256:
            # The frame's hash says that it is as it was packed: the payload need not be hashed too.
            payload = self._decompressed(stored, landed.payload_bytes)
        if payload is None:
            raise StoreError(
                f"The landed object {landed.key} is not as it was landed (its SHA-256 differs): "
                "restore it from a copy.",
                "object_corrupt",
            )
        return payload

    def verify(self, landed: LandedObject) -> bool:
        """Whether the object is there with the bytes that its manifest promises.

        They are read, unless an object store has just listed it by the size and e_tag that it had
        when it was written.

        Raises:
            StoreError, ServerError: the store can't be read.
        """
        if landed.is_as_written:
            return True
        stored = self._folder.get(landed.key)
        return stored is not None and hashlib.sha256(stored).hexdigest() == landed.object_sha256

    def check(self) -> None:
        """See that the store answers.

        Raises:
            StoreError, ServerError: it does not.
        """
        self._folder.check()

    def local_path(self, landed: LandedObject) -> str | None:
        """Path of the object as a local file; None where it is in an object store."""
        root = self._folder.root
        return None if root is None else str(root / landed.key)

    def shell(self, landed: LandedObject) -> tuple[str, str] | None:
        """Where an object is, and the shell command that prints the payload of `$f`; None where no
        shell reads it. That of an object in S3 needs AWS's command line.
        """
        if (path := self.local_path(landed)) is not None:
            return path, 'zstdcat "$f"'
        url = self._folder.url
        return (f"{url}/{landed.key}", 'aws s3 cp --quiet "$f" - | zstdcat') if url else None

    def _land(
        self,
        name: ObjectName,
        digest: str,
        payload: bytes,
        records: int,
        request: dict[str, Any],
    ) -> LandedObject:
        stored = self._zstd.compress(payload, asbytes=True)
        kept = self._folder.create(name.key, stored)
        if kept is None:
            # Begun before, maybe by a version of zstd that packs the same bytes otherwise.
            kept = self._folder.stat(name.key)
            stored = self._folder.get(name.key) or b""
            if self._decompressed(stored, len(payload)) != payload:
                raise StoreError(
                    f"{name.key} was written by another process meanwhile: run again.",
                    "object_conflict",
                )
        landed = LandedObject(
            source=name.source,
            book_date=name.book_date,
            version=name.version,
            key=name.key,
            records=records,
            payload_bytes=len(payload),
            payload_sha256=digest,
            object_bytes=len(stored),
            object_sha256=hashlib.sha256(stored).hexdigest(),
            request=request,
            e_tag=kept.e_tag if kept else "",
        )
        created = self._folder.create(name.manifest_key, write_manifest(landed, self._now()))
        return replace(landed, created=True) if created else self._manifest(name)

    def _names(self, prefix: str) -> dict[ObjectName, tuple[bool, Stored | None]]:
        """The objects below a prefix, in order of day and version: whether each has landed, and
        what the store says of it.
        """
        names: dict[ObjectName, tuple[bool, Stored | None]] = {}
        for key, stored in self._folder.keys(prefix).items():
            parsed = parse_key(key)
            if parsed is not None:
                name, is_manifest = parsed
                complete, seen = names.get(name, (False, None))
                names[name] = (True, seen) if is_manifest else (complete, stored)
        return {name: names[name] for name in sorted(names)}

    def _load(self, names: Mapping[ObjectName, Stored | None]) -> list[LandedObject]:
        if self._folder.root is None:
            with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
                landed = list(pool.map(self._manifest, names))
        else:  # a local file is read before a thread has begun
            landed = list(map(self._manifest, names))
        return [replace(o, seen=seen) for o, seen in zip(landed, names.values(), strict=True)]

    def _manifest(self, name: ObjectName) -> LandedObject:
        return read_manifest(name.manifest_key, self._folder.get(name.manifest_key) or b"")

    def _holds(self, key: str, payload: bytes) -> bool:
        stored = self._folder.get(key)
        return stored is not None and self._decompressed(stored, len(payload)) == payload

    def _decompressed(self, stored: bytes, payload_bytes: int) -> bytes | None:
        """The payload in a zstd frame of exactly so many bytes; None for anything else."""
        try:
            payload: bytes = self._zstd.decompress(
                stored, decompressed_size=payload_bytes, asbytes=True
            )
        except OSError:
            return None
        return payload if len(payload) == payload_bytes else None
