"""Card numbers in what is stored: all but the first six and the last four digits are masked.

A card number is 12 to 19 digits, alone or with a space or a dash between groups of them, with a
right check digit (Luhn), and of a length that the issuer's range has. Digits of every script count,
and so do all spaces and dashes of Unicode. All other bytes stay as they are. In a string a digit
becomes `*`; in a number, which must stay one, `0`, from 14 digits on: no amount of money has as
many. The values of fields that a provider declares as ids are not touched.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from clearhouse.payments import issuers

_SHORTEST, _LONGEST = 12, 19
_FIRST, _LAST = 6, 4
"""Digits that may be shown."""
_SHORTEST_NUMBER = 14
_SHORTEST_BESIDE_LETTERS = 13
"""Of 12 digits among letters, as in hexadecimal ids, too many would pass for a card number."""

_SEPARATORS = b" -"
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_MANY_ZEROS = b"0" * _SHORTEST
_RUN = re.compile(rb"[0-9]+(?:[ -][0-9]+)*")
_UUID = re.compile(
    rb"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
)
_DIGITS = re.compile(rb"[0-9]+")
_WHOLE_NUMBER = re.compile(rb"-?([0-9]+)(?:\.0+)?")
_BY_NUMBER = (
    rb"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}"
    rb"|[\xc2-\xf4][\x80-\xbf]{1,3}"
)
"""A character that JSON writes by its number, or UTF-8 by several bytes."""
_ODD = re.compile(_BY_NUMBER)
_ESCAPE = re.compile(_BY_NUMBER + rb"|\\[^0-9]", re.S)
_AFTER_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{4}|[^u0-9])[0-9]", re.S)
"""A digit after an escape: what is written before it is not what is read before it."""
_TOKEN = re.compile(rb'[{}\[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\],:"]+', re.S)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_Place = tuple[int, int, bytes]
"""Start and end of what is masked, and what stands there then."""
_MEANT = frozenset(b"0123456789" + _SEPARATORS)
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")


@dataclass(frozen=True, slots=True)
class Masked:
    """A body without card numbers.

    Attributes:
        pointers: JSON pointers of the values, and of the names of members, that were changed.
    """

    body: bytes = field(repr=False)
    pointers: tuple[str, ...] = ()


def mask_json(body: bytes, id_fields: Collection[str]) -> Masked:
    """Mask the card numbers of a JSON text.

    Args:
        body: valid JSON in UTF-8.
        id_fields: names of members whose own values are ids, and stay.
    """
    if not _may_hold_card(body):
        return Masked(body)
    places: list[_Place] = []
    pointers = []
    for start, end, path in _values(body, id_fields):
        found = _to_mask(body, start, end)
        if found:
            places += found
            pointers.append(_pointer(path))
    unique = tuple(dict.fromkeys(pointers))
    return Masked(_masked(body, places), unique) if places else Masked(body)


def mask_text(text: bytes) -> bytes:
    """Mask the card numbers of bytes of which nothing is known: as they are, and as JSON reads."""
    if not _may_hold_card(text):
        return text
    plain = [(at, at + 1, b"*") for at in _hidden_digits(text)]
    return _masked(text, plain + _in_string(text, 0, len(text)))


def _may_hold_card(body: bytes) -> bool:
    """What rules most bodies out at little cost."""
    if _MANY_ZEROS not in body.translate(_AS_ZEROS, _SEPARATORS):
        return _has_odd_digits(body)
    if _has_odd_digits(body) or _AFTER_ESCAPE.search(body):
        return True
    return any(
        True for run in _RUN.finditer(body) for _ in _cards(run[0], _glued(body, *run.span()))
    )


def _has_odd_digits(body: bytes) -> bool:
    """Whether a digit, a space or a dash is written otherwise than by one byte."""
    if body.isascii() and (b"\\" not in body or b"\\u" not in body):  # one byte is found sooner
        return False
    return any(_character(odd) in _MEANT for odd in set(_ODD.findall(body)))


def _to_mask(body: bytes, start: int, end: int) -> list[_Place]:
    """What to mask in one token."""
    if end - start < _SHORTEST:
        return []
    if body[start] == ord('"'):
        return _in_string(body, start + 1, end - 1)
    number = _WHOLE_NUMBER.fullmatch(body, start, end)
    if number is None or len(number[1]) < _SHORTEST_NUMBER:
        return []
    first = number.start(1)
    return [(first + at, first + at + 1, b"0") for at in _hidden_digits(number[1])]


def _in_string(body: bytes, start: int, end: int) -> list[_Place]:
    text = body[start:end]
    if text.isascii() and b"\\" not in text:
        return [(start + at, start + at + 1, b"*") for at in _hidden_digits(text)]
    plain, places = _unescaped(text)
    return [(start + places[at], start + places[at + 1], b"*") for at in _hidden_digits(plain)]


def _unescaped(text: bytes) -> tuple[bytes, list[int]]:
    """Bytes with one byte for each character, and where in them each character begins."""
    plain, places, at = bytearray(), list[int](), 0
    for escape in _ESCAPE.finditer(text):
        plain += text[at : escape.start()]
        places += range(at, escape.start())
        plain.append(_character(escape[0]))
        places.append(escape.start())
        at = escape.end()
    plain += text[at:]
    places += range(at, len(text) + 1)
    return bytes(plain), places


@lru_cache(4096)
def _character(written: bytes) -> int:
    """The ASCII digit, space or dash that a character stands for; another one's own code, or 0."""
    if written.startswith(b"\\"):
        if len(written) == len(rb"\n"):  # not by its number, or by one that is broken off
            return 0
        character = json.loads(b'"' + written + b'"')
    else:
        character = written.decode(errors="replace")
    digit = unicodedata.decimal(character, None) if len(character) == 1 else None
    if digit is not None:
        return ord("0") + digit
    kind = unicodedata.category(character[0])
    meant = {"Zs": " ", "Pd": "-"}.get(kind, character)
    return ord(meant) if len(meant) == 1 and meant.isascii() else 0


