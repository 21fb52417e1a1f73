"""A domain's parts, opened by their settings: what a command works with."""

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from operator import methodcaller
from pathlib import Path
from tempfile import TemporaryDirectory

from clearhouse.books.certificate import Certificates
from clearhouse.books.decisions import Decisions
from clearhouse.books.digests import FORM
from clearhouse.books.journal import Journal
from clearhouse.books.ledger import Books
from clearhouse.books.model import digest
from clearhouse.books.publications import Publications
from clearhouse.core.contract import Contract
from clearhouse.core.ending import close_at_end
from clearhouse.core.errors import UsageError
from clearhouse.core.resources import resource
from clearhouse.core.urls import SecretUrl
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.dbt_files import assembled
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.engines.engine import Engine
from clearhouse.engines.servers import engine_on_server
from clearhouse.lake.iceberg import Lake
from clearhouse.landing import Landing
from clearhouse.landing.folder import ObjectFolder
from clearhouse.landing.spine import LandingReader
from clearhouse.pipeline import metrics, ops
from clearhouse.pipeline.bronze import bronze_schema
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.domain import Connection, Dataset, Domain, Faults
from clearhouse.pipeline.export_files import ExportSpine
from clearhouse.pipeline.hops import HopNames, Stores, hops_of, with_exports
from clearhouse.pipeline.runner import Progress, Silent
from clearhouse.pipeline.versions import versions_of
from clearhouse.quality.alerts import Alerter
from clearhouse.quality.gates import Gates
from clearhouse.settings import Settings
from clearhouse.store.database import open_database
from clearhouse.store.landing_totals import LandingTotals
from clearhouse.store.quarantine import Quarantine


def open_run(
    domain: Domain,
    settings: Settings,
    connections: Mapping[str, Connection] | None = None,
    *,
    progress: Progress | None = None,
    refresh: bool = False,
) -> Run:
    """The domain's parts, opened (and made where they are not there yet)."""
    run = _opened(domain, settings)
    run.connections = connections or {}
    run.refresh = refresh
    run.progress = progress or Silent()
    return run


def _opened(domain: Domain, settings: Settings, scratch: Path | None = None) -> Run:
    """The parts; with a folder for what is written beside the stores, these are only read."""
    home = settings.clearhouse_home
    home.mkdir(parents=True, exist_ok=True)
    reads_only = scratch is not None
    database = open_database(settings.database_url, reads_only=reads_only)
    landing = Landing.from_url(settings.landing_url)
    lake = Lake(settings.catalog_url, home / "bronze")
    engine = open_engine(settings, domain.name, reads_only=reads_only)
    publications = Publications(database)
    quarantine = Quarantine(database)
    books, decisions = Books(database), Decisions(database)
    stores = Stores(lake, engine, quarantine, books, decisions, publications, settings)

    def opened(dataset: Dataset) -> OpenDataset:
        contract = Contract.load(domain.contracts / f"{dataset.name}.yaml")
        versions = versions_of(domain, dataset, contract)
        measured_by = digest(versions.reading, FORM)
        memory = LandingTotals(database, measured_by, reads_only=reads_only)
        sources = tuple(source.name for source in dataset.sources)
        for source in sources:
            contract.of(source)  # one that the contract does not name is refused now
        reader = LandingReader(landing, contract, sources, memory)
        names = HopNames.of(dataset, is_only=len(domain.datasets) == 1)
        judge = stores.judge(dataset, names, contract)
        exports = _exports(settings, dataset, names, reader)
        hops = with_exports(hops_of(dataset, names, reader, stores, judge), names, exports)
        return OpenDataset(dataset, contract, reader, names, hops, versions, judge, exports)

    work = (scratch or home) / "work" / domain.name
    webhook = settings.slack_webhook_url
    return Run(
        domain=domain,
        settings=settings,
        run_id=uuid.uuid4().hex[:12],
        datasets=tuple(map(opened, domain.datasets)),
        landing=landing,
        lake=lake,
        engine=engine,
        books=books,
        journal=Journal(database),
        publications=publications,
        certificates=Certificates(database),
        decisions=decisions,
        quarantine=quarantine,
        gates=Gates(domain.gates, work / "gx"),
        alerter=Alerter(webhook.get_secret_value() if webhook else None),
        streams=tuple(domain.streams(settings)) if domain.streams else (),
        dbt=DbtProject(
            assembled(resource("dbt"), domain.models, domain.model_tests, work / "project"),
            engine,
            work / "dbt" / engine.dbt_target().name,
        ),
    )


