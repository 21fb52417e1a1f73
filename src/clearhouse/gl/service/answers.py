"""Answers with an ETag, as bytes that were written once."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from starlette.requests import Request
from starlette.responses import Response

from clearhouse.gl.service.columns import published
from clearhouse.sandbox.gl import wire

JSON = "application/json"


_FEW = 400
"""Up to so many lines, writing one by one is faster than by column."""


def ndjson(table: pa.Table) -> bytes:
    """Lines as JSON, one a record."""
    if len(table) > _FEW:
        return wire.ndjson(table)
    return b"".join(as_json(row) + b"\n" for row in _rows(table))


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Lines as `wire` writes them."""
    named = zip(published(table).schema.names, published(table).columns, strict=True)
    columns = {name: _plain(column).to_pylist() for name, column in named}
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as JSON has it: decimals, dates and moments are texts."""
    if pa.types.is_integer(column.type):
        return column
    if pa.types.is_timestamp(column.type):
        texts = pc.strftime(column, "%Y-%m-%dT%H:%M:%S")
        return pc.replace_substring_regex(texts, r"\.0+$", "")
    return column.cast(pa.string())


def as_json(value: Any) -> bytes:
    """Plain data as JSON."""
    return msgspec.json.encode(value)


def answered(request: Request, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A body with its ETag, or 304 where the client has it."""
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    told = {"ETag": etag, "Cache-Control": "private, no-cache", **(headers or {})}
    if _has(request.headers.get("If-None-Match", ""), etag):
        return Response(status_code=304, headers=told)
    return Response(body, media_type=JSON, headers=told)


def _has(known: str, etag: str) -> bool:
    tags = (each.strip().removeprefix("W/") for each in known.split(","))
    return known.strip() == "*" or etag in tags


def dollars(minor: int) -> str:
    """Cents as text with two decimals, exactly."""
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{cents:02d}"
