"""The rows of a payload, by the format of its contract.

Landing keeps an answer as it arrived. Here its rows are taken out: for each a line of NDJSON, which
the books and the contract read, and the row's own bytes, which its `_record_id` is made of and
which quarantine keeps:

- NDJSON: the line itself, for both;
- JSON rows: the exact text of each element of the array; its line has spaces for line breaks;
- CSV: the record's text without its line end, over several lines where a cell is quoted over them;
  its line is an object of the cells that are not empty, by the header's names. A cell is written as
  a number, true or false where the contract has such a field and the cell looks like one, else as a
  text. This is the one format that is read in Python cell by cell, at some 10 µs a row.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from clearhouse.core.contract.forms import is_quoted
from clearhouse.core.contract.model import Contract, PayloadFormat
from clearhouse.core.errors import SourceError
from clearhouse.core.not_json import NOT_JSON, with_whole_characters

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_PAIRS = json.JSONDecoder(object_pairs_hook=list)
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")
_BARE = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false")
_ANSWER_SHOWN = 200
_BEGINNING = 200
"""Bytes by which a long text is looked for."""


@dataclass(frozen=True)
class Rows:
    """The rows of a payload.

    Attributes:
        lines: one line of NDJSON a row.
        own: each row's own bytes; None where they are its line.
        faults: what is wrong with a row that can't be read at all, by index; its line is empty.
    """

    lines: bytes
    own: tuple[bytes, ...] | None = None
    faults: Mapping[int, str] = field(default_factory=dict)


def rows_of(payload: bytes, contract: Contract, kind: PayloadFormat | None = None) -> Rows:
    """The rows of a source's answer. A client calls this before it lands one.

    Args:
        payload: the answer.
        contract: as the source states it (`Contract.of`): says the format, the key of the rows and
            which cells are numbers.
        kind: the format, where it is another than the contract's.

    Raises:
        SourceError: the answer is not of its format.
    """
    kind = kind or contract.payload_format
    if kind is PayloadFormat.JSON_ROWS:
        return _json_rows(payload, contract.rows_under)
    if kind is PayloadFormat.CSV:
        return _csv_rows(payload, contract)
    return Rows(payload)


def landed_rows(payload: bytes, contract: Contract, kind: PayloadFormat | None = None) -> Rows:
    """The rows of what has landed.

    A payload that is not of its format (it should never have landed) is one row, its whole bytes,
    that can't be read: it counts as one record of 0 XXX and goes to quarantine.
    """
    try:
        return rows_of(payload, contract, kind)
    except SourceError as error:
        return Rows(b"\n", (payload,), {0: error.message})


def _json_rows(payload: bytes, under: str) -> Rows:
    array = readable = with_whole_characters(payload)
    try:
        for key in under.split("."):
            array = _member(array, key)
        own: Sequence[msgspec.Raw | bytes] = _ELEMENTS.decode(array)
    except NOT_JSON as error:
        raise _unlike(payload, f"is not JSON with a list of rows under {under!r}") from error
    except KeyError:
        raise _unlike(payload, f"has no {under!r}, the key of its rows") from None
    except _TwiceError:
        raise _unlike(payload, f"has {under!r}, the key of its rows, twice") from None
    if readable != payload:
        own = list(_as_written(map(bytes, own), payload, readable, readable.find(array)))
    lines = b"\n".join([*own, b""])
    if lines.count(b"\n") == len(own) and b"\r" not in lines:
        return Rows(lines)
    whole = tuple(map(bytes, own))
    return Rows(b"".join(row.translate(_LINE_BREAKS) + b"\n" for row in whole), whole)


def _as_written(rows: Iterable[bytes], payload: bytes, readable: bytes, at: int) -> Iterator[bytes]:
    """The bytes of a payload where another of its length has rows, from a place on."""
    for row in rows:
        at = readable.index(row, at)
        yield payload[at : at + len(row)]
        at += len(row)


class _TwiceError(Exception):
    """An object has two members of one name."""


def _member(text: bytes, key: str) -> bytes:
    """The text of a member of a JSON object.

    Raises:
        KeyError: there is none.
        _TwiceError: there are two. A decoder takes the last: rows of the first would be lost.
        DecodeError, UnicodeDecodeError: it is no object.
    """
    found = bytes(_MEMBERS.decode(text)[key])
    at = text.find(found[:_BEGINNING])
    while not text.startswith(found, at):  # to look for all of a long text takes far longer
        at = text.find(found[:_BEGINNING], at + 1)
    rest = b"%bnull%b" % (text[:at], text[at + len(found) :])
    members = _PAIRS.decode(rest.decode())
    if sum(name == key for name, _ in members) > 1:
        raise _TwiceError
    return found


def _csv_rows(payload: bytes, contract: Contract) -> Rows:
    # Bytes that are not UTF-8 stay what they are, and are rejected with their row.
    text = payload.removeprefix("\ufeff".encode()).decode("utf-8", "surrogateescape")
    texts = list(io.StringIO(text, newline=""))
    records = _csv_records(texts)
    header, _, fault = next(records, (None, "", None))
    if not header or fault or len(set(header)) < len(header):
        raise _unlike(payload, "does not begin with a line of different column names")
    bare = {f.source_name for f in contract.sent if not is_quoted(f)}
    columns = [(json.dumps(name, ensure_ascii=False), name in bare) for name in header]
    lines: list[str] = []
    own: list[str] = []
    faults: dict[int, str] = {}
    for cells, written, fault in records:
        if fault or len(cells) != len(columns):
            faults[len(own)] = fault or f"it has {len(cells)} cells and the header {len(columns)}"
        lines.append("" if len(own) in faults else _object(columns, cells))
        own.append(written)
    if any(fault == _CUT for fault in faults.values()):
        raise _unlike(payload, "ends inside a quoted cell")
    ended = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    own_bytes = tuple(written.encode("utf-8", "surrogateescape") for written in own)
    return Rows(
        ended, own_bytes, {row: f"The CSV row is broken: {f}." for row, f in faults.items()}
    )


_CUT = "unexpected end of data"
"""What Python's csv module says of a text that ends inside quotes."""


def _csv_records(texts: list[str]) -> Iterator[tuple[list[str], str, str | None]]:
    """Each record's cells, its text without the line end, and what is wrong with it."""
    reader = csv.reader(texts, strict=True)
    begin = 0
    while True:
        cells: list[str] = []
        fault = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = str(error)
        written = "".join(texts[begin : reader.line_num])
        begin = reader.line_num
        if cells or fault:  # a blank line is no record
            yield cells, written.removesuffix("\n").removesuffix("\r"), fault


def _object(columns: list[tuple[str, bool]], cells: list[str]) -> str:
    members = (
        f"{name}:{cell if bare and _BARE.fullmatch(cell) else json.dumps(cell, ensure_ascii=False)}"
        for (name, bare), cell in zip(columns, cells, strict=True)
        if cell
    )
    return "{" + ",".join(members) + "}"


def _unlike(payload: bytes, how: str) -> SourceError:
    begin = payload[:_ANSWER_SHOWN].decode("utf-8", "replace")
    return SourceError(
        f"The answer {how}, and nothing of it is kept; it begins with {begin!r}.", "bad_answer"
    )
