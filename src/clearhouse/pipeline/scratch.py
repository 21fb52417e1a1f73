"""Days derived again from landing, in a scratch home, by the same code that makes the stores.

Landing is read where it is. The scratch home has stores of its own, which no reader is shown. There
are no books, gates or tests in it: they decide what may be built on, and change no row. Rows are
tagged with the entries that the books name, so that these can be compared too.
"""

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from clearhouse.engines.engine import Insert
from clearhouse.landing import LandedObject
from clearhouse.pipeline.bronze import load_days
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.serve import Flip, Pending, apply, prepare
from clearhouse.pipeline.transform import build_gold, build_silver

_PUBLISHED = "tag:published"
Pointers = Mapping[str, Mapping[dt.date, str]]
"""By dataset, the published entry of each day."""


@dataclass(frozen=True)
class Chain:
    """What a day is made from, and the entries that its rows carry at each stage."""

    objects: tuple[LandedObject, ...]
    bronze: str
    silver: str
    gold: str


@contextmanager
def scratch_of(run: Run) -> Iterator[Run]:
    """The domain's parts over stores that are gone when the block ends.

    They lie in the home, whose disk has room for such stores. What a killed process left of them
    is removed first.
    """
    home = run.settings.clearhouse_home / f"verifying-{run.name}"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    # What dbt has parsed is no store, and parsing it again would take seconds.
    (home / "work").symlink_to(run.settings.clearhouse_home / "work", target_is_directory=True)
    scratch = open_run(run.domain, run.settings.beside(home))
    scratch.dbt.without_tests()
    try:
        yield scratch
    finally:
        scratch.engine.close()
        shutil.rmtree(home)


def derive_spine(scratch: Run, dataset: OpenDataset, chains: Mapping[dt.date, Chain]) -> None:
    """Bronze, quarantine, silver and gold of some days."""
    landed = {day: chain.objects for day, chain in chains.items()}
    load_days(scratch, dataset, landed, {day: chain.bronze for day, chain in chains.items()})
    build_silver(scratch, dataset, {day: chain.silver for day, chain in chains.items()})
    build_gold(scratch, dataset, {d: (chain.silver, chain.gold) for d, chain in chains.items()})


def derive_published(scratch: Run, run: Run, derived: Pointers, others: Pointers) -> None:
    """What derives from published rows, for the entities that some days touch.

    Args:
        scratch: has the gold rows of these days.
        run: the real parts, which the published rows of the other days are taken from.
        derived: the pointers of the days.
        others: those of the other published days.
    """
    alone = not any(others.values())
    if not alone:  # a table that is not there is made by its model: first all of them, empty
        nothing: Pending = {name: {} for name in derived}
        prepare(scratch, nothing, anew=True)
        scratch.dbt.build(_PUBLISHED)
        apply(scratch, nothing, Flip(0, "", anew=True))
        for dataset in scratch.datasets:
            _take_others(scratch, run, dataset, sorted(derived[dataset.id]))
    prepare(scratch, derived, anew=alone)
    scratch.dbt.build(_PUBLISHED)
    apply(scratch, derived, Flip(0, "", anew=alone))


def _take_others(scratch: Run, run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> None:
    """What is stored of other days, as it is.

    Their published rows, which of these readers don't see, and what other tables derive from.
    """
    listed = ", ".join(map(run.engine.dialect.date, days))
    of_others = f"WHERE _book_date NOT IN ({listed or 'NULL'})"
    taken = {
        f"gold.{dataset.declared.published}": of_others,
        f"gold.{dataset.declared.hidden}": of_others,
        **{derived.served: "" for derived in dataset.declared.derived if derived.feeds},
    }
    for table, where in taken.items():
        rows = run.engine.query_of(table, f"SELECT * FROM {table} {where}")
        if rows is not None:
            scratch.engine.execute(Insert(table, rows))
