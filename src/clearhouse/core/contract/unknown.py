"""The fields that a contract does not name, kept as they were written.

Each line is split into its members once, in C, and what is nested in an unknown field is parsed
once more: some 10 and 20 µs a line of 45 fields. That is in proportion to the lines, however many
names there are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from clearhouse.core.contract.lines import split_lines
from clearhouse.core.contract.model import Contract
from clearhouse.core.contract.reading import form_pattern
from clearhouse.core.contract.rules import NumberText, decode_value

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_MOST_NAMES = 64
"""Of one record. Each is looked for in the whole line, at a cost that grows with their square."""


@dataclass(frozen=True)
class Unknown:
    """What stands in lines beside the contract's fields.

    Attributes:
        extra: JSON text of the unknown fields in order of name, numbers as they were written; null
            where there are none.
        doubt: true for lines of which it can't be said here; `extra` is null there.
    """

    extra: pa.Array
    doubt: pa.Array


def unknown_fields(lines: bytes, contract: Contract) -> Unknown:
    """The unknown fields of lines that Arrow took for JSON."""
    known = contract.by_source_name.keys()
    read_by_text = {*contract.key, contract.amount, contract.currency} | {
        f for f in contract.sent if form_pattern(f)
    }
    guarded = [_quoted(f.source_name) for f in read_by_text if f.constant is None]
    extra: list[str | None] = []
    doubt: list[bool] = []
    for line in split_lines(lines):
        try:
            members = _MEMBERS.decode(line)
            names = sorted(members.keys() - known)
            extra.append(_extra(line, members, names, guarded) if names else None)
            doubt.append(False)
        except (ValueError, UnicodeDecodeError):
            extra.append(None)
            doubt.append(True)
    return Unknown(pa.array(extra, pa.string()), pa.array(doubt, pa.bool_()))


def extra_text(fields: Mapping[str, object]) -> str | None:
    """Unknown fields of a decoded record, as JSON text in order of name; None of none."""
    return json_text({name: fields[name] for name in sorted(fields)}) if fields else None


def json_text(value: object) -> str:
    """JSON text with every number as it was written."""
    if isinstance(value, NumberText):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(k)}:{json_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return _ENCODER.encode(value)


def _extra(
    line: bytes, members: Mapping[str, msgspec.Raw], names: list[str], guarded: list[bytes]
) -> str:
    """The unknown members of a line.

    Raises:
        ValueError: an escape, or a name inside a nested value, could pass for another field of the
            record; a name may stand twice; or there are too many names.
    """
    if b"\\" in line or len(names) > _MOST_NAMES:
        raise ValueError
    parts = []
    for name in names:
        value = bytes(members[name])
        if line.count(_quoted(name)) > 1:
            raise ValueError
        text = value.decode()
        if text[0] in "{[":
            if any(other in value for other in guarded):
                raise ValueError
            decode_value(text)  # refuses an object that names a member twice
            text = msgspec.json.format(text, indent=-1)
        parts.append(f'"{name}":{text}')
    return "{" + ",".join(parts) + "}"


def _quoted(name: str) -> bytes:
    return f'"{name}"'.encode()
