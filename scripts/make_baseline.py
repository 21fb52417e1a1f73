"""Make a baseline profile of gx/bnpl/baselines again, from published days or from the sandbox.

    cd gx/bnpl/baselines
    python ../../../scripts/make_baseline.py sandbox --seeds 1 2 3 42 2024 > sandbox.json
    python ../../../scripts/make_baseline.py lender --home ~/.clearhouse > lender.json

Grain of what is pooled: a month of a world, each world with the same weight. The tolerance of a
distribution is twice the farthest that any such month lies from the pool: what differs between
healthy worlds and seasons, as far as it was seen. Deterministic: same seeds and days, same file.
"""

import argparse
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.json

from clearhouse.bnpl import profiles
from clearhouse.bnpl.data_patterns import DayTypePattern
from clearhouse.core.contract import Contract
from clearhouse.core.resources import resource
from clearhouse.core.window import Window
from clearhouse.sandbox.simtom import wire
from clearhouse.sandbox.simtom.config import GeneratorConfig
from clearhouse.sandbox.simtom.purchases import of_day

LEAST_TOLERANCE_NATS = 0.0005
TOLERANCE_FACTOR = 2.0
MONTH_DAYS = 30
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
    months = [w[at : at + MONTH_DAYS] for w in worlds for at in range(0, len(w), MONTH_DAYS)]
    evening = min(evening_rate(world) for world in worlds)
    return {
        "name": name,
        "made_from": made_from,
        "evening_rate": round(evening * EVENING_FACTOR, 2),
        "distributions": {
            watched: distribution(
                [shares(dict(day[watched]) for day in world) for world in worlds],
                [shares(dict(day[watched]) for day in month) for month in months],
            )
            for watched in profiles.DISTRIBUTIONS
        },
    }


def shares(counts: Iterable[Mapping[str, int]]) -> dict[str, float]:
    """Shares by class over all the days of some counts."""
    total: Counter[str] = Counter()
    for day in counts:
        total.update(day)
    return {name: count / total.total() for name, count in sorted(total.items())}


def evening_rate(world: list[dict]) -> float:
    """Records an hour from 21:00 on, relative to the day's mean hour."""
    parts = shares(dict(day["part_of_day"]) for day in world)
    return parts["from_21"] * 8


def distribution(worlds: list[dict[str, float]], months: list[dict[str, float]]) -> dict:
    """Mean shares of the worlds, and twice the farthest month's relative entropy from them."""
    classes = sorted({name for world in worlds for name in world})
    pooled = {c: sum(world.get(c, 0.0) for world in worlds) / len(worlds) for c in classes}
    farthest = max(
        sum(share * math.log(share / pooled[c]) for c, share in month.items()) for month in months
    )
    tolerance = max(LEAST_TOLERANCE_NATS, TOLERANCE_FACTOR * farthest)
    return {
        "tolerance_nats": round(tolerance, 5),
        "shares": {c: round(share, 5) for c, share in pooled.items()},
    }


if __name__ == "__main__":
    main()
