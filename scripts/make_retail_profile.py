"""Make the profiles of gx/retail/profiles again, from published days or from the sandbox.

    cd gx/retail/profiles
    python ../../../scripts/make_retail_profile.py sandbox --seeds 1 2 3 42 2024 > sandbox.json
    python ../../../scripts/make_retail_profile.py https://sales.example.com --retailer retailer_2 \
        --home ~/.clearhouse --from 2024-01-01 --to 2024-12-31 > example.json

The first argument is who answers, as `source` in the manifests of what landed. The volume of a day
is fitted as usual x weekday x month x special days, on the logarithm; a day of the year is special
where it lies far off in all the years and worlds that are given. Shares are pooled as
clearhouse.quality.pooling says. Deterministic: same seeds and days, same file.
"""

import argparse
import datetime as dt
import io
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.json

from clearhouse.core.contract import Contract
from clearhouse.core.resources import resource
from clearhouse.core.window import Window
from clearhouse.quality.pooling import World, pooled
from clearhouse.retail import profiles
from clearhouse.retail.profiles import name_of
from clearhouse.sandbox.retail.app import RETAILERS
from clearhouse.sandbox.retail.faults import Parts
from clearhouse.sandbox.retail.sales import of_day
from clearhouse.sandbox.retail.wire import write
from clearhouse.sandbox.rng import seed_of

WATCHED = {
    "sold_at": pa.timestamp("s"),
    "customer_id": pa.string(),
    "category": pa.string(),
    "quantity": pa.int64(),
    "total_amount": pa.float64(),
}
ROUNDS = 4
LEAST_SPECIAL = 0.1
SPECIAL_DEVIATIONS = 4.0


def main() -> None:
    """Print a file of profiles as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("identity", help="who answers: sandbox, or the URL that is set")
    parser.add_argument("--retailer", nargs="+", choices=[*RETAILERS], default=[*RETAILERS])
    parser.add_argument("--home", type=Path, help="a CLEARHOUSE_HOME with published days")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42], help="worlds of the sandbox")
    parser.add_argument("--from", dest="first", default="2023-01-01")
    parser.add_argument("--to", dest="last", default="2024-12-31")
    asked = parser.parse_args()
    window = Window.parse(asked.first, asked.last)
    made_from = f"published days {window}"
    if not asked.home:
        made_from = f"the sandbox, seeds {', '.join(map(str, asked.seeds))}, {window}"
    found = {}
    for name in asked.retailer:
        seeds = () if asked.home else asked.seeds
        worlds = [of_sandbox(name, seed, window) for seed in seeds] or [
            of_home(asked.home, name, window)
        ]
        found[name] = profile(worlds, window)
    told = {"identity": asked.identity, "made_from": made_from, "retailers": found}
    print(json.dumps(told, indent=2))


def of_home(home: Path, retailer: str, window: Window) -> World:
    """What readers see of a retailer, by day."""
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as connection:
        rows = f"""SELECT * FROM marts.fact_sales WHERE retailer = '{retailer}'
            AND _book_date BETWEEN DATE '{window.first}' AND DATE '{window.last}'"""
        return profiles.by_answer(connection.sql(profiles.profile_sql(rows)).to_arrow_table())


def of_sandbox(name: str, seed: int, window: Window) -> World:
    """A world of a retailer by day, drawn without a server; closed days are left out."""
    retailer, own_seed = RETAILERS[name], seed_of(seed, name)
    return of_answers(name, {day: (of_day(retailer, own_seed, day, 1.0),) for day in window})


def of_answers(name: str, answers: Mapping[dt.date, Parts]) -> World:
    """Answers of the sandbox by the day that was asked for; one without lines is left out."""
    contract = Contract.load(resource("contracts") / "retail" / "sales.yaml")
    sent_as = {f.name: dict(f.sources).get(name) for f in contract.fields}
    parsing = pa.json.ParseOptions(
        explicit_schema=pa.schema([(sent_as[each], kind) for each, kind in WATCHED.items()]),
        unexpected_field_behavior="ignore",
    )
    text = b"".join(write(part) for parts in answers.values() for part in parts)
    lines = pa.json.read_json(io.BytesIO(text), parse_options=parsing).rename_columns([*WATCHED])
    asked = np.repeat(
        np.array([*answers], "datetime64[D]"), [sum(map(len, parts)) for parts in answers.values()]
    )
    lines = lines.append_column("_book_date", pa.array(asked))
    rows = f"SELECT *, '{name}' AS retailer, CAST(sold_at AS DATE) AS sale_date FROM lines"
    return profiles.by_answer(duckdb.sql(profiles.profile_sql(rows)).to_arrow_table())


def profile(worlds: Sequence[World], window: Window) -> dict:
    """One retailer's profile, as its file has it."""
    return {
        **volume(
            [{row["_book_date"]: row["records"] for row in world} for world in worlds], window
        ),
        "distributions": pooled(worlds, profiles.DISTRIBUTIONS),
    }


def volume(worlds: Sequence[Mapping], window: Window) -> dict:
    """Factors of weekdays, months and special days, and the noise that is left."""
    days = [day for world in worlds for day in world]
    logs = np.log([lines for world in worlds for lines in world.values()])
    factors = np.zeros((len(days), 19))
    for at, day in enumerate(days):
        factors[at, [day.weekday(), 6 + day.month]] = 1
    special: dict[str, float] = {}
    for _ in range(ROUNDS):
        usual = np.array([name_of(day) not in special for day in days])
        fitted = np.linalg.lstsq(factors[usual], logs[usual], rcond=None)[0]
        left = logs - factors @ fitted
        sigma = float(np.std(left[usual]))
        special = _special(zip(days, left, strict=True), sigma)
    sold = {each for day in days for each in (day.weekday(), 6 + day.month)}
    weekday, month = np.exp(fitted[:7]), np.exp(fitted[7:])
    known = [n for n in range(12) if 7 + n in sold]
    closed = {name_of(day) for day in window if day.weekday() in sold} - {*map(name_of, days)}
    usual_lines = weekday.mean() * month[known].mean()
    told = {**special, **dict.fromkeys(closed, 0.0)}
    return {
        "lines": round(float(usual_lines), 1),
        "weekday": [
            round(float(each / weekday.mean()), 3) if n in sold else 0.0
            for n, each in enumerate(weekday)
        ],
        "month": [
            round(float(each / month[known].mean()), 3) if n in known else 1.0
            for n, each in enumerate(month)
        ],
        "special": {name: round(told[name], 3) for name in sorted(told)},
        "sigma": round(sigma, 4),
    }


def _special(left: Iterable[tuple], sigma: float) -> dict[str, float]:
    """Days of the year that lie far off, by name, and what they make of a day's volume."""
    by_name = defaultdict(list)
    for day, off in left:
        by_name[name_of(day)].append(off)
    return {
        name: math.exp(np.mean(offs))
        for name, offs in by_name.items()
        if abs(np.mean(offs)) > max(LEAST_SPECIAL, SPECIAL_DEVIATIONS * sigma / len(offs) ** 0.5)
    }


if __name__ == "__main__":
    main()
