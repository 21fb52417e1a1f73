"""What a domain declares. The functions of this package do the work."""

import datetime as dt
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypedDict, runtime_checkable

from clearhouse.books.hop import Hop, Relation
from clearhouse.core.errors import ClearhouseError
from clearhouse.core.resources import resource
from clearhouse.core.window import Window
from clearhouse.engines.engine import Layout
from clearhouse.landing.spine import LandingReader
from clearhouse.pipeline.runner import Step
from clearhouse.quality.frames import Frames
from clearhouse.settings import Settings

STATE = "state"
"""In a request, what the source says that it holds of the day: a day that has grown is pulled again
whole, and that is no other way to ask for it."""

Faults = Mapping[dt.date, Sequence[str]]
"""Kinds of faults by day, for a sandbox."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source gave for one day, whole.

    Attributes:
        payload: the answer's bytes, in the format that the dataset's contract names.
        request: what was asked, as JSON can hold it.
    """

    book_date: dt.date
    payload: bytes = field(repr=False)
    request: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A day that the source did not give, and why; nothing of it was kept."""

    book_date: dt.date
    error: ClearhouseError


class Connection(Protocol):
    """A source that can be asked.

    Attributes:
        identity: who is asked, as the books name it; no secrets.
        notice: what a person should know of it, such as that a sandbox stands in; "" for nothing.
    """

    identity: str
    notice: str

    def requests(self, days: Sequence[dt.date]) -> Mapping[dt.date, Mapping[str, Any]]:
        """What would be asked for each of the days. Asks nothing."""
        ...

    def pull(self, days: Sequence[dt.date]) -> AsyncGenerator[Batch | Failure, None]:
        """Each day as soon as it is there, in any order."""
        ...


@runtime_checkable
class Followable(Connection, Protocol):
    """A source that can be asked for what it has of a day since it was asked last."""

    def following(self, landed: Mapping[dt.date, Sequence[bytes]]) -> Connection:
        """The same, to be asked for no more than what came after the records that have landed.

        Args:
            landed: by day, the last record of each answer that has one; none where a day has none.
        """
        ...


@dataclass(frozen=True)
class Source:
    """An outside system that a dataset is pulled from.

    Attributes:
        name: in the keys of landed objects and in record ids.
        connect: opens it for as long as the block lasts.
        check: asks it who it is, and says so in one sentence.
        spine: the rows that a store of ours holds, which landing must have; None where the source
            is an outside one, whose rows nobody can ask for again.
    """

    name: str
    connect: Callable[[Settings, Faults], AbstractContextManager[Connection]] = field(repr=False)
    check: Callable[[Settings], str] = field(repr=False)
    spine: Callable[[Settings, LandingReader], Relation] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Gate:
    """A checkpoint of Great Expectations that can hold a day.

    Attributes:
        name: of the checkpoint.
        frames: what is judged, made of a `Run`, an `OpenDataset` (of `pipeline.context`, which
            builds on this module) and some days.
        version: of `frames`: what is judged under another version is judged again.
        inputs: files beside the checkpoint that verdicts depend on.
    """

    name: str
    frames: Callable[[Any, Any, Sequence[dt.date]], Frames] = field(repr=False)
    version: str = "1"
    inputs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Derived:
    """A table that follows from published rows, and is mended where a publication touches it.

    Attributes:
        served_in: schema of the table that readers see; the model of the same name in the schema
            `next` holds the rows that a publication changes.
        key: column of the entity that rows belong to.
        touched: relation that lists the touched entities; its column is called like `key`.
        at: column of a row's moment, where the rows of a touched entity change only from a moment
            on: `touched_from` of that relation. "" where they all may change.
        part: SQL of the date by which the table is served in parts; "" for a small one.
        is_internal: readers are not shown it.
        entity: SQL of a published row's entity, where it is not a column called like `key`.
        entities_in: a table from whose rows `entity` is taken instead, where more than one
            published row says which it is.
        grain: columns that tell the table's rows apart; unless said, `key` with `at` and `part`.
        feeds: other derived tables are made from its rows, also from those that are not touched.
        is_summary: readers are shown it as a materialized view, where the engine has those; its
            `grain` is said.
        indexes: lists of columns by which its rows are looked for, beside `key`.
    """

    name: str
    served_in: str
    key: str
    touched: str
    at: str = ""
    part: str = ""
    is_internal: bool = False
    entity: str = ""
    entities_in: str = ""
    grain: tuple[str, ...] = ()
    feeds: bool = False
    is_summary: bool = False
    indexes: Sequence[Sequence[str]] = ()

    @property
    def served(self) -> str:
        """The table that readers see."""
        return f"{self.served_in}.{self.name}"

    @property
    def all_indexes(self) -> Sequence[Sequence[str]]:
        """The lists of columns by which its rows are looked for."""
        return ((self.key, self.at) if self.at else (self.key,), *self.indexes)

    @property
    def rows_touched(self) -> str:
        """SQL query of the served rows that the publication being made replaces."""
        return f"SELECT served.* FROM {self.served} AS served JOIN {self._touched_on('ON')}"

    def removal(self, table: str) -> str:
        """The statement that deletes these rows from the table that is served."""
        return f"DELETE FROM {table} AS served USING {self._touched_on('WHERE')}"

    def _touched_on(self, keyword: str) -> str:
        """The touched entities, joined to the rows of theirs that change.

        Not by EXISTS: with a moment in its condition, DuckDB asks it of every row of history.
        """
        entity = "book_date" if self.key == "_book_date" else self.key
        is_later = f" AND touched.touched_from <= served.{self.at}" if self.at else ""
        return f"""(SELECT * FROM {self.touched}) AS touched
            {keyword} touched.{entity} = served.{self.key}{is_later}"""


@dataclass(frozen=True)
class Dataset:
    """One dataset of a domain: its contract, its sources, and the tables of its spine.

    Attributes:
        name: within the domain.
        silver, gold, readers: `schema.table` of each hop.
        touched_keys: model that lists the record keys that a publication touches.
        published: model of the published rows, with the columns that derived tables need.
        hidden: model of published rows that readers don't see.
        raw_gate: judges a day in bronze.
        business_gate: judges a day's candidates in gold.
        derived: in the order in which they are applied.
        views: what else readers are shown, in the order in which views build on each other.
        id_column: the source's own name of a record, by which people ask for it.
        layout: of the gold fact.
        restated: whether each answer states anew what earlier ones said of the same keys, so that
            of several versions the one that was said last counts. Otherwise bytes that come again
            are delivered again, and don't undo the version between.
    """

    name: str
    sources: tuple[Source, ...]
    silver: str
    gold: str
    readers: str
    touched_keys: str
    published: str
    hidden: str
    raw_gate: Gate
    business_gate: Gate
    id_column: str
    derived: tuple[Derived, ...] = ()
    views: tuple[str, ...] = ()
    layout: Layout = field(default_factory=Layout)
    restated: bool = False


@dataclass(frozen=True)
class StreamState:
    """How far the services have come with a day.

    Attributes:
        covers: what the hop's rows of the day are a function of, such as positions in a log: by
            them the books name what an entry covers.
        waiting: what is still to be done of the day, in a sentence; "" for nothing.
    """

    covers: str
    waiting: str = ""


@dataclass(frozen=True)
class StreamHop:
    """A hop that no step fills.

    Attributes:
        hop: what stands on which side. Its rows are those that the services have come to.
        reached: by day, without those of which it can't be said any more: their entries stay.
    """

    hop: Hop
    reached: Callable[[Sequence[dt.date]], Mapping[dt.date, StreamState]] = field(repr=False)


@dataclass(frozen=True)
class StepGroup:
    """Some consecutive steps that a domain's users know by one name.

    Attributes:
        steps: their names.
        datasets: the names of those that the steps then work on; all where there are none.
        follows: days are pulled from where they have landed (`Followable`), and not whole.
    """

    steps: tuple[str, ...]
    datasets: tuple[str, ...] = ()
    follows: bool = False

    def __str__(self) -> str:
        of = f" of {' and '.join(self.datasets)}" if self.datasets else ""
        return " and ".join(self.steps) + of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person is told of something, a line each.

    Attributes:
        told: how it is.
        findings: what is not as it should be; nothing where all is well.
    """

    told: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the outside world has sent to a domain's services, and what came of it.

    Attributes:
        settings: those to run the pipeline with: what it asks for is the same outside world.
        window: the book dates on which it arrived.
        verdict: on what the services made of it.
        published: the same on what a `Run` has published of it.
    """

    settings: Settings
    window: Window
    verdict: Verdict
    published: Callable[[Any], Verdict] = field(repr=False)


class Arrivals(Protocol):
    """How the sandbox's records come to a domain that is sent them, and is not pulled."""

    def __call__(
        self, settings: Settings, count: int, tell: Callable[[str], None]
    ) -> AbstractContextManager[Arrived]:
        """Have the sandbox send records to the domain's services, and wait for what comes of them.

        Asked for the same number again, it finds them there and sends none. The outside world can
        be asked for as long as the block lasts.

        Args:
            settings: where the services' stores are.
            count: how many records at least.
            tell: is told what is under way, in few words.
        """
        ...


