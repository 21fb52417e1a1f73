"""The audit: measure every hop again and say where the books no longer hold, by name."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from clearhouse.books.certificate import Certificate
from clearhouse.books.hop import MAX_NAMED, Hop, Named
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry, Side, Status, Totals, difference, totals_digest

_ENTERED = (Status.BALANCED, Status.UNBALANCED, Status.HELD)


@dataclass(frozen=True)
class Finding:
    """A hop and day whose stores don't hold what the books say.

    Attributes:
        difference: what came out too much, or is missing. Empty where the hop balances in itself
            but is not what it was when its entry was closed (`drifted`), or when its day was
            (`unsealed`).
        named: the records, at most `MAX_NAMED`; `unnamed` says how many more there are.
    """

    entry: Entry
    difference: Totals
    named: tuple[Named, ...]
    unnamed: int
    drifted: bool
    unsealed: bool = False


@dataclass(frozen=True)
class Audit:
    """Current entries with totals measured afresh, and what was found."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


def audit(
    books: Books,
    domain: str,
    hops: Sequence[Hop],
    days: Sequence[dt.date] | None = None,
    closed: Mapping[dt.date, Certificate] | None = None,
) -> Audit:
    """Measure the current entries of a domain again. Changes nothing in the books.

    Entries whose work did not end (open, failed) are given as they are.

    Args:
        books: the entries.
        domain: whose.
        hops: which of its hops.
        days: which days; None for all.
        closed: certificates of closed days, whose sealed totals must still be what is measured.
            (Whether the certificates themselves hold is told by `Certificates.verify_chain`.)
    """
    entries: list[Entry] = []
    findings: list[Finding] = []
    for hop in hops:
        current = books.current(domain, hop.name, days)
        before = books.current(domain, hop.upstream, days) if hop.upstream else []
        upstream = {entry.key.book_date: entry for entry in before}
        entered = [e.key.book_date for e in current if e.status in _ENTERED]
        measured = hop.measure(entered) if entered else {}
        for entry in current:
            if entry.status not in _ENTERED:
                entries.append(entry)
                continue
            day = entry.key.book_date
            behind = hop.is_behind(entry, upstream.get(day))
            totals = measured[day]
            if behind and Side.IN in entry.totals:
                totals = {**totals, Side.IN: entry.totals[Side.IN]}
            fresh = replace(entry, totals=totals)
            finding = _examine(hop, entry, fresh, (closed or {}).get(day), nameable=not behind)
            if finding:
                fresh = replace(fresh, status=Status.UNBALANCED)
                findings.append(replace(finding, entry=fresh))
            elif entry.status is Status.UNBALANCED:
                fresh = replace(fresh, status=Status.BALANCED)
            entries.append(fresh)
    return Audit(tuple(entries), tuple(findings))


def _examine(
    hop: Hop, recorded: Entry, fresh: Entry, certificate: Certificate | None, *, nameable: bool
) -> Finding | None:
    apart = difference(fresh.totals)
    drifted = hop.certified and totals_digest(fresh.totals) != recorded.output_ref
    sealed = certificate.totals(hop.name) if certificate and certificate.is_intact else None
    unsealed = sealed is not None and sealed != fresh.totals
    if not (apart or drifted or unsealed):
        return None
    named = hop.name_differences(recorded.key.book_date) if apart and nameable else []
    if not apart:
        before = sealed if unsealed and sealed is not None else recorded.totals
        apart = fresh.totals.get(Side.OUT, Totals()) - before.get(Side.OUT, Totals())
    unnamed = max(0, len(named) - MAX_NAMED)
    return Finding(fresh, apart, tuple(named[:MAX_NAMED]), unnamed, drifted, unsealed)
