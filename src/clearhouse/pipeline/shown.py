"""What readers are shown, for an audit: days unknown to the books, and pointers that differ."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress

from clearhouse.books.audit import Finding
from clearhouse.books.model import Entry, EntryKey, Status, Totals
from clearhouse.core.columnar import readable
from clearhouse.core.errors import StoreError
from clearhouse.engines.engine import Ask
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.serve import derived_tables, views_of


def visible_days(run: Run, days: Collection[dt.date] | None) -> dict[str, set[dt.date]]:
    """By hop, the days that readers must see or do see, of some days or of all.

    Days that the books have no entries of are always among them, and of bronze and silver the days
    that are in the stores, or in quarantine, and were never entered.
    """
    known = set(run.books.days(run.name))
    found: dict[str, set[dt.date]] = {}
    for dataset in run.datasets:
        must = {day for day, each in dataset.judge.standing().items() if each.visible}
        seen = must | _days_of(run.engine.query_readers, dataset.declared.readers)
        found[dataset.names.readers] = {
            day for day in seen if days is None or day in days or day not in known
        }
        if known:  # of books that were lost, all would be named
            found |= _never_entered(run, dataset)
    return found


def _never_entered(run: Run, dataset: OpenDataset) -> dict[str, set[dt.date]]:
    """By hop, the days of which bronze with quarantine, and silver, hold rows without an entry."""
    names, silver = dataset.names, dataset.declared.silver
    found: dict[str, set[dt.date]] = {
        names.bronze: run.quarantine.days(dataset.id),
        names.silver: _days_of(run.engine.query_of, silver),
    }
    with suppress(StoreError):  # what can't be read is told where it is measured
        found[names.bronze] |= run.lake.files_by_day(dataset.id).keys()
    return {
        hop: days - {entry.key.book_date for entry in run.books.current(run.name, hop)}
        for hop, days in found.items()
    }


def _days_of(ask: Ask, relation: str) -> set[dt.date]:
    """The days that a relation has rows of; none where it can't be read: measuring it tells."""
    sql = f"SELECT DISTINCT _book_date FROM {relation} WHERE _book_date IS NOT NULL"
    try:
        with readable(relation):
            rows = ask(relation, sql)
    except StoreError:
        return set()
    return set(rows["_book_date"].to_pylist()) if rows else set()


def pointer_findings(run: Run, days: Sequence[dt.date] | None) -> list[Finding]:
    """Where pointers, or what derives from them, are not those of the last publication."""
    latest = run.publications.latest(run.name)
    found: list[Finding] = []
    try:
        for dataset in run.datasets:
            found += _of_dataset(run, dataset, days)
        with readable("what readers open"):
            found += [*_strays(run), *(_of_domain(run, latest) if latest else ())]
    except StoreError as error:
        found.append(_of_last_day(run, run.dataset(), error.message))
    return found


def _of_domain(run: Run, latest: int) -> Iterator[Finding]:
    """Which views are not what was built, and whether readers see the last publication."""
    declared = [dataset.declared for dataset in run.datasets]
    facts = [each.gold for each in declared]
    dataset_of = {relation: d for d in run.datasets for relation in _relations(d)}
    for view in run.engine.differing_views(facts, views_of(declared)):
        text = f"the view {view} is not what was built"
        yield _of_last_day(run, dataset_of.get(view, run.dataset()), text)
    served = run.engine.served_number(run.name)
    if served != latest:
        text = f"readers see publication {served}, and the books say that {latest} was made"
        yield _of_last_day(run, run.dataset(), f"{text}: the next run shows it")
    elif not run.engine.is_as_served(run.name):
        text = "what readers open is another copy than the one that was made for them last"
        yield _of_last_day(run, run.dataset(), f"{text}: the next run makes it again")


def _strays(run: Run) -> Iterator[Finding]:
    """Pointers of no day, and those to the domain's entries, or under its name, of no dataset."""
    ours = {dataset.id for dataset in run.datasets}
    known, _ = run.books.keys(run.name)
    for store, ask in _asks(run).items():
        rows = ask("ops.publication", "SELECT dataset, book_date, entry_id FROM ops.publication")
        for row in rows.to_pylist() if rows else ():
            dataset, day, entry_id = row.values()
            of_domain = entry_id in known or str(dataset).startswith(f"{run.name}.")
            if of_domain and not (dataset in ours and day):
                text = (
                    f"{store} has a pointer to {_short(entry_id)} of dataset {dataset}, day {day}"
                )
                yield _of_last_day(run, run.dataset(), f"{text}: there is no such one")


def _asks(run: Run) -> dict[str, Ask]:
    return {"the engine": run.engine.query_of, "what readers open": run.engine.query_readers}


def _relations(dataset: OpenDataset) -> Iterator[str]:
    """What readers are shown of a dataset."""
    declared = dataset.declared
    yield from (declared.gold, declared.readers, *declared.views)
    yield from (derived.served for derived in derived_tables(declared, dataset.id))


def _of_last_day(run: Run, dataset: OpenDataset, text: str) -> Finding:
    return _finding(run, dataset, max(run.books.days(run.name)), text)


def _of_dataset(
    run: Run, dataset: OpenDataset, days: Sequence[dt.date] | None
) -> Iterator[Finding]:
    wanted = run.publications.pointers(dataset.id)
    for store, ask in _asks(run).items():
        there = _pointers(ask, dataset.id)
        for day in sorted(there.keys() | wanted.keys()):
            known = day in wanted and days is not None and day not in days
            if known or there.get(day) == wanted.get(day):
                continue
            text = (
                f"the pointer of {store} is {_short(there.get(day))}, "
                f"and the books say {_short(wanted.get(day))}"
            )
            yield _finding(run, dataset, day, text)


def _pointers(ask: Ask, dataset: str) -> dict[dt.date, str]:
    with readable("ops.publication"):
        rows = ask(
            "ops.publication",
            "SELECT book_date, entry_id FROM ops.publication "
            "WHERE dataset = $1 AND book_date IS NOT NULL",
            [dataset],
        )
    return {r["book_date"]: r["entry_id"] for r in rows.to_pylist()} if rows else {}


def _short(entry_id: str | None) -> str:
    return f"entry {entry_id[:12]}" if entry_id else "none"


def _finding(run: Run, dataset: OpenDataset, day: dt.date, text: str) -> Finding:
    key = EntryKey(run.name, dataset.names.readers, day, "", "")
    entry = Entry(key, Status.UNBALANCED)
    return Finding(entry, Totals(), (), 0, drifted=False, reason=text)
