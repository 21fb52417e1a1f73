"""Bytes that are no JSON, or none that msgspec can read."""

import re

import msgspec

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises: it is not JSON, a text in it is not UTF-8, or it nests too deep."""

_ESCAPE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""A backslash, a pair of surrogates, or (the group) half of one."""


def with_whole_characters(payload: bytes) -> bytes:
    """JSON of the same length in which each escaped half of a character is U+FFFD.

    A name that was cut within an emoji has one. The grammar of JSON allows it, and msgspec takes
    the whole payload for none.
    """
    if b"\\ud" not in payload and b"\\uD" not in payload:
        return payload
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], payload)
