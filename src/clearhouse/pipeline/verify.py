"""Every field: days derived again from landing, and compared with what the stores hold.

Data flow: landing → scratch stores; scratch stores and stores → findings. No store is changed.
Grain: every column of every row of bronze, quarantine, silver, gold, what readers see, and of the
derived tables the rows of the entities that the days touch.
How to run: `clearhouse verify DOMAIN`.

A day is derived by the code that is in force. What earlier code made is named and not compared.
"""

import datetime as dt
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from clearhouse.books.model import Entry, EntryKey
from clearhouse.books.verified import Verified
from clearhouse.core.errors import StoreError, UsageError
from clearhouse.core.window import Window
from clearhouse.landing import LandedObject
from clearhouse.pipeline.compare_stores import Compared, Pair, compare_published, compare_spine
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.publish import is_made_by_this_code
from clearhouse.pipeline.rebuild import versions_behind
from clearhouse.pipeline.scratch import Chain, derive_published, derive_spine, scratch_of


@dataclass
class Outcome:
    """What verifying days came to.

    Attributes:
        days: days of which at least bronze was compared.
        compared: tables with what differs in them.
        left_out: by day, what could not be derived, and why.
    """

    days: list[dt.date] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)
    left_out: dict[dt.date, list[str]] = field(default_factory=dict)

    @property
    def findings(self) -> list[tuple[str, dt.date | None, str]]:
        """Table, day and sentence of everything that differs."""
        return [
            (c.table, d.day, sentence)
            for c in self.compared
            for d in c.differences
            for sentence in (*d.sentences, *_rest(d.count - len(d.sentences)))
        ]

    def count(self, day: dt.date) -> int:
        """How many differences there are on a day."""
        return sum(d.count for c in self.compared for d in c.differences if d.day == day)


def _rest(count: int) -> list[str]:
    return [f"and {count:,} more"] if count else []


def days_to_verify(
    run: Run, first: dt.date | None, last: dt.date | None, share: float | None
) -> list[dt.date]:
    """The days of the books in a range, or a share of its published days.

    Raises:
        UsageError: the share is not above 0 and at most 1.
    """
    if share is not None and not 0 < share <= 1:
        raise UsageError(f"--sample {share} is no share: give one above 0, up to 1.", "bad_share")
    known = [day for day in run.books.days(run.name) if (first or day) <= day <= (last or day)]
    if share is None:
        return known
    published = {d for ds in run.datasets for d in run.publications.pointers(ds.id, known)}
    tried = Verified(run.books.engine).last(run.name)
    some = random.sample(sorted(published), len(published))  # those that waited as long: by chance
    some.sort(key=lambda day: tried[day].timestamp() if day in tried else 0)
    return sorted(some[: math.ceil(share * len(some))])


def verify(run: Run, days: Sequence[dt.date]) -> Outcome:
    """Derive days again and compare them; the books record what was verified and found."""
    outcome = Outcome()
    plans = {dataset.id: _plan(run, dataset, days, outcome) for dataset in run.datasets}
    if any(plan.chains for plan in plans.values()):
        with scratch_of(run) as scratch:
            for dataset in scratch.datasets:
                _verify_spine(run, scratch, dataset, plans[dataset.id], outcome)
            _verify_published(run, scratch, plans, outcome)
    outcome.days = sorted({day for plan in plans.values() for day in plan.chains})
    run.books.add_findings(run.name, outcome.findings, run.run_id)
    counts = {day: outcome.count(day) for day in days}
    Verified(run.books.engine).add(
        run.name, {d: n if n or d in outcome.days else None for d, n in counts.items()}, run.run_id
    )
    return outcome


@dataclass
class _Plan:
    """What is derived of each day of a dataset.

    Attributes:
        chains: by day; a second one where readers see the day as before a correction.
        bronze, silver: the entry that the store should hold of each day.
        gold: the entries, the last one and the published one.
        pointers: the published entry, where it is among those.
    """

    chains: dict[dt.date, list[Chain]] = field(default_factory=dict)
    bronze: dict[dt.date, str] = field(default_factory=dict)
    silver: dict[dt.date, str] = field(default_factory=dict)
    gold: dict[dt.date, set[str]] = field(default_factory=dict)
    pointers: dict[dt.date, str] = field(default_factory=dict)


def _plan(run: Run, dataset: OpenDataset, days: Sequence[dt.date], outcome: Outcome) -> _Plan:
    plan = _Plan()
    names = dataset.names
    bronze, silver, gold = (run.entries(h, days) for h in (names.bronze, names.silver, names.gold))
    pointers = run.publications.pointers(dataset.id, days)
    landed = _landed(run, dataset, days, outcome)
    for day in days:
        wanted = {
            "silver": silver[day].entry_id if day in silver else None,
            "gold": gold[day].entry_id if day in gold else None,
            "readers": pointers.get(day),
        }
        roots = {e.entry_id: e for e in _roots(run, dataset, bronze.get(day), wanted.values())}
        chains = [
            chain
            for root in roots.values()
            if (chain := _chain(run, dataset, root, landed.get(day, []), outcome))
        ]
        made = {e for chain in chains for e in (chain.silver, chain.gold)}
        for stage, entry_id in wanted.items():
            if entry_id and entry_id not in made and chains:
                why = f"what {stage} holds of {dataset.id} was made by earlier code"
                outcome.left_out.setdefault(day, []).append(why)
        if not roots:
            outcome.left_out.setdefault(day, []).append(f"no work on {dataset.id} came to its end")
        if not chains:
            continue
        plan.chains[day] = chains
        if day in bronze and bronze[day].entry_id in {c.bronze for c in chains}:
            plan.bronze[day] = bronze[day].entry_id
        if wanted["silver"] in made:
            plan.silver[day] = silver[day].entry_id
        plan.gold[day] = {e for e in (wanted["gold"], wanted["readers"]) if e and e in made}
        if day in pointers and pointers[day] in made:
            plan.pointers[day] = pointers[day]
    return plan


