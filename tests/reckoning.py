"""What must become of each line that a source served, reckoned by hand.

Nothing of the platform is used, only json, re and arithmetic: the rules are those of the decisions
in docs/, written down a second time. Types are those that the fields have in recorded answers of a
real simtom.
"""

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playback import SIMTOM

MOST_REJECTED_SHARE = 0.01
"""What the raw gate lets pass."""


def texts(stream: bytes) -> list[bytes]:
    """The JSON texts of a whole stream."""
    return [record.removeprefix(b"data: ") for record in stream.split(b"\n\n") if record]


# --- what one line is ---------------------------------------------------------------------------


class Written(str):
    """A JSON number with a fraction or an exponent, as it was written."""


def parsed(text: bytes) -> dict[str, Any] | None:
    """The one JSON object that a line is, if it is one."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def refuse(_name: str) -> None:
        raise ValueError

    try:
        record = json.loads(
            text.decode(), parse_float=Written, parse_constant=refuse, object_pairs_hook=once
        )
    except (ValueError, AssertionError):
        return None
    return record if isinstance(record, dict) else None


RECORDED = [parsed(text) or {} for text in texts((SIMTOM / "three-days-seed-42.txt").read_bytes())]
TYPES = {key: {type(r.get(key)) for r in RECORDED} for r in RECORDED for key in r}
MONEY = ("amount", "first_payment_amount", "product_price")


def keeps_its_types(record: dict[str, Any]) -> bool:
    return (
        all(type(record.get(key)) in types for key, types in TYPES.items())
        and all(re.fullmatch(r"-?\d{1,13}(\.\d{1,2})?", record[key]) for key in MONEY)
        and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", record["_timestamp"]) is not None
    )


@dataclass(frozen=True)
class Line:
    """One line as the books read it: by what stands first in its text."""

    text: bytes

    def _first(self, pattern: bytes) -> str:
        found = re.search(pattern, self.text)
        return found.group(1).decode() if found else ""

    @property
    def key(self) -> tuple[str, str]:
        date = self._first(rb'"_timestamp": "(\d{4}-\d\d-\d\d)T')
        return date, self._first(rb'"transaction_id": "([^"\\]*)"')

    @property
    def cents(self) -> int:
        """0 where there is no amount of at most two decimals in dollars."""
        amount = self._first(rb'"amount": (-?\d{1,13}(?:\.\d{1,4})?)[,}]')
        whole, _, part = amount.partition(".")
        if not amount or len(part) > 2 or b'"currency": "USD"' not in self.text:
            return 0
        return int(whole + part.ljust(2, "0"))

    @property
    def is_good(self) -> bool:
        """Whether a reader of JSON finds what was promised, and what the books read."""
        record = parsed(self.text)
        if record is None or not keeps_its_types(record):
            return False
        return self.key == (record["_timestamp"][:10], record["transaction_id"]) and (
            f"{self.cents / 100:.2f}" == f"{float(record['amount']):.2f}"
        )


# --- what becomes of a day ----------------------------------------------------------------------

Sums = tuple[int, int]  # records, cents


def sums(lines: Iterable[Line]) -> Sums:
    lines = list(lines)
    return len(lines), sum(line.cents for line in lines)


@dataclass(frozen=True)
class Arrived:
    """All lines of a day in order of arrival, and where each of them belongs."""

    pulls: tuple[bytes, ...] = ()

    def and_then(self, stream: bytes) -> "Arrived":
        """Bytes that have landed do not land again."""
        return self if stream in self.pulls else Arrived((*self.pulls, stream))

    def lines(self) -> list[Line]:
        return [Line(text) for stream in self.pulls for text in texts(stream)]

    def distinct(self) -> list[Line]:
        return list(dict.fromkeys(self.lines()))

    def rejected(self) -> list[Line]:
        return [line for line in self.distinct() if not line.is_good]

    def accepted(self) -> list[Line]:
        return [line for line in self.distinct() if line.is_good]

    def current(self) -> list[Line]:
        """The last version of each key."""
        return list({line.key: line for line in self.accepted()}.values())

    def is_held_for_its_rejected(self) -> bool:
        """Whether too many were rejected, but for those whose key came again and was accepted."""
        keys = {line.key for line in self.accepted()}
        rejected = sum(line.key not in keys for line in self.rejected())
        return rejected / (len(keys) + rejected) > MOST_REJECTED_SHARE

    def sides(self) -> dict[tuple[str, str], Sums]:
        """Records and cents by hop and side, up to gold."""
        all_, distinct, accepted = sums(self.lines()), sums(self.distinct()), sums(self.accepted())
        current = sums(self.current())
        return {
            ("landing → bronze", "in"): all_,
            ("landing → bronze", "out"): accepted,
            ("landing → bronze", "rejected"): sums(self.rejected()),
            ("landing → bronze", "duplicate"): less(all_, distinct),
            ("bronze → silver", "in"): accepted,
            ("bronze → silver", "out"): current,
            ("bronze → silver", "superseded"): less(accepted, current),
            ("silver → gold", "in"): current,
            ("silver → gold", "out"): current,
        }


def less(a: Sums, b: Sums) -> Sums:
    return a[0] - b[0], a[1] - b[1]


def seen(published: dict[dt.date, list[Line]]) -> dict[dt.date, dict[str, list[Line]]]:
    """By day what readers see (`out`), and what is hidden from them.

    Of each key they see the version whose bytes first arrived last, on the day they first arrived.
    """
    first: dict[Line, dt.date] = {}
    for day in sorted(published):
        for line in published[day]:
            first.setdefault(line, day)
    newest: dict[tuple[str, str], dt.date] = {}
    for line, day in first.items():
        newest[line.key] = max(day, newest.get(line.key, day))
    found: dict[dt.date, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for day, lines in published.items():
        for line in lines:
            hidden = "superseded" if day < newest[line.key] else "out"
            found[day]["duplicate" if first[line] < day else hidden].append(line)
    return found
