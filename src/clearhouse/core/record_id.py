"""What a record is known by, from landing on."""

import hashlib


def record_id(source: str, key: str, own: bytes) -> str:
    """The `_record_id` of a row: by its source's name, its `_record_key` and its own bytes."""
    identity = f"{source}|{key}|".encode() + own
    return hashlib.md5(identity, usedforsecurity=False).hexdigest()
