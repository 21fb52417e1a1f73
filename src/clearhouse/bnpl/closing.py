"""Closing a day: its certificate, and the commands by which anyone gets the same figures."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clearhouse.bnpl.context import DATASET, DOMAIN, SILVER_TO_GOLD, SOURCE, Bnpl
from clearhouse.books.audit import Audit, audit
from clearhouse.books.certificate import Certificate, CertificateError, seal
from clearhouse.books.measure import DUCKDB_HASH
from clearhouse.books.model import Entry, Status

_SPINE = "_record_id || '|' || amount_minor || '|' || currency"
_SPINE_OF_AMOUNT = "_record_id || '|' || (amount * 100)::BIGINT || '|' || currency"


@dataclass(frozen=True)
class ClosedDay:
    """A certificate and shell commands that recompute figures of it."""

    certificate: Certificate
    commands: tuple[tuple[str, str], ...]


def close_day(bnpl: Bnpl, day: dt.date, duckdb: str = "duckdb") -> ClosedDay:
    """Seal a day whose hops all balance, measured now, and which is published.

    Args:
        bnpl: the domain's parts.
        day: the book date.
        duckdb: how DuckDB's command line is called in the commands.

    Raises:
        CertificateError: it is held, unbalanced or unpublished, an earlier day of the books is
            not closed, or a later one is.
    """
    entries = _sealable(bnpl, day)
    chain = bnpl.certificates
    known = chain.get(DOMAIN, day)
    if known is not None and all(known.totals(e.key.hop) == e.totals for e in entries):
        return ClosedDay(known, _commands(bnpl, day, duckdb))
    certificate = seal(DOMAIN, day, entries, _previous_seal(bnpl, day))
    chain.add(certificate)
    return ClosedDay(certificate, _commands(bnpl, day, duckdb))


def _previous_seal(bnpl: Bnpl, day: dt.date) -> str | None:
    """The seal that a day's certificate is chained to: that of the last closed day, if any."""
    closed = bnpl.certificates.closed(DOMAIN)
    later = min((other for other in closed if other > day), default=None)
    if later is not None:
        raise CertificateError(
            f"{day} can't be closed after {later}, since certificates are chained in the order of "
            f'days: `clearhouse reopen {DOMAIN} --date {later} --reason "…"` opens the later ones, '
            f"which are then closed again after {day}."
        )
    entered = {entry.key.book_date for entry in bnpl.books.current(DOMAIN)}
    open_day = min((other for other in entered - set(closed) if other < day), default=None)
    if open_day is not None:
        raise CertificateError(
            f"{day} is chained to the days before it: close {open_day} first, and so on."
        )
    return closed[max(closed)].seal if closed else None


def audit_days(bnpl: Bnpl, days: Sequence[dt.date] | None = None) -> Audit:
    """Measure days again at every hop, and hold the closed ones against their certificates."""
    hops = list(bnpl.hops.values())
    return audit(bnpl.books, DOMAIN, hops, days, bnpl.certificates.closed(DOMAIN))


def _sealable(bnpl: Bnpl, day: dt.date) -> list[Entry]:
    certified = [hop for hop in bnpl.hops.values() if hop.certified]
    audited = audit(bnpl.books, DOMAIN, certified, [day])
    found = {e.key.hop: e for e in audited.entries}
    missing = [hop.name for hop in certified if hop.name not in found]
    if missing:
        raise CertificateError(
            f"{day} can't be closed: nothing is entered for {', '.join(missing)}. Run "
            f"`clearhouse run {DOMAIN} --from {day} --to {day}` first."
        )
    bad = [e for e in found.values() if e.status is not Status.BALANCED]
    if bad:
        told = ", ".join(f"{e.key.hop} is {e.status}" for e in bad)
        raise CertificateError(f"{day} can't be closed: {told}. `clearhouse books` says more.")
    for hop in certified:
        if hop.upstream and hop.is_behind(found[hop.name], found[hop.upstream]):
            raise CertificateError(
                f"{day} can't be closed: {hop.name} was not run since its input changed. Run "
                f"`clearhouse run {DOMAIN} --from {day} --to {day}`."
            )
    published = bnpl.engine.pointers(DOMAIN, DATASET).get(day)
    if published != found[SILVER_TO_GOLD].entry_id:
        raise CertificateError(
            f"{day} can't be closed: readers don't see what the books hold. Run "
            f"`clearhouse run {DOMAIN} --from {day} --to {day}`."
        )
    return [found[hop.name] for hop in certified]


def _commands(bnpl: Bnpl, day: dt.date, duckdb: str) -> tuple[tuple[str, str], ...]:
    """What is computed, and by which command."""
    commands: list[tuple[str, str]] = []
    paths = [bnpl.landing.local_path(o) for o in bnpl.landing.objects(SOURCE, day)]
    if paths and all(paths):
        listed = " ".join(f"'{_near(str(p))}'" for p in paths)
        commands.append(("landing: records", f"zstdcat {listed} | wc -l"))
        cents = "jq -n '[inputs.amount * 100 | round] | add'"
        commands.append(("landing: amount in cents", f"zstdcat {listed} | {cents}"))
    files = ", ".join(f"'{_near(f)}'" for f in bnpl.lake.files(DATASET, [day]))
    if files:
        figures = _figures(f"read_parquet([{files}])")
        commands.append(("bronze: records, hash, cents", f'{duckdb} -c "{figures}"'))
    gold = _figures(
        "gold.fct_bnpl_transactions r JOIN ops.publication p "
        "ON p.entry_id = r._entry_id AND p.book_date = r._book_date "
        f"WHERE r._book_date = DATE '{day}'"
    )
    warehouse = _near(str(bnpl.engine.path))
    commands.append(
        ("gold: records, hash, cents", f"{duckdb} -readonly '{warehouse}' -c \"{gold}\"")
    )
    return tuple(commands)


def _hash() -> str:
    return DUCKDB_HASH.replace(_SPINE, _SPINE_OF_AMOUNT)


def _figures(relation: str) -> str:
    return (
        f"SELECT count(*) AS records, {_hash()} AS hash, sum((amount * 100)::BIGINT) AS cents "
        f"FROM {relation}"
    )


def _near(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def hash_query(files: Sequence[str]) -> str:
    """SQL over bronze files that any DuckDB runs: the hash of their records."""
    listed = ", ".join(f"'{_near(f)}'" for f in files)
    return f"SELECT {_hash()} FROM read_parquet([{listed}])"
