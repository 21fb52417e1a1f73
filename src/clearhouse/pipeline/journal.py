"""The books against themselves, and against what of them is kept elsewhere.

Heads of the journal are kept beside the certificates, one for each closing. Readers' stores hold
the number of the publication that they show.
"""

import datetime as dt
import os
from contextlib import suppress
from pathlib import Path

from clearhouse.books.journal import Head
from clearhouse.core.errors import StoreError
from clearhouse.pipeline import ops
from clearhouse.pipeline.certificate_files import differing_files
from clearhouse.pipeline.context import Run


def check_books(run: Run, head: Head | None = None) -> list[str]:
    """What was done to the books behind their back, in a sentence each.

    Args:
        run: the domain's parts.
        head: a head that somebody kept; None: only those beside the certificates are compared.
    """
    edited = run.journal.check()
    found = list(edited)
    today = run.journal.head().length
    if head is not None and not run.journal.extends(head):
        found.append(
            f"the journal, of {today:,} rows, does not extend the one with the head {head}: rows "
            "that were recorded until then are gone or were rewritten"
        )
    lost = [line for line, kept in _kept_heads(run) if not (kept and run.journal.extends(kept))]
    if lost:
        found.append(
            f"the journal, of {today:,} rows, does not extend the one whose head was kept in "
            f"{_heads_file(run)} ({lost[0]}): the books are an older copy, or were rewritten"
        )
    # Certificates that were edited in the books can't be relied on, nor perhaps read.
    files = [] if edited else [*_heads_missing(run), *differing_files(run)]
    return [*found, *files, *_publications_ahead(run)]


def _heads_missing(run: Run) -> list[str]:
    """Closed days of which no head is kept."""
    kept = {tuple(line.split()[1:3]) for line, _ in _kept_heads(run)}
    return [
        f"{_heads_file(run)} has no head of the closing of {day}: `clearhouse close {run.name} "
        f"--date {day}` keeps one again"
        for day in sorted(run.certificates.closed_days(run.name))
        if (run.name, str(day)) not in kept
    ]


def _publications_ahead(run: Run) -> list[str]:
    """Stores that show a publication which the books don't know."""
    latest = run.publications.latest(run.name)
    shown = {}
    with suppress(StoreError):  # what can't be read is told where it is measured
        shown["readers see"] = run.engine.served_number(run.name)
    with suppress(StoreError):
        if latest:  # an engine is opened, and made, where something was published
            shown["the engine holds"] = ops.applied_number(run.engine, run.name)
    return [
        f"{who} publication {number} of {run.name}, and the last one in the books is {latest}: "
        "the books are an older copy, or were rewritten"
        for who, number in shown.items()
        if number > latest
    ]


def keep_head(run: Run, day: dt.date) -> None:
    """Keep the head of the journal beside the certificates, when a day is closed."""
    line = f"{run.journal.head()} {run.name} {day}"
    if line not in [kept for kept, _ in _kept_heads(run)]:
        with _heads_file(run).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())


def set_aside_heads(run: Run) -> None:
    """Move the kept heads out of the way of new books, after the old ones were lost."""
    if any(not (kept and run.journal.extends(kept)) for _, kept in _kept_heads(run)):
        file = _heads_file(run)
        file.rename(file.with_name(f"heads-before-{run.journal.head().hash[:12]}.txt"))


def _heads_file(run: Run) -> Path:
    return run.settings.clearhouse_home / "certificates" / "heads.txt"


def _kept_heads(run: Run) -> list[tuple[str, Head | None]]:
    """The lines of the file, each with its head; None where it has none: it was edited, or torn."""
    file = _heads_file(run)
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [(line, Head.read(line.partition(" ")[0])) for line in lines]
