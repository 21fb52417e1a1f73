"""Answers with an ETag, as bytes that were written once."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"


def ndjson(table: pa.Table) -> bytes:
    """Lines as JSON, one a record."""
    from clearhouse.sandbox.gl import wire

    return wire.ndjson(table)


def json_list(table: pa.Table) -> bytes:
    """Lines as a JSON list."""
    return b"[" + b",".join(ndjson(table).splitlines()) + b"]"


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
