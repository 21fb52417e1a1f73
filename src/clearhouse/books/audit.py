"""The audit: measure every hop again and say where the books no longer hold, by name."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from clearhouse.books.certificate import Certificate
from clearhouse.books.hop import MAX_NAMED, Hop, Named
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry, Measured, Side, Status, Totals

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
        measured = hop.measure(entered, _as_sealed(hop, current, closed or {})) if entered else {}
        for entry in current:
            if entry.status not in _ENTERED:
                entries.append(entry)
                continue
            day = entry.key.book_date
            behind = hop.is_behind(entry, upstream.get(day))
            found = measured[day]
            totals, digests = found.totals, found.digests
            if behind and Side.IN in entry.totals:
                totals = {**totals, Side.IN: entry.totals[Side.IN]}
                digests = replace(digests, entering=entry.digests.entering)
            fresh = replace(entry, totals=totals, digests=digests)
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
    is_balanced = fresh.measured.balances
    is_comparable = fresh.digests.content == recorded.digests.content
    drifted = hop.certified and is_comparable and fresh.measured.ref != recorded.output_ref
    sealed = _sealed(hop, certificate)
    unsealed = sealed is not None and sealed != fresh.measured
    if is_balanced and not (drifted or unsealed):
        return None
    apart = fresh.difference
    named: list[Named] = []
    if not is_balanced and nameable:
        named = hop.name_differences(recorded.key.book_date, fresh.digests.content)
    if not apart:
        before = sealed.totals if unsealed and sealed is not None else recorded.totals
        apart = fresh.totals.get(Side.OUT, Totals()) - before.get(Side.OUT, Totals())
    unnamed = max(0, len(named) - MAX_NAMED)
    return Finding(fresh, apart, tuple(named[:MAX_NAMED]), unnamed, drifted, unsealed)


def _sealed(hop: Hop, certificate: Certificate | None) -> Measured | None:
    return certificate.measured(hop.name) if certificate and certificate.is_intact else None


def _as_sealed(
    hop: Hop, entries: Iterable[Entry], closed: Mapping[dt.date, Certificate]
) -> dict[dt.date, Entry]:
    """The entries, those of closed days with the digests that were sealed."""
    found = {}
    for entry in entries:
        sealed = _sealed(hop, closed.get(entry.key.book_date))
        digests = sealed.digests if sealed else entry.digests
        found[entry.key.book_date] = replace(entry, digests=digests)
    return found