def _landed(
    run: Run, dataset: OpenDataset, days: Sequence[dt.date], outcome: Outcome
) -> dict[dt.date, list[list[LandedObject]]]:
    """What has landed, by source; days of which an object is not as it was landed are left out."""
    found = {}
    for day, objects in _listed(run, dataset, days, outcome).items():
        bad = [o.key for some in objects for o in some if not _is_as_landed(run, o)]
        if bad:
            told = f"{', '.join(bad)} is missing, or not as it was landed"
            outcome.compared.append(Compared.of_one("landing", day, told))
        else:
            found[day] = objects
    return found


def _listed(
    run: Run, dataset: OpenDataset, days: Sequence[dt.date], outcome: Outcome
) -> dict[dt.date, list[list[LandedObject]]]:
    """The objects by source; a day with a manifest that is not as it was written is left out."""
    if not days:
        return {}
    window = Window(min(days), max(days))
    try:
        by_source = [run.landing.days(s.name, window) for s in dataset.declared.sources]
    except StoreError as error:
        if len(days) > 1:
            return {d: o for day in days for d, o in _listed(run, dataset, [day], outcome).items()}
        outcome.compared.append(Compared.of_one("landing", days[0], error.message))
        return {}
    return {day: [each[day] for each in by_source] for day in days}


def _is_as_landed(run: Run, landed: LandedObject) -> bool:
    """Whether an object can be read, and has the payload that it is named by."""
    try:
        return sha256(run.landing.read(landed)).hexdigest() == landed.payload_sha256
    except StoreError:
        return False


def _roots(
    run: Run, dataset: OpenDataset, current: Entry | None, made: Iterable[str | None]
) -> Iterator[Entry]:
    """The bronze entries that what the stores hold of a day was made from."""
    if current:
        yield current
    for entry_id in filter(None, made):
        yield from (e for e in run.books.lineage(entry_id) if e.key.hop == dataset.names.bronze)


def _chain(
    run: Run,
    dataset: OpenDataset,
    root: Entry,
    objects: Sequence[Sequence[LandedObject]],
    outcome: Outcome,
) -> Chain | None:
    """A day by what a bronze entry of it was made from; None where it can't be derived again."""
    day = root.key.book_date
    names, versions = dataset.names, dataset.versions
    counts = versions_behind(root.key.input_hash, objects)
    if counts is None:
        if objects:  # else it was told already
            told = f"landing does not have what bronze of {dataset.id} was made from"
            outcome.compared.append(Compared.of_one("landing", day, told))
        return None
    if root.key.code_hash != versions.bronze:
        why = f"bronze of {dataset.id} was made by earlier code"
        outcome.left_out.setdefault(day, []).append(why)
        return None
    silver = EntryKey(run.name, names.silver, day, root.entry_id, versions.silver).entry_id
    gold = EntryKey(run.name, names.gold, day, silver, versions.gold).entry_id
    some = tuple(o for each, n in zip(objects, counts, strict=True) for o in each[:n])
    return Chain(some, root.entry_id, silver, gold)


def _verify_spine(
    run: Run, scratch: Run, dataset: OpenDataset, plan: _Plan, outcome: Outcome
) -> None:
    """Derive each day by its first chain, then those that have a second one, and so on."""
    rounds = max((len(chains) for chains in plan.chains.values()), default=0)
    for nth in range(rounds):
        chains = {day: each[nth] for day, each in plan.chains.items() if nth < len(each)}
        derive_spine(scratch, dataset, chains)
        bronze = [d for d, chain in chains.items() if plan.bronze.get(d) == chain.bronze]
        silver = [d for d, chain in chains.items() if plan.silver.get(d) == chain.silver]
        gold = {d: c.gold for d, c in chains.items() if c.gold in plan.gold[d]}
        outcome.compared += compare_spine(Pair(run, scratch, dataset), bronze, silver, gold)


def _verify_published(run: Run, scratch: Run, plans: Mapping[str, _Plan], outcome: Outcome) -> None:
    """Derive and compare what readers see, if it was made by the code in force."""
    derived = {name: plan.pointers for name, plan in plans.items()}
    others = {
        name: {d: e for d, e in run.publications.pointers(name).items() if d not in pointers}
        for name, pointers in derived.items()
    }
    if not any(derived.values()):
        return
    if not is_made_by_this_code(run):
        for day in {d for pointers in derived.values() for d in pointers}:
            why = "what derives from published rows was made by earlier code"
            outcome.left_out.setdefault(day, []).append(why)
        return
    derive_published(scratch, run, derived, others)
    for dataset in scratch.datasets:
        days = sorted(derived[dataset.id])
        if days:
            outcome.compared += compare_published(Pair(run, scratch, dataset), days)
