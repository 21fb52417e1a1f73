"""The parts put together by their settings: what a command works with."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from clearhouse.bnpl.context import DOMAIN, SOURCE, Bnpl, CodeHashes
from clearhouse.bnpl.data_patterns import pattern_for
from clearhouse.bnpl.spine import spine
from clearhouse.core.books.certificate import Certificates
from clearhouse.core.books.decisions import Decisions
from clearhouse.core.books.ledger import Books
from clearhouse.core.contract import Contract
from clearhouse.core.errors import UsageError
from clearhouse.core.http import HttpPolicy
from clearhouse.core.resources import code_hash, package_files, resource
from clearhouse.core.runner import Progress, Silent
from clearhouse.engines.dbt import DbtProject
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.lake.iceberg import Lake
from clearhouse.landing import Landing
from clearhouse.landing.spine import LandingReader
from clearhouse.quality.alerts import Alerter
from clearhouse.quality.gates import Gates
from clearhouse.settings import Settings
from clearhouse.store.database import open_database
from clearhouse.store.landing_totals import LandingTotals
from clearhouse.store.quarantine import Quarantine

DOMAINS = (DOMAIN,)


@dataclass(frozen=True)
class Source:
    """Where a domain's records are pulled from.

    Attributes:
        connect: the URL; with the sandbox, it is started when this is first called.
        identity: what it is called in the books. The sandbox's is its seed and faults, since its
            port is another one each time.
        is_sandbox: whether the sandbox stands in for the outside world.
    """

    connect: Callable[[], str]
    identity: str
    is_sandbox: bool


@contextmanager
def bnpl_source(
    settings: Settings, faults: Mapping[date, Sequence[str]] | None = None
) -> Iterator[Source]:
    """The simtom that is set, or the sandbox for as long as the block lasts."""
    url = settings.bnpl_api_url
    if url:
        if faults:
            raise UsageError("Faults can be asked of the sandbox only: unset BNPL_API_URL.")
        yield Source(lambda: url, url.rstrip("/"), is_sandbox=False)
        return
    seeded = {day: tuple(kinds) for day, kinds in (faults or {}).items()}
    if seeded:
        _check_faults(seeded)
    with ExitStack() as stack:

        @cache
        def start() -> str:
            from clearhouse.sandbox.options import SandboxOptions
            from clearhouse.sandbox.server import running

            options = SandboxOptions(seed=settings.bnpl_seed, faults=seeded)
            return stack.enter_context(running(options))

        yield Source(start, sandbox_identity(settings, seeded), is_sandbox=True)


def _check_faults(faults: Mapping[date, Sequence[str]]) -> None:
    from clearhouse.sandbox.faults import Fault
    from clearhouse.sandbox.simtom.faults import ROW_FAULTS

    for kind in (kind for kinds in faults.values() for kind in kinds):
        Fault.parse(kind, ROW_FAULTS)


def sandbox_identity(settings: Settings, faults: Mapping[date, Sequence[str]]) -> str:
    """The sandbox's name in the books."""
    told = ",".join(f"{day}={'+'.join(kinds)}" for day, kinds in sorted(faults.items()))
    return f"sandbox:{settings.bnpl_seed}" + (f":{told}" if told else "")


def open_bnpl(
    settings: Settings,
    source: Source | None = None,
    *,
    progress: Progress | None = None,
    refresh: bool = False,
) -> Bnpl:
    """The BNPL domain's parts, opened (and made where they are not there yet)."""
    home = settings.clearhouse_home
    home.mkdir(parents=True, exist_ok=True)
    contract = Contract.load(resource("contracts") / "bnpl" / "transactions.yaml")
    database = open_database(settings.database_url)
    landing = Landing.from_url(settings.landing_url)
    lake = Lake(settings.catalog_url, home / "bronze")
    engine = DuckDBEngine(settings.engine_path)
    quarantine = Quarantine(database)
    code = bnpl_code(contract)
    reader = LandingReader(landing, contract, (SOURCE,), LandingTotals(database, code.reading))
    return Bnpl(
        run_id=uuid.uuid4().hex[:12],
        contract=contract,
        landing=landing,
        reader=reader,
        lake=lake,
        engine=engine,
        books=Books(database),
        certificates=Certificates(database),
        decisions=Decisions(database),
        quarantine=quarantine,
        gates=Gates(resource("gx"), home / "gx"),
        alerter=Alerter(
            settings.slack_webhook_url.get_secret_value() if settings.slack_webhook_url else None
        ),
        dbt=DbtProject(resource("dbt"), settings.engine_path, home / "dbt"),
        pattern=pattern_for(
            settings.pattern,
            settings.bnpl_seed,
            settings.bnpl_base_daily_volume,
            baseline="simtom" if settings.bnpl_api_url else "sandbox",
        ),
        code=code,
        hops=spine(contract, reader, lake, engine, quarantine),
        connect=source.connect if source else None,
        source_identity=source.identity if source else "",
        ask_by=settings.bnpl_ask_by,
        policy=HttpPolicy(concurrency=settings.concurrency),
        refresh=refresh,
        progress=progress or Silent(),
    )


def bnpl_code(contract: Contract) -> CodeHashes:
    """Digests of the code that each hop's outcome depends on."""
    reading_of_a_line = (
        *(f"core/contract/{name}.py" for name in ("forms", "model", "reading", "rows")),
        "core/amounts.py",
        "core/money.py",
    )
    reading = package_files(*reading_of_a_line, "core/books/measure.py", "landing/spine.py")
    bronze = package_files(*reading_of_a_line, "core/contract/*.py", "bnpl/bronze.py")
    macros = _files(resource("dbt"), "macros/**/*.sql")
    models = _files(resource("dbt"), "models/bnpl/**/*.sql")
    rules = [
        *_files(resource("gx"), "*/*.json"),
        *_files(resource("gx"), "*.yml"),
        *package_files("bnpl/profiles.py", "bnpl/data_patterns.py", "bnpl/steps/judge.py"),
    ]
    return CodeHashes(
        reading=contract.digest[:32] + code_hash(reading)[:32],
        bronze=contract.digest[:32] + code_hash(bronze)[:32],
        silver=code_hash([*_tagged(models, "normalize"), *macros]),
        gold=code_hash([*_tagged(models, "gold"), *macros]),
        published=code_hash([*_tagged(models, "published"), *macros]),
        gates=code_hash(rules),
    )


def _tagged(models: Sequence[Path], tag: str) -> list[Path]:
    """The models whose configuration names a tag, by which dbt is told to build them."""
    return [path for path in models if f"'{tag}'" in path.read_text()]


def _files(root: Path, pattern: str) -> list[Path]:
    return sorted(root.glob(pattern))
