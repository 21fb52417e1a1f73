"""What the books hold: entries, sides and totals."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from enum import StrEnum

RECORDS = "records"
HASH = "hash"
MINOR = "minor:"


class Side(StrEnum):
    """Where a record of a hop is counted. What is `in` is found again on one of the others."""

    IN = "in"
    OUT = "out"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    IGNORED = "ignored"
    HELD = "held"


class Status(StrEnum):
    """State of an entry: `open` while its work is under way, then what came of it.

    `held`: it balances, and a gate's verdict on it failed and is not released.
    """

    OPEN = "open"
    BALANCED = "balanced"
    UNBALANCED = "unbalanced"
    HELD = "held"
    FAILED = "failed"

    @property
    def is_measured(self) -> bool:
        """Whether its totals were measured."""
        return self not in (Status.OPEN, Status.FAILED)


@dataclass(frozen=True, slots=True)
class Totals:
    """Measures of a set of records: `records`, `hash` and `minor:<currency>`, all integers.

    A measure that is not there is 0; amounts of 0 are left out, so that equal sets have equal
    totals whatever currencies were asked for.
    """

    measures: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {k: v for k, v in self.measures.items() if v or k in (RECORDS, HASH)}
        object.__setattr__(self, "measures", {RECORDS: 0, HASH: 0, **kept})

    def __getitem__(self, measure: str) -> int:
        return self.measures.get(measure, 0)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals({m: self[m] + other[m] for m in {*self.measures, *other.measures}})

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals({m: self[m] - other[m] for m in {*self.measures, *other.measures}})

    def __bool__(self) -> bool:
        return any(self.measures.values())

    @property
    def records(self) -> int:
        """Number of records."""
        return self[RECORDS]

    def amounts(self) -> Iterator[tuple[str, int]]:
        """Pairs of currency and minor units, in order of currency."""
        for measure in sorted(self.measures):
            if measure.startswith(MINOR):
                yield measure.removeprefix(MINOR), self.measures[measure]


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 hex of the rows of `in`, and of those of all other sides together.

    Totals add up, and so could be kept while rows change. These can't (`books.digests`).

    Attributes:
        content: the columns that are part of a row beside those of the spine.
    """

    entering: str = ""
    leaving: str = ""
    content: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a hop's stores hold for a day. Without `in` there is nothing to balance against."""

    totals: Mapping[Side, Totals]
    digests: Digests = Digests()

    @property
    def balances(self) -> bool:
        """Whether what went in is what came out, in its totals and row by row."""
        same = Side.IN not in self.totals or self.digests.entering == self.digests.leaving
        return same and not difference(self.totals)

    def is_found_in(self, other: "Measured") -> bool:
        """Whether the other is the same; digests that are not known say nothing."""
        same_rows = not self.digests.leaving or self.digests == other.digests
        return same_rows and canonical(self.totals) == canonical(other.totals)

    @property
    def ref(self) -> str:
        """SHA-256 hex of totals and digests, by which a later run knows what it left."""
        totals = json.dumps(canonical(self.totals), sort_keys=True, separators=(",", ":"))
        entering, leaving, content = astuple(self.digests)
        return digest(totals, entering, leaving, *content)


@dataclass(frozen=True, slots=True)
class EntryKey:
    """What an entry is a function of; its id is the SHA-256 of it.

    Attributes:
        covers: what its input is, in words, where they say it whole, such as ranges of a log: the
            text that `input_hash` is the digest of.
    """

    domain: str
    hop: str
    book_date: dt.date
    input_hash: str
    code_hash: str
    covers: str = field(default="", compare=False)

    @property
    def entry_id(self) -> str:
        """SHA-256 hex of domain, hop, book date, input hash and code hash."""
        parts = (self.domain, self.hop, str(self.book_date), self.input_hash, self.code_hash)
        return digest(*parts)


@dataclass(frozen=True, slots=True)
class Entry:
    """One hop of one day in the books.

    Attributes:
        totals: by side; a side that nothing was measured for is not there. Without `in` (a
            source that states no count) there is nothing to balance against.
        output_ref: `Measured.ref` of what was measured.
        run_id, entered_at: by which run and when; no part of the entry's identity.
    """

    key: EntryKey
    status: Status
    totals: Mapping[Side, Totals] = field(default_factory=dict)
    output_ref: str = ""
    run_id: str = ""
    entered_at: dt.datetime | None = None
    digests: Digests = Digests()

    @property
    def entry_id(self) -> str:
        """See `EntryKey.entry_id`."""
        return self.key.entry_id

    @property
    def measured(self) -> Measured:
        """What was measured when it was entered."""
        return Measured(self.totals, self.digests)

    @property
    def difference(self) -> Totals:
        """What came out too much (or, negative, is missing), measure by measure."""
        return difference(self.totals)


def difference(totals: Mapping[Side, Totals]) -> Totals:
    """All other sides less `in`; empty where it balances, and where no `in` was measured."""
    if Side.IN not in totals:
        return Totals()
    found = Totals()
    for side, total in totals.items():
        if side is not Side.IN:
            found = found + total
    return found - totals[Side.IN]


def canonical(totals: Mapping[Side, Totals]) -> dict[str, dict[str, int]]:
    """Totals as plain data with sorted keys."""
    return {
        str(side): canonical_measures(totals[side]) for side in sorted(totals, key=list(Side).index)
    }


def canonical_measures(totals: Totals) -> dict[str, int]:
    """The measures of totals as plain data with sorted keys."""
    return dict(sorted(totals.measures.items()))


def digest(*parts: str) -> str:
    """SHA-256 hex of texts, each with its length before it, so that no two lists look alike."""
    hasher = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode()  # an edited one may be no text
        hasher.update(f"{len(encoded)}:".encode() + encoded)
    return hasher.hexdigest()
