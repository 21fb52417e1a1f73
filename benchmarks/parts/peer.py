"""NDJSON files to the same two marts by dlt and dbt-duckdb.

dlt loads the files into a DuckDB table; then dbt, in process and with two threads as on our side,
runs our own SQL over it: the same models from `int_bnpl_transactions_enriched` on, of which only
the staging and the first mart are the peer's (benchmarks/peer/models).

- `arrow`: `pyarrow.json` with the contract's types, whose tables dlt loads as Parquet. Blocks and
  tables are of the size that dlt was fastest with.
- `dicts`: dlt's own reader of NDJSON, a dict a record, with Parquet between dlt and DuckDB.
- `inserts`: the same with what dlt takes by default there, INSERT statements. On DuckDB 2 nine
  days of these take over 40 s and 6 GB, so that few days have to do.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, cast

from benchmarks.jobs import BenchmarkError, Done, Job, Stopwatch, Task, volume_of
from benchmarks.parts.models import File, Models
from benchmarks.parts.ours import LOAD, MARTS
from benchmarks.parts.warehouse import contents
from clearhouse.core.contract import Contract
from clearhouse.core.resources import resource
from clearhouse.engines import dbt_runner
from clearhouse.engines.engine import Engine

TABLE = "purchases"
_PEER = Path(__file__).parent.parent / "peer"
_SHARED = (
    "dbt_project.yml",
    "profiles.yml",
    "macros/generate_schema_name.sql",
    "macros/ref.sql",
    "models/bnpl/intermediate/int_bnpl_transactions_enriched.sql",
    "models/bnpl/intermediate/int_bnpl_customer_profiles.sql",
    "models/bnpl/marts/mart_bnpl_customers.sql",
)

_BLOCK_BYTES = 1 << 22
_FILES_A_TABLE = 30
_DLT_MODULES = (
    "dlt.destinations.impl.duckdb.duck",
    "dlt.extract.extract",
    "dlt.load.load",
    "dlt.normalize.items_normalizers",
    "dlt.sources.filesystem",
)

LoaderFormat = Literal["parquet", "insert_values"]
Records = Callable[[Job], Any]
"""What is given to dlt: a resource named TABLE."""


def arrow(job: Job, _: ExitStack) -> Task:
    """By Arrow tables."""
    return _files_to_marts(job, _tables, "parquet")


def dicts(job: Job, _: ExitStack) -> Task:
    """By a dict a record, in dlt's faster setting."""
    return _files_to_marts(job, _dicts, "parquet")


def inserts(job: Job, _: ExitStack) -> Task:
    """By a dict a record, as dlt does when nothing is set."""
    return _files_to_marts(job, _dicts, "insert_values")


def _files_to_marts(job: Job, records: Records, loader_format: LoaderFormat) -> Task:
    _import_all(job)
    import dlt

    count, payload_bytes = volume_of(job.files)
    warehouse = job.home / "peer.duckdb"
    file = cast(Engine, File(warehouse))
    models = Models(_project(job.home / "dbt_project"), file, job.home / "dbt")
    models.prepare()
    resource_of_records = records(job)
    watch = Stopwatch()

    def run() -> Done:
        with watch.timed(LOAD):
            pipeline = dlt.pipeline(
                "peer",
                pipelines_dir=str(job.home / "dlt"),
                destination=dlt.destinations.duckdb(str(warehouse)),
                dataset_name="loaded",
            )
            pipeline.run(
                resource_of_records, loader_file_format=loader_format
            ).raise_on_failed_jobs()
        with watch.timed(MARTS):
            models.run_models()
        return Done(count, payload_bytes, watch.seconds)

    return Task(run, lambda: contents(warehouse))


def _import_all(job: Job) -> None:
    """Import what dlt imports when it needs it, and let it report to nobody."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(job.home / "dlt_data")}
    try:
        for module in _DLT_MODULES:
            import_module(module)
    except ImportError as error:
        raise BenchmarkError(f"dlt is not installed ({error}): run `make bench`.") from error
    import_module("pandas")
    import_module("pyarrow.parquet")

    dbt_runner.preload()


def _tables(job: Job) -> Any:
    import dlt
    import pyarrow as pa
    import pyarrow.json as pj

    contract = Contract.load(resource("contracts") / "bnpl" / "transactions.yaml")
    types = pj.ParseOptions(explicit_schema=contract.json_schema, unexpected_field_behavior="error")
    blocks = pj.ReadOptions(block_size=_BLOCK_BYTES)

    @dlt.resource(name=TABLE)
    def tables() -> Iterator[Any]:
        for start in range(0, len(job.files), _FILES_A_TABLE):
            some = job.files[start : start + _FILES_A_TABLE]
            yield pa.concat_tables(
                pj.read_json(file, read_options=blocks, parse_options=types) for file in some
            )

    return tables()


def _dicts(job: Job) -> Any:
    from dlt.sources.filesystem import filesystem, read_jsonl

    files = filesystem(bucket_url=job.inputs.absolute().as_uri(), file_glob="*.ndjson")
    wanted = {file.name for file in job.files}
    files.add_filter(lambda item: item["file_name"] in wanted)
    return (files | read_jsonl()).with_name(TABLE)


def _project(folder: Path) -> Path:
    """Put the peer's dbt project together from our SQL and its own."""
    ours = resource("dbt")
    for name in _SHARED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ours / name, target)
    shutil.copytree(ours / "macros" / "engine", folder / "macros" / "engine")
    shutil.copytree(_PEER / "models", folder / "models" / "bnpl" / "peer")
    shutil.copytree(_PEER / "macros", folder / "macros" / "peer")
    return folder
