"""Lines as files, made piece by piece: memory holds one piece, however many lines there are."""

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet as pq

from clearhouse.gl.service import columns
from clearhouse.gl.service.answers import ndjson
from clearhouse.sandbox.gl.schema import LINE_SCHEMA

MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
_NOTHING = columns.published(LINE_SCHEMA.empty_table())


def as_ndjson(pieces: Iterable[pa.Table]) -> Iterator[bytes]:
    """JSON, one line a record."""
    return map(ndjson, pieces)


def as_csv(pieces: Iterable[pa.Table]) -> Iterator[bytes]:
    """CSV with a header."""
    yield _csv(_NOTHING, has_header=True)
    for table in pieces:
        yield _csv(columns.published(table), has_header=False)


def as_parquet(pieces: Iterable[pa.Table]) -> Iterator[bytes]:
    """Parquet, a row group for each piece."""
    sink = _Sink()
    with pq.ParquetWriter(sink, _NOTHING.schema, compression="zstd") as writer:
        for table in pieces:
            writer.write_table(columns.published(table))
            yield sink.taken()
    yield sink.taken()


WRITERS: dict[str, Callable[[Iterable[pa.Table]], Iterator[bytes]]] = {
    "ndjson": as_ndjson,
    "csv": as_csv,
    "parquet": as_parquet,
}


def _csv(table: pa.Table, *, has_header: bool) -> bytes:
    written = io.BytesIO()
    csv.write_csv(table, written, csv.WriteOptions(include_header=has_header))
    return written.getvalue()


class _Sink(io.RawIOBase):
    """Holds what was written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, part: Any) -> int:
        """Hold a part."""
        self._parts.append(bytes(part))
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._written

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
