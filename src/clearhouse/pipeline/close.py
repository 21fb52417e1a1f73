"""Closing a day: its certificate, and the commands by which anyone gets the same figures."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from clearhouse.books.audit import Audit, Watch, audit
from clearhouse.books.certificate import Certificate, CertificateError, Tree, seal
from clearhouse.books.model import Entry, Status
from clearhouse.pipeline.bronze import input_of, landed_objects
from clearhouse.pipeline.certificate_files import write_certificates
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.landed import landing_findings, remembered_findings
from clearhouse.pipeline.prove import leaves, tree_of
from clearhouse.pipeline.recompute import commands
from clearhouse.pipeline.shown import pointer_findings, visible_days


@dataclass(frozen=True)
class ClosedDay:
    """A certificate, and by hop and side the shell commands that recompute figures of it."""

    certificate: Certificate
    commands: tuple[tuple[str, str], ...]


def see_that_it_is_over(day: dt.date, today: dt.date) -> None:
    """See that nothing more of a day can come.

    Args:
        day: the book date.
        today: the day that goes on, in UTC.

    Raises:
        CertificateError: it is not over (day_not_over).
    """
    if day >= today:
        raise CertificateError(
            f"{day} is not over, and more of it can come: close it when it is. Days end at "
            "midnight, UTC.",
            "day_not_over",
        )


def close_day(run: Run, day: dt.date, duckdb: str = "duckdb") -> ClosedDay:
    """Seal a day whose hops all balance, measured now, and which is published.

    Args:
        run: the domain's parts.
        day: the book date.
        duckdb: how DuckDB's command line is called in the commands.

    Raises:
        CertificateError: it is held, unbalanced or unpublished, an earlier day of the books is
            not closed, or a later one is; or the books or a certificate were edited.
    """
    if edited := run.journal.check():
        raise CertificateError(
            f"{day} can't be closed: the books were edited ({edited[0]}). `clearhouse books` says "
            "more.",
            "books_edited",
        )
    _check_certificates(run)
    _check_streams(run, day)
    entries: list[Entry] = []
    trees: dict[str, Tree] = {}
    told: list[tuple[str, str]] = []
    for dataset in run.datasets:
        entries += _sealable(run, dataset, day)
        found, currencies = _trees(dataset, day)
        trees |= found
        told += commands(run, dataset, day, currencies, duckdb)
    certificate = run.certificates.get(run.name, day)
    if certificate is None or not _is_as_sealed(certificate, entries, trees):
        certificate = seal(run.name, day, entries, trees, _previous_seal(run, day))
        run.certificates.add(certificate, run.run_id)
    write_certificates(run)
    return ClosedDay(certificate, tuple(told))


def _check_certificates(run: Run) -> None:
    """See that nothing is built on a certificate that was edited, nor such a one written out.

    Raises:
        CertificateError: the chain is broken, or a file is not what the books hold.
    """
    broken = run.certificates.verify_chain(run.name)
    if broken:
        raise CertificateError(
            f"{broken[0]}. Compare the books with a copy of the certificates before you go on.",
            "certificate_edited",
        )
    write_certificates(run)


def _check_streams(run: Run, day: dt.date) -> None:
    """See that the services have done all that is theirs of a day, while the log still says so.

    Raises:
        CertificateError: something waits, or does not balance.
    """
    kept = [stream for stream in run.streams if stream.hop.kept([day])]
    found = audit(run.books, run.name, [stream.hop for stream in kept], [day]).entries
    entered = {e.key.hop: e.status for e in found}
    for stream in kept:
        state = stream.reached([day]).get(day)
        if state is None and stream.hop.name not in entered:
            continue
        waiting = state.waiting if state else ""
        if entered.get(stream.hop.name) is not Status.BALANCED or waiting:
            why = waiting or "It is not entered, or does not balance."
            raise CertificateError(
                f"{day} can't be closed: {stream.hop.name}: {why} `clearhouse run {run.name} "
                f"--from {day} --to {day}` enters it, and `clearhouse books` says more."
            )


def reopen_days(run: Run, day: dt.date, reason: str) -> list[Certificate]:
    """Open a closed day again, and those after it; a reopening that was cut short is finished.

    Raises:
        CertificateError: the day is not closed, or a file is not what the books hold.
    """
    if run.certificates.get(run.name, day) is None and (moved := write_certificates(run)):
        return moved
    reopened = run.certificates.reopen(run.name, day, reason, run.run_id)
    write_certificates(run)
    return reopened


def _trees(dataset: OpenDataset, day: dt.date) -> tuple[dict[str, Tree], set[str]]:
    """The tree of each certified hop, and the currencies that the day's records are in."""
    trees: dict[str, Tree] = {}
    currencies: set[str] = set()
    for hop in dataset.hops.values():
        if hop.certified:
            ordered = leaves(hop, day)
            trees[hop.name] = tree_of(ordered)
            currencies |= set(pc.unique(ordered["currency"]).to_pylist())
    return trees, currencies


