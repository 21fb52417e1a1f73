"""Closing a day: its certificate, and the commands by which anyone gets the same figures."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clearhouse.books.audit import Audit, Watch, audit
from clearhouse.books.certificate import Certificate, CertificateError, seal
from clearhouse.books.model import Entry, Status
from clearhouse.core.columnar import DIALECT
from clearhouse.core.contract import PayloadFormat
from clearhouse.pipeline.bronze import input_of, landed_objects
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.shown import pointer_findings, visible_days


@dataclass(frozen=True)
class ClosedDay:
    """A certificate and shell commands that recompute figures of it."""

    certificate: Certificate
    commands: tuple[tuple[str, str], ...]


def close_day(run: Run, day: dt.date, duckdb: str = "duckdb") -> ClosedDay:
    """Seal a day whose hops all balance, measured now, and which is published.

    Args:
        run: the domain's parts.
        day: the book date.
        duckdb: how DuckDB's command line is called in the commands.

    Raises:
        CertificateError: it is held, unbalanced or unpublished, an earlier day of the books is
            not closed, or a later one is.
    """
    entries = [entry for dataset in run.datasets for entry in _sealable(run, dataset, day)]
    commands = tuple(c for dataset in run.datasets for c in _commands(run, dataset, day, duckdb))
    known = run.certificates.get(run.name, day)
    if known is not None and all(known.measured(e.key.hop) == e.measured for e in entries):
        return ClosedDay(known, commands)
    certificate = seal(run.name, day, entries, _previous_seal(run, day))
    run.certificates.add(certificate, run.run_id)
    return ClosedDay(certificate, commands)


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
    """Measure days again at every hop, hold closed ones against their certificates, and pointers
    against the books.
    """
    watch = Watch(run.certificates.closed(run.name), visible_days(run, days))
    found = audit(run.books, run.name, run.hops, days, watch)
    return replace(found, findings=(*found.findings, *pointer_findings(run, days)))


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


def _commands(
    run: Run, dataset: OpenDataset, day: dt.date, duckdb: str
) -> tuple[tuple[str, str], ...]:
    """What is computed, and by which command."""
    commands: list[tuple[str, str]] = []
    landed = landed_objects(dataset, [day])[day]
    paths = [run.landing.local_path(o) for o in landed]
    is_json = all(o.payload_format is not PayloadFormat.CSV for o in landed)
    if paths and all(paths) and is_json:
        listed = " ".join(f"'{near(str(p))}'" for p in paths)
        rows = "inputs"
        if under := dataset.contract.rows_under:  # a corrected row lands as a line of its own
            rows += f' | if has("{under}") then .{under}[] else . end'
        amount = f".{dataset.contract.amount.source_name} | numbers * 100 | round"
        records = "wc -l" if not under else f"jq -n '[{rows}] | length'"
        commands.append(("landing: records", f"zstdcat {listed} | {records}"))
        cents = f"jq -n '[{rows} | {amount}] | add'"
        commands.append(("landing: amount in cents", f"zstdcat {listed} | {cents}"))
    files = ", ".join(f"'{near(f)}'" for f in run.lake.files(dataset.id, [day]))
    if files:
        figures = _figures(dataset, f"read_parquet([{files}])")
        commands.append(("bronze: records, hash, cents", f'{duckdb} -c "{figures}"'))
    gold = _figures(dataset, f"{dataset.declared.gold} WHERE _book_date = DATE '{day}'")
    readers = near(str(run.settings.readers_path))
    commands.append(("gold: records, hash, cents", f"{duckdb} -readonly '{readers}' -c \"{gold}\""))
    return tuple(commands)


def _hash(dataset: OpenDataset) -> str:
    return DIALECT.hash_sum(f"({dataset.contract.amount.name} * 100)::BIGINT")


def _figures(dataset: OpenDataset, relation: str) -> str:
    amount = dataset.contract.amount.name
    return (
        f"SELECT count(*) AS records, {_hash(dataset)} AS hash, "
        f"sum(({amount} * 100)::BIGINT) AS cents FROM {relation}"
    )


def near(path: str) -> str:
    """A path as one would type it here."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def hash_query(dataset: OpenDataset, files: Sequence[str]) -> str:
    """SQL over bronze files that any DuckDB runs: the hash of their records."""
    listed = ", ".join(f"'{near(f)}'" for f in files)
    return f"SELECT {_hash(dataset)} FROM read_parquet([{listed}])"
