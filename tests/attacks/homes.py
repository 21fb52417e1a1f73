"""A small home of each domain with a day of each kind, attacked and put back."""

import datetime as dt
import gc
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from cli_session import command
from click.testing import Result

from attacks.recipes import CLOSED, DAYS, RECIPES, REGISTERED, RELEASED, SEALED, Recipe
from clearhouse.core.contract import Contract
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.core.money import Money, iso_exponents
from clearhouse.domains import domain_of
from clearhouse.landing import LandedObject
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Dataset, Domain
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import Settings, load_settings


@dataclass(frozen=True)
class Row:
    """A record that nothing else is called like.

    Attributes:
        name: as the books call it.
        text: its value of the column that attacks change (`Places.column`).
    """

    record_id: str
    record_key: str
    name: str
    amount: Money
    text: str


@dataclass(frozen=True)
class Places:
    """What a domain declares, and where its home has it.

    Attributes:
        column: a column of the contract that bronze, silver and gold have, with text in it; "" for
            a contract without one.
        bronze, gold: the Parquet file of each day.
        entries: the entry in force of each hop and day.
        landed: by source and day.
    """

    declared: Dataset
    names: HopNames
    contract: Contract
    column: str
    bronze: Mapping[dt.date, Path]
    gold: Mapping[dt.date, Path]
    entries: Mapping[tuple[str, dt.date], str]
    landed: Mapping[tuple[str, dt.date], LandedObject]

    def amount(self, minor: int, currency: str) -> Decimal:
        """Minor units of a currency as the tables hold an amount."""
        places = 0 if self.contract.amount.is_minor else iso_exponents()[currency]
        return Decimal(minor).scaleb(-places)


@dataclass
class Home:
    """A home, and what attacks need to know of it.

    Attributes:
        copy: as it was made; what is attacked is put back to that.
        rows: of each day, the records that no attack has chosen yet.
        first_publication, first_books: what readers opened, and the books, before the release.
        proof: of a record of the closed day, and with `proved_head` the head of the journal then.
        head: of the journal as it was made.
    """

    name: str
    path: Path
    copy: Path
    variables: dict[str, str] = field(default_factory=dict)
    rows: dict[dt.date, list[Row]] = field(default_factory=dict)
    first_publication: bytes = b""
    first_books: bytes = b""
    proof: str = ""
    proved_head: str = ""
    head: str = ""
    _places: Places | None = None

    @property
    def at(self) -> Places:
        """Where its parts are."""
        assert self._places
        return self._places

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.name]

    @property
    def domain(self) -> Domain:
        with REGISTERED:
            return domain_of(self.name)

    def hops(self, declared: Dataset) -> HopNames:
        """The hops of a dataset of its domain."""
        return HopNames.of(declared, is_only=len(self.domain.datasets) == 1)

    def settings(self) -> Settings:
        return load_settings(_env_file=None, clearhouse_home=self.path)

    def command(self, *args: object) -> Result:
        """A command of the command line, in this process."""
        with REGISTERED:
            return command(self.path, *args, **self.variables)

    @contextmanager
    def opened(self) -> Iterator[Run]:
        """The stores."""
        run = open_run(self.domain, self.settings())
        try:
            yield run
        finally:
            run.engine.close()
            run.books.engine.dispose()

    def look_around(self) -> str:
        """Find where everything is; the head of the journal."""
        with self.opened() as run:
            self._places = _places(run)
            self.rows = self._rows(run)
            return str(run.journal.head())

    def called(self, record_key: str) -> str:
        """How the books call a record: by its whole key where that does not end with its id."""
        is_last = self.at.contract.parts_after(self.at.declared.id_column) == 0
        return record_key.rpartition("|")[2] if is_last else record_key

    def take(self, day: dt.date) -> Row:
        """A record of a day, which no other attack gets."""
        return self.rows[day].pop()

    def _rows(self, run: Run) -> dict[dt.date, list[Row]]:
        """The records of each day whose key no other record has."""
        at = self.at
        gold, amount = at.declared.gold, at.contract.amount.name
        minor, currency = amount_sql(at.contract, run.engine.dialect)
        found = run.engine.query(
            f"""SELECT _book_date, _record_id, _record_key, {minor} AS minor,
                {currency} AS currency, {at.column or "''"} AS text
            FROM {gold} WHERE {amount} > 0 AND text IS NOT NULL AND _record_key IN (
                SELECT _record_key FROM {gold} GROUP BY _record_key HAVING count(*) = 1)
            ORDER BY _record_id"""
        ).to_pylist()
        rows: dict[dt.date, list[Row]] = {day: [] for day in DAYS}
        for r in found:
            amount_of = Money(r["minor"], r["currency"])
            key = r["_record_key"]
            row = Row(r["_record_id"], key, self.called(key), amount_of, r["text"])
            rows[r["_book_date"]].append(row)
        return rows

    def keep(self) -> None:
        """Note how the home is now: attacked, it is put back to that."""
        with self.opened() as run:
            self.head = str(run.journal.head())
        gc.collect()
        shutil.copytree(self.path, self.copy)

    def is_as_made(self) -> bool:
        """Whether every byte is as it was, and there is no other file."""
        there, before = _state(self.path), _state(self.copy)
        return there.keys() == before.keys() and all(
            (self.path / file).read_bytes() == (self.copy / file).read_bytes() for file in before
        )

    def put_back(self) -> None:
        """Copy back what was changed, and only that."""
        gc.collect()  # an open connection would write into the files that are put in its place
        there, before = _state(self.path), _state(self.copy)
        for file in there.keys() - before.keys():
            (self.path / file).unlink()
        for file, state in before.items():
            if there.get(file) != state:
                place = self.path / file
                place.unlink(missing_ok=True)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.copy / file, place)


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    """The files of a folder, each with what changes when somebody writes it."""
    found = ((path, path.stat()) for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): (at.st_size, at.st_mtime_ns) for path, at in found}