def _is_as_sealed(
    certificate: Certificate, entries: Sequence[Entry], trees: Mapping[str, Tree]
) -> bool:
    """Whether a certificate holds these figures."""
    sealed = ((certificate.measured(entry.key.hop), entry.measured) for entry in entries)
    return all(before is not None and before.is_found_in(now) for before, now in sealed) and all(
        certificate.tree(hop) == tree for hop, tree in trees.items()
    )


def _previous_seal(run: Run, day: dt.date) -> str | None:
    """The seal that a day's certificate is chained to: that of the last closed day, if any."""
    closed = run.certificates.closed(run.name)
    later = min((other for other in closed if other > day), default=None)
    if later is not None:
        raise CertificateError(
            f"{day} can't be closed after {later}, since certificates are chained in the order of "
            f'days: `clearhouse reopen {run.name} --date {later} --reason "…"` opens the later '
            f"ones, which are then closed again after {day}."
        )
    open_day = min(
        (d for d in run.books.days(run.name) if d < day and d not in closed), default=None
    )
    if open_day is not None:
        raise CertificateError(
            f"{day} is chained to the days before it: close {open_day} first, and so on."
        )
    return closed[max(closed)].seal if closed else None


def audit_days(run: Run, days: Sequence[dt.date] | None = None) -> Audit:
    """Measure days again at every hop, hold closed ones against their certificates, and landing
    and pointers against the books.
    """
    watch = Watch(run.certificates.closed(run.name), visible_days(run, days))
    found = audit(run.books, run.name, run.hops, days, watch)
    if misremembered := remembered_findings(run, found):
        found = audit(run.books, run.name, run.hops, days, watch)
    others = (*misremembered, *landing_findings(run, days, found), *pointer_findings(run, days))
    return replace(found, findings=(*found.findings, *others))


def _sealable(run: Run, dataset: OpenDataset, day: dt.date) -> list[Entry]:
    certified = [hop for hop in dataset.hops.values() if hop.certified]
    audited = audit(run.books, run.name, certified, [day])
    found = {e.key.hop: e for e in audited.entries}
    again = f"`clearhouse run {run.name} --from {day} --to {day}`"
    missing = [hop.name for hop in certified if hop.name not in found]
    if missing:
        raise CertificateError(
            f"{day} can't be closed: nothing is entered for {', '.join(missing)}. Run {again} "
            "first."
        )
    bad = [e for e in found.values() if e.status is not Status.BALANCED]
    if bad:
        told = ", ".join(f"{e.key.hop} is {e.status}" for e in bad)
        raise CertificateError(f"{day} can't be closed: {told}. `clearhouse books` says more.")
    behind = [
        hop.name
        for hop in certified
        if hop.upstream and hop.is_behind(found[hop.name], found[hop.upstream])
    ]
    if found[dataset.names.bronze].key.input_hash != input_of(landed_objects(dataset, [day])[day]):
        behind.append(dataset.names.bronze)
    if behind:
        raise CertificateError(
            f"{day} can't be closed: {behind[0]} was not run since its input changed. Run {again}."
        )
    published = run.publications.pointers(dataset.id, [day]).get(day)
    if published != found[dataset.names.gold].entry_id:
        raise CertificateError(
            f"{day} can't be closed: readers don't see what the books hold. Run {again}."
        )
    return [found[hop.name] for hop in certified]
