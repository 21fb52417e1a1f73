"""Make a baseline profile of gx/bnpl/baselines again, from published days or from the sandbox.

    cd gx/bnpl/baselines
    python ../../../scripts/make_baseline.py sandbox --seeds 1 2 3 42 2024 > sandbox.json
    python ../../../scripts/make_baseline.py lender --home ~/.clearhouse > lender.json

What is pooled is said in clearhouse.quality.pooling. Deterministic: same seeds and days, same file.
"""

import argparse
import io
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.json

from clearhouse.bnpl import profiles
from clearhouse.bnpl.data_patterns import DayTypePattern
from clearhouse.core.contract import Contract
from clearhouse.core.resources import resource
from clearhouse.core.window import Window
from clearhouse.quality.pooling import pooled, shares
from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.purchases import of_day

# Half of what the evening's last three hours have: they thin out towards midnight.
EVENING_FACTOR = 0.5


def main() -> None:
    """Print a baseline as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("--home", type=Path, help="a CLEARHOUSE_HOME with published days")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42], help="worlds of the sandbox")
    parser.add_argument("--from", dest="first", default="2024-01-01")
    parser.add_argument("--to", dest="last", default="2024-12-30")
    asked = parser.parse_args()
    window = Window.parse(asked.first, asked.last)
    if asked.home:
        worlds = [of_home(asked.home, window)]
        made_from = f"published days {window}"
    else:
        worlds = [of_sandbox(seed, window) for seed in asked.seeds]
        made_from = f"the sandbox, seeds {', '.join(map(str, asked.seeds))}, {window}"
    print(json.dumps(baseline(asked.name, made_from, worlds), indent=2))


def of_home(home: Path, window: Window) -> list[dict]:
    """Daily profiles of what readers see."""
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as connection:
        rows = f"""SELECT * FROM marts.mart_bnpl_transactions
            WHERE _book_date BETWEEN DATE '{window.first}' AND DATE '{window.last}'"""
        return profiles.by_day(connection.sql(profiles.profile_sql(rows)).to_arrow_table())


def of_sandbox(seed: int, window: Window) -> list[dict]:
    """Daily profiles of a world, drawn without a server."""
    contract = Contract.load(resource("contracts") / "bnpl" / "transactions.yaml")
    parsing = pa.json.ParseOptions(explicit_schema=contract.json_schema)
    pattern, peaks = DayTypePattern(seed), tuple(GeneratorConfig.model_validate({}).peak_hours)
    found = []
    for day in window:
        purchases = of_day(seed, day, pattern.ask(day).base_daily_volume, peaks)
        lines = b"".join(wire.blocks(purchases)).replace(b"data: ", b"")
        table = pa.json.read_json(io.BytesIO(lines), parse_options=parsing)
        table = table.rename_columns([f.name for f in contract.fields])
        rows = table.append_column("_book_date", pa.array([day] * len(table)))  # noqa: F841  in SQL
        found += profiles.by_day(duckdb.sql(profiles.profile_sql("FROM rows")).to_arrow_table())
    return found


def baseline(name: str, made_from: str, worlds: list[list[dict]]) -> dict:
    """The content of a baseline's file."""
    evening = min(evening_rate(world) for world in worlds)
    return {
        "name": name,
        "made_from": made_from,
        "evening_rate": round(evening * EVENING_FACTOR, 2),
        "distributions": pooled(worlds, profiles.DISTRIBUTIONS),
    }


def evening_rate(world: list[dict]) -> float:
    """Records an hour from 21:00 on, relative to the day's mean hour."""
    parts = shares(dict(day["part_of_day"]) for day in world)
    return parts["from_21"] * 8


if __name__ == "__main__":
    main()
