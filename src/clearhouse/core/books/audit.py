"""The audit: measure every hop again and say where the books no longer hold, by name."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clearhouse.core.books.hop import MAX_NAMED, Hop, Named
from clearhouse.core.books.ledger import Books
from clearhouse.core.books.model import Entry, Side, Status, Totals, difference, totals_digest

_CLOSED = (Status.BALANCED, Status.UNBALANCED, Status.HELD)


@dataclass(frozen=True)
class Finding:
    """A hop and day whose stores don't hold what the books say.

    Attributes:
        difference: what came out too much, or is missing. Empty where the hop balances in itself
            but is not what it was when its entry was closed (`drifted`).
        named: the records, at most `MAX_NAMED`; `unnamed` says how many more there are.
    """

    entry: Entry
    difference: Totals
    named: tuple[Named, ...]
    unnamed: int
    drifted: bool


@dataclass(frozen=True)
class Audit:
    """Current entries with totals measured afresh, and what was found."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


def audit(
    books: Books, domain: str, hops: Sequence[Hop], days: Sequence[dt.date] | None = None
) -> Audit:
    """Measure the current entries of a domain again. Changes nothing in the books."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    for hop in hops:
        closed = [e for e in books.current(domain, hop.name, days) if e.status in _CLOSED]
        measured = hop.measure([e.key.book_date for e in closed]) if closed else {}
        for entry in closed:
            totals = measured[entry.key.book_date]
            fresh = replace(entry, totals=totals)
            finding = _examine(hop, entry, fresh)
            if finding:
                fresh = replace(fresh, status=Status.UNBALANCED)
                findings.append(replace(finding, entry=fresh))
            elif entry.status is Status.UNBALANCED:
                fresh = replace(fresh, status=Status.BALANCED)
            entries.append(fresh)
    return Audit(tuple(entries), tuple(findings))


def _examine(hop: Hop, recorded: Entry, fresh: Entry) -> Finding | None:
    apart = difference(fresh.totals)
    drifted = hop.certified and totals_digest(fresh.totals) != recorded.output_ref
    if not apart and not drifted:
        return None
    named = hop.name_differences(recorded.key.book_date) if apart else []
    if not apart:
        before = recorded.totals.get(Side.OUT, Totals())
        apart = fresh.totals.get(Side.OUT, Totals()) - before
    return Finding(fresh, apart, tuple(named[:MAX_NAMED]), max(0, len(named) - MAX_NAMED), drifted)