def make_home(name: str, folder: Path) -> Home:
    """A home of a domain with the days of its recipe."""
    if name not in RECIPES:
        raise AssertionError(f"Say in attacks/recipes.py how {name} gets a day of each kind.")
    home = Home(name, folder / "home", folder / "copy")
    recipe = home.recipe
    options = [f"--fault={day}={kind}" for day, kinds in recipe.faults.items() for kind in kinds]
    with ExitStack() as stack:
        source = recipe.source(recipe.faults) if recipe.source else nullcontext({})
        home.variables = dict(stack.enter_context(source))
        if recipe.arrivals:
            recipe.arrivals(home.path, DAYS, recipe.faults)
        given = [] if recipe.source else options
        assert _code(home, "run", name, "--from", DAYS[0], "--to", DAYS[-1], *given) == 3
    home.first_publication = (home.path / "published.duckdb").read_bytes()
    home.first_books = _content(home.path / "clearhouse.db")
    release = ("release", name, "--date", RELEASED, "--reason", "as agreed")
    codes = [_code(home, *release) for _ in range(recipe.holds)]
    assert codes == [*[3] * (recipe.holds - 1), 0]
    for day in (CLOSED, SEALED, RELEASED):
        assert _code(home, "close", name, "--date", day) == 0
    assert _code(home, "reopen", name, "--date", RELEASED, "--reason", "a wrong rate") == 0
    home.proved_head = home.look_around()
    home.proof = home.command("prove", name, home.rows[CLOSED][0].record_id).stdout
    return home


def _code(home: Home, *args: object) -> int:
    answer = home.command(*args)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return int(answer.exit_code)


def _content(path: Path) -> bytes:
    """An SQLite database as one file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.serialize()


def _places(run: Run) -> Places:
    dataset = run.dataset()
    declared, contract = dataset.declared, dataset.contract
    entries = {
        (hop, e.key.book_date): e.entry_id
        for hop in dataset.hops
        for e in run.books.current(run.name, hop)
    }
    files = run.engine.query("SELECT entry_id, path FROM ops.entry_file").to_pylist()
    path_of = {row["entry_id"]: Path(row["path"]) for row in files}
    common = set(run.engine.columns(declared.silver)) & set(run.engine.columns(declared.gold))
    texts = [
        f.name
        for f in contract.fields
        if f.name in common and f.arrow_type == pa.string() and f != contract.currency
    ]
    return Places(
        declared,
        dataset.names,
        contract,
        next((name for name in texts if name not in {f.name for f in contract.key}), ""),
        {day: Path(run.lake.files(dataset.id, [day])[0]) for day in DAYS},
        {day: path_of[entries[dataset.names.gold, day]] for day in DAYS},
        entries,
        {
            (source.name, day): run.landing.objects(source.name, day)[0]
            for source in declared.sources
            for day in DAYS
        },
    )
