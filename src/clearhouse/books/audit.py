"""The audit: measure every hop again and say where the books no longer hold, by name."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from clearhouse.books.certificate import Certificate
from clearhouse.books.hop import MAX_NAMED, Hop, Named
from clearhouse.books.ledger import Books
from clearhouse.books.model import Entry, EntryKey, Measured, Side, Status, Totals
from clearhouse.core.errors import StoreError


@dataclass(frozen=True)
class Finding:
    """A hop and day whose stores don't hold what the books say.

    Attributes:
        difference: what came out too much, or is missing. Empty where the hop balances in itself
            but is not what it was when its entry was closed (`drifted`), or when its day was
            (`unsealed`).
        reason: what is found, in words, where it is no difference that was measured.
        named: the records, at most `MAX_NAMED`; `unnamed` says how many more there are.
    """

    entry: Entry
    difference: Totals = field(default_factory=Totals)
    named: tuple[Named, ...] = ()
    unnamed: int = 0
    drifted: bool = False
    unsealed: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Audit:
    """Current entries with totals measured afresh, and what was found."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Watch:
    """What days are held against beside their entries.

    Attributes:
        closed: certificates of closed days, whose sealed totals must still be what is measured.
            (Whether the certificates themselves hold is told by `Certificates.verify_chain`.)
        visible: by hop, days that readers see or must see: they are measured, entered or not.
    """

    closed: Mapping[dt.date, Certificate] = field(default_factory=dict)
    visible: Mapping[str, Collection[dt.date]] = field(default_factory=dict)


NOTHING = Watch()


def audit(
    books: Books,
    domain: str,
    hops: Sequence[Hop],
    days: Sequence[dt.date] | None = None,
    watch: Watch = NOTHING,
) -> Audit:
    """Measure the current entries of a domain again. Changes nothing in the books.

    Entries whose work did not end (open, failed) are given as they are, unless their day is closed
    or readers see it: then what they left is measured too. A store that can't be read is a finding
    of its hop and day, and hides no other.

    Args:
        books: the entries.
        domain: whose.
        hops: which of its hops.
        days: which days; None for all.
        watch: what days are held against beside their entries.
    """
    entries: list[Entry] = []
    findings: list[Finding] = []
    watched = {*watch.closed, *(day for some in watch.visible.values() for day in some)}
    for hop in hops:
        current = books.current(domain, hop.name, days)
        before = books.current(domain, hop.upstream, days) if hop.upstream else []
        upstream = {entry.key.book_date: entry for entry in before}
        entered = [entry.key.book_date for entry in current]
        kept = {*hop.kept(entered)}
        unknown = {*watch.visible.get(hop.name, ())}.difference(entered)
        not_entered = [
            Entry(EntryKey(domain, hop.name, day, "", ""), Status.OPEN) for day in sorted(unknown)
        ]
        still_there = [entry for entry in current if entry.key.book_date in kept]
        asked = [entry for entry in still_there if _is_asked(hop, entry, upstream, watched)]
        measured, unread = _measured(hop, [*asked, *not_entered], watch.closed)
        for entry in [*current, *not_entered]:
            day = entry.key.book_date
            fresh, finding = entry, None
            if day in measured:
                behind = hop.is_behind(entry, upstream.get(day))
                fresh = _afresh(entry, measured[day], behind=behind)
                finding = _examine(hop, entry, fresh, watch.closed.get(day), nameable=not behind)
            elif day in unread:
                finding = Finding(entry, reason=unread[day])
            if finding:
                fresh = replace(fresh, status=Status.UNBALANCED)
                findings.append(replace(finding, entry=fresh))
            elif not entry.status.is_measured:
                fresh = entry
            elif entry.status is Status.UNBALANCED:
                fresh = replace(fresh, status=Status.BALANCED)
            if finding or day not in unknown:
                entries.append(fresh)
    return Audit(tuple(entries), tuple(findings))


def _is_asked(
    hop: Hop, entry: Entry, upstream: Mapping[dt.date, Entry], watched: Collection[dt.date]
) -> bool:
    """Whether an entry's stores are measured."""
    day = entry.key.book_date
    is_left = day in watched and not hop.is_behind(entry, upstream.get(day))
    return entry.status.is_measured or is_left


def _measured(
    hop: Hop, entries: Sequence[Entry], closed: Mapping[dt.date, Certificate]
) -> tuple[dict[dt.date, Measured], dict[dt.date, str]]:
    """What the days of entries measure, and why others can't be measured.

    All are measured at once; where a store can't be read, they are halved until its days are alone.
    """
    if not entries:
        return {}, {}
    held_against = _as_sealed(hop, entries, closed)
    try:
        return hop.measure(list(held_against), held_against), {}
    except StoreError as error:
        if len(entries) == 1:
            return {}, {entries[0].key.book_date: error.message}
    middle = len(entries) // 2
    first, second = (_measured(hop, some, closed) for some in (entries[:middle], entries[middle:]))
    return first[0] | second[0], first[1] | second[1]


def _afresh(entry: Entry, found: Measured, *, behind: bool) -> Entry:
    """An entry with what was measured now."""
    totals, digests = found.totals, found.digests
    if behind and Side.IN in entry.totals:
        totals = {**totals, Side.IN: entry.totals[Side.IN]}
        digests = replace(digests, entering=entry.digests.entering)
    return replace(entry, totals=totals, digests=digests)


def _examine(
    hop: Hop, recorded: Entry, fresh: Entry, certificate: Certificate | None, *, nameable: bool
) -> Finding | None:
    is_balanced = fresh.measured.balances
    is_comparable = hop.certified and recorded.status.is_measured
    drifted = is_comparable and _has_drifted(recorded, fresh)
    sealed = _sealed(hop, certificate)
    unsealed = sealed is not None and not sealed.is_found_in(fresh.measured)
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


def _has_drifted(recorded: Entry, fresh: Entry) -> bool:
    """Whether stores hold something else than was entered, where the same columns were measured."""
    if not recorded.digests.leaving:
        return not recorded.measured.is_found_in(fresh.measured)
    same_columns = fresh.digests.content == recorded.digests.content
    return same_columns and fresh.measured.ref != recorded.output_ref


def _sealed(hop: Hop, certificate: Certificate | None) -> Measured | None:
    return certificate.measured(hop.name) if certificate and certificate.is_intact else None


def _as_sealed(
    hop: Hop, entries: Iterable[Entry], closed: Mapping[dt.date, Certificate]
) -> dict[dt.date, Entry]:
    """The entries, those of closed days with the digests that were sealed."""
    found = {}
    for entry in entries:
        sealed = _sealed(hop, closed.get(entry.key.book_date))
        digests = sealed.digests if sealed and sealed.digests.leaving else entry.digests
        found[entry.key.book_date] = replace(entry, digests=digests)
    return found
