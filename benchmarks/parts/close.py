"""A day closed, and a record of it proved to a stranger.

`day` is `clearhouse close` over a day of the sandbox; `many` the Merkle trees alone, over a day
that is fifty times as large and made up; `checked` a proof checked as its reader does.
"""

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import md5

import pyarrow as pa

from benchmarks.jobs import FIRST_DAY, BenchmarkError, Done, Job, Stopwatch, Task
from benchmarks.parts.night import history
from benchmarks.parts.warehouse import opened, settings_in
from benchmarks.rounds import ROOT
from clearhouse.bnpl.source import SIMTOM
from clearhouse.books.hop import Hop, Leg
from clearhouse.books.measure import SPINE_SCHEMA, filled, totals_of
from clearhouse.books.model import Side, Totals
from clearhouse.pipeline import close
from clearhouse.pipeline.prove import leaves, proof, tree_of
from clearhouse.pipeline.trace import some_id

MANY = 500_000
CERTIFIED_HOPS = 4


def day(job: Job, _: ExitStack) -> Task:
    """Seal a day; the trees are a phase of it."""
    run = opened(settings_in(history(job)))
    (book_date,) = run.books.days(run.name)
    if run.certificates.get(run.name, book_date):
        close.reopen_days(run, book_date, "measured once more")

    def measured() -> Done:
        watch = Stopwatch()
        watch.watch(close, "_trees", "trees")
        sealed = close.close_day(run, book_date).certificate
        tree = sealed.tree(run.dataset().names.gold)
        payload_bytes = sum(o.payload_bytes for o in run.landing.objects(SIMTOM, book_date))
        return Done(tree.size if tree else 0, payload_bytes, watch.seconds)

    return Task(measured)


@dataclass(frozen=True)
class Rows:
    """A store with made up records (`clearhouse.books.hop.Relation`)."""

    table: pa.Table

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """See `Relation`."""
        return filled(totals_of(self.table), days)

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """See `Relation`."""
        return self.table


def many(_job: Job, _: ExitStack) -> Task:
    """The trees of all certified hops of a day."""
    numbers = range(MANY)
    columns = (
        pa.repeat(pa.scalar(FIRST_DAY), MANY),
        [md5(b"%d" % n).hexdigest() for n in numbers],
        [f"{FIRST_DAY}|txn_{n:08}" for n in numbers],
        [n * 7919 % 100_000 for n in numbers],
        pa.repeat("USD", MANY),
    )
    hop = Hop("", (Leg(Side.OUT, Rows(pa.table(list(columns), schema=SPINE_SCHEMA))),))

    def measured() -> Done:
        for _hop in range(CERTIFIED_HOPS):
            tree_of(leaves(hop, FIRST_DAY))
        return Done(MANY, 0)

    return Task(measured)


def checked(job: Job, _: ExitStack) -> Task:
    """One proof, by a fresh Python. Its size is what stands for the payload."""
    run = opened(settings_in(history(job)))
    (book_date,) = run.books.days(run.name)
    close.close_day(run, book_date)
    text = json.dumps(proof(run, some_id(run, [book_date]) or "")).encode()
    file = job.home / "proof.json"
    file.write_bytes(text)
    command = [sys.executable, "-I", "-S", str(ROOT / "verify_proof.py"), str(file)]

    def measured() -> Done:
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise BenchmarkError("The proof is refused.")
        return Done(1, len(text))

    return Task(measured)