def _hidden_digits(text: bytes) -> Iterator[int]:
    """Where the digits are that must not be shown."""
    text = _UUID.sub(lambda uuid: b"x" * len(uuid[0]), text)
    for run in _RUN.finditer(text):
        for first, last in _cards(run[0], _glued(text, *run.span())):
            digits = [at for at in range(first, last) if run[0][at] not in _SEPARATORS]
            yield from (run.start() + at for at in digits[_FIRST:-_LAST])


def _glued(text: bytes, start: int, end: int) -> tuple[bool, bool]:
    """Whether there is a letter before it, and after it."""
    before = start > 0 and text[start - 1] in _LETTERS
    return before, end < len(text) and text[end] in _LETTERS


def _cards(run: bytes, glued: tuple[bool, bool]) -> Iterator[tuple[int, int]]:
    """Start and end of each card number in groups of digits with something between them."""
    if len(run) < _SHORTEST:
        return
    groups = [group.span() for group in _DIGITS.finditer(run)]
    digits = run.translate(None, _SEPARATORS)
    ends = [0]
    for start, end in groups:
        ends.append(ends[-1] + end - start)
    sums: tuple[list[int], list[int]] | None = None
    for first, before in enumerate(ends[:-1]):
        if len(digits) - before < _SHORTEST:
            return
        lengths = issuers.lengths(digits[before : before + _FIRST])
        if not lengths:
            continue
        for last in range(first, len(groups)):
            after = ends[last + 1]
            if after - before > _LONGEST:
                break
            if after - before not in lengths:
                continue
            sums = sums or _sums_of_luhn(digits)  # few come so far
            beside = (first == 0 and glued[0]) or (last + 1 == len(groups) and glued[1])
            alone = first == last and after - before >= _SHORTEST_BESIDE_LETTERS
            if (alone or not beside) and _sum(sums, before, after) % 10 == 0:
                yield groups[first][0], groups[last][1]


def _sums_of_luhn(digits: bytes) -> tuple[list[int], list[int]]:
    """Running sums of the digits: with those at even places doubled, and those at odd ones."""
    even, odd = [0], [0]
    for at, byte in enumerate(digits):
        digit = byte - 48
        doubled = _DOUBLED[digit]
        even.append(even[-1] + (digit if at % 2 else doubled))
        odd.append(odd[-1] + (doubled if at % 2 else digit))
    return even, odd


def _sum(sums: tuple[list[int], list[int]], start: int, end: int) -> int:
    """Luhn's sum of a part: the digit before its last is doubled, and every other from there."""
    chosen = sums[end % 2]
    return chosen[end] - chosen[start]


def _masked(body: bytes, places: list[_Place]) -> bytes:
    changed, at = bytearray(), 0
    for start, end, shown in sorted(set(places)):
        if start >= at:  # else it is a part of an escape that is masked as a whole
            changed += body[at:start] + shown
            at = end
    return bytes(changed + body[at:])


def _values(
    body: bytes, id_fields: Collection[str]
) -> Iterator[tuple[int, int, Sequence[str | int]]]:
    """Start, end and path of each text and number that is no id, and of each member's name."""
    path: list[str | int] = []
    is_name, is_id = False, False
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"{[":
            is_name = first == ord("{")
            is_id = is_id and not is_name  # a list of ids holds ids
            path.append("" if is_name else 0)
        elif first in b"}]":
            path.pop()
            is_id = False
        elif first == ord(","):
            place = path[-1]
            is_name = isinstance(place, str)
            if isinstance(place, int):
                path[-1] = place + 1
        elif first == ord(":"):
            is_name = False
        elif is_name:
            name = json.loads(token[0])
            path[-1], is_id = name, name in id_fields
            yield *token.span(), path
        elif not is_id:
            yield *token.span(), path


def _pointer(path: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901); a name in it may hold a card number itself."""
    parts = (mask_text(str(part).encode(errors="replace")).decode() for part in path)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