@dataclass(frozen=True)
class Domain:
    """A domain: its datasets, and where its files are.

    Attributes:
        contracts: folder of `<dataset>.yaml`.
        models, model_tests: folders of dbt models and of singular tests.
        gates: folder of a Great Expectations project.
        volume_band: what number of records a healthy day has, for the daily figures.
        step_groups: names by which the domain's users know some of its steps.
        more_steps: its own, which follow those that all domains have (`steps.STEPS`).
        arrivals: for a demonstration, where records are sent to the domain's services.
        streams: hops before those of its datasets, which its services fill (`pipeline.streams`).
    """

    name: str
    datasets: tuple[Dataset, ...]
    contracts: Path
    models: Path
    model_tests: Path
    gates: Path
    volume_band: Callable[[Settings, dt.date], tuple[int, int]] | None = field(
        default=None, repr=False
    )
    step_groups: Mapping[str, StepGroup] = field(default_factory=dict, hash=False)
    more_steps: tuple[Step[Any], ...] = ()
    arrivals: Arrivals | None = field(default=None, repr=False)
    streams: Callable[[Settings], Sequence[StreamHop]] | None = field(default=None, repr=False)


class PackagedFiles(TypedDict):
    """Where the files of a domain are, as arguments of `Domain`."""

    contracts: Path
    models: Path
    model_tests: Path
    gates: Path


def packaged(name: str) -> PackagedFiles:
    """Where the files of a domain of this package are."""
    return {
        "contracts": resource("contracts") / name,
        "models": resource("dbt") / "models" / name,
        "model_tests": resource("dbt") / "tests" / name,
        "gates": resource("gx") / name,
    }