def _exports(
    settings: Settings, dataset: Dataset, names: HopNames, reader: LandingReader
) -> dict[str, ExportSpine]:
    """The exported files of a dataset by hop; none where EXPORT_URL is not set."""
    if not settings.export_url:
        return {}
    folder = ObjectFolder.from_url(settings.export_url, "EXPORT_URL")
    schema = bronze_schema(reader.contract)
    return {
        hop: ExportSpine(
            folder, form, dataset.name, reader.sources, reader.contract, schema, reader.memory
        )
        for form, hop in names.exports.items()
    }


@contextmanager
def opened_to_read(domain: Domain, settings: Settings) -> Iterator[Run]:
    """The domain's parts over a home that can't be written, for as long as the block lasts.

    Of the databases that SQLite would lock in their folder, copies are opened.
    """
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        urls = {
            name: _copied(url, scratch / name)
            for name in ("database_url", "catalog_url")
            if isinstance(url := getattr(settings, name), str)
        }
        run = _opened(domain, settings.model_copy(update=urls), scratch)
        try:
            yield run
        finally:
            run.engine.close()


def _copied(url: str, copy: Path) -> str:
    """The URL of a copy of an SQLite database, with what is not yet moved into its file."""
    prefix = "sqlite:///"
    for side in ("", "-wal"):
        file = Path(url.removeprefix(prefix) + side)
        if file.exists():
            shutil.copyfile(file, f"{copy}{side}")
    return f"{prefix}{copy}"


def open_engine(settings: Settings, domain: str, *, reads_only: bool = False) -> Engine:
    """The SQL engine at ENGINE_URL, with the tables by which the pipeline and the models talk."""
    set_up = (*ops.TABLES, metrics.CREATE)
    place = settings.engine_of(domain)
    if isinstance(place, SecretUrl):
        engine = engine_on_server(
            place, settings.engine_variable(domain), set_up=set_up, reads_only=reads_only
        )
    else:
        engine = DuckDBEngine(
            place,
            settings.clearhouse_home / "gold",
            settings.readers_path,
            set_up=set_up,
            reads_only=reads_only,
        )
    return close_at_end(engine, methodcaller("close"))


@contextmanager
def connected(
    domain: Domain,
    settings: Settings,
    faults: Faults | None = None,
    only: Sequence[str] = (),
) -> Iterator[dict[str, Connection]]:
    """The sources of a domain by name, for as long as the block lasts.

    Args:
        domain: whose.
        settings: say where they are.
        faults: kinds by day, for a sandbox: of all sources, or of one as `<source>.<kind>`.
        only: names of the datasets whose sources are asked; all where there are none.

    Raises:
        UsageError: a fault is of a source that the domain does not have.
    """
    datasets = [d for d in domain.datasets if not only or d.name in only]
    sources = [source for dataset in datasets for source in dataset.sources]
    names = [source.name for source in sources]
    for kind in (kind for kinds in (faults or {}).values() for kind in kinds):
        if "." in kind and kind.partition(".")[0] not in names:
            raise UsageError(
                f"{kind!r} is no fault of {domain.name}: its sources are {', '.join(names)}.",
                "bad_fault",
            )
    with ExitStack() as stack:
        yield {
            source.name: stack.enter_context(
                source.connect(settings, _of_source(source.name, faults or {}))
            )
            for source in sources
        }


def _of_source(name: str, faults: Faults) -> Faults:
    """The faults of one source."""
    of_days = {
        day: [k.removeprefix(f"{name}.") for k in kinds if "." not in k or k.startswith(f"{name}.")]
        for day, kinds in faults.items()
    }
    return {day: kinds for day, kinds in of_days.items() if kinds}
