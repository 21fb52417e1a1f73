"""The fair declared: its files are those of the toy with other names, and a table of both datasets.

Tickets are sold at the toy's two booths, meals at a third one. Their numbers are alike.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from toy.booths import booth
from toy.domain import ROOT as TOY
from toy.domain import business_frames, raw_frames

from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import Dataset, Derived, Domain, Gate, StepGroup
from clearhouse.pipeline.runner import Step, StepReport

_FOLDER = TemporaryDirectory(prefix="fair-")  # goes when this process ends
ROOT = Path(_FOLDER.name)
OWN = Path(__file__).parent


def named(text: str, dataset: str) -> str:
    """A text of the toy for one dataset of the fair."""
    of_source = text if dataset == "tickets" else text.replace("north", "kitchen")
    return (
        of_source.replace("toy.tickets", f"fair.{dataset}")
        .replace("toy_tickets", f"fair_{dataset}")
        .replace("toy_", f"fair_{dataset}_")
        .replace("domain: toy", "domain: fair")
    )


def write_files() -> None:
    """The fair's contracts and models, below `ROOT`."""
    for folder in ("contracts", "models", "tests"):
        (ROOT / folder).mkdir()
    contract = (TOY / "contracts" / "tickets.yaml").read_text()
    for dataset in ("tickets", "meals"):
        (ROOT / "contracts" / f"{dataset}.yaml").write_text(named(contract, dataset))
        for path in (TOY / "dbt" / "toy").iterdir():
            name = named(path.name, dataset).replace("_toy", f"_{dataset}")
            (ROOT / "models" / name).write_text(named(path.read_text(), dataset))
    for path in OWN.glob("*.sql"):
        (ROOT / "models" / path.name).write_text(path.read_text())


def dataset_of(name: str, *booths: str, derived: tuple[Derived, ...] = ()) -> Dataset:
    """A dataset of some booths."""
    return Dataset(
        name=name,
        sources=tuple(map(booth, booths)),
        silver=f"silver.stg_fair_{name}",
        gold=f"gold.fct_fair_{name}",
        readers=f"marts.mart_fair_{name}",
        touched_keys=f"int_fair_{name}_touched_keys",
        published=f"int_fair_{name}_published",
        hidden=f"int_fair_{name}_hidden_tickets",
        raw_gate=Gate("toy_raw_gate", raw_frames),
        business_gate=Gate("toy_business_gate", business_frames),
        id_column="number",
        derived=derived,
    )


def count_sales(run: Run, days: Sequence[dt.date]) -> StepReport:
    """The fair's own step: it leaves what readers see of both datasets in a file."""
    sql = "SELECT CAST(sale_count AS VARCHAR) AS sales FROM marts.mart_fair_totals"
    answer = run.engine.query_readers("marts.mart_fair_totals", sql)
    (run.settings.clearhouse_home / "sales.txt").write_text(answer["sales"][0].as_py())
    return StepReport(done=list(days))


write_files()
TOTALS = Derived("mart_fair_totals", "marts", "currency", "next.int_fair_touched_currencies")
FAIR = Domain(
    "fair",
    (dataset_of("tickets", "north", "south", derived=(TOTALS,)), dataset_of("meals", "kitchen")),
    contracts=ROOT / "contracts",
    models=ROOT / "models",
    model_tests=ROOT / "tests",
    gates=TOY / "gx",
    step_groups={
        "sell_tickets": StepGroup(("extract_daily_batch", "validate_raw_schema"), ("tickets",)),
        "sell_meals": StepGroup(("extract_daily_batch", "validate_raw_schema"), ("meals",)),
        "add_up": StepGroup(("normalize_entities", "run_dbt_pipeline", "validate_business_rules")),
        "tell": StepGroup(("publish_quality_metrics", "count_sales")),
    },
    more_steps=(Step("count_sales", "count what readers see", count_sales),),
)
