"""What the gates of retail judge: a day in bronze; in gold its lines, the day, and each answer."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa
import structlog

from clearhouse.core.resources import resource
from clearhouse.core.window import Window
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.frames import in_parts
from clearhouse.pipeline.profiles import candidates_of, gold_profile, raw_profile
from clearhouse.quality.frames import Frames
from clearhouse.retail import profiles

PROFILES = tuple(sorted((resource("gx") / "retail" / "profiles").glob("*.json")))
"""What healthy days look like, a file for each source that is known."""

_log = structlog.get_logger("clearhouse.retail")

_RAW_FIGURES: Mapping[str, str] = {
    "other_day_rows": "count(*) FILTER (CAST(sold_at AS DATE) > _book_date)",
    "without_product": "count(*) FILTER (product_name IS NULL OR category IS NULL)",
    "without_store": "count(*) FILTER (store_id IS NULL)",
}


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: what the books measured, and what bronze holds."""
    rows = raw_profile(run, dataset, days, _RAW_FIGURES)
    for row in rows.values():
        for name in ("without_product", "without_store"):
            row[f"{name}_share"] = row.pop(name) / max(1, row["accepted_rows"])
    return {"retail_daily_profile": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """The lines in parts, the days, and each retailer's answer for a day."""
    whole = gold_profile(run, dataset, days, {})
    records = dict(zip(days, whole["rows"].to_pylist(), strict=True))
    return {
        "retail_gold_rows": in_parts(
            run.engine, records, lambda some: _rows_sql(run, dataset, some)
        ),
        "retail_gold_days": whole,
        "retail_gold_answers": _answers(run, dataset, days),
    }


def _answers(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> pa.Table:
    """One row for each answer, beside what its retailer's days look like; for one without lines
    only where that is known.
    """
    rows = f"SELECT r.* FROM {candidates_of(run, dataset, days)}"
    found = profiles.by_answer(run.engine.query(profiles.profile_sql(rows)))
    known = profiles.load(PROFILES)
    who = {each.name: _who_answered(run, each.name, days) for each in dataset.declared.sources}
    with_lines = {(row["retailer"], row["_book_date"]) for row in found}
    found += [
        profiles.without_lines(retailer, day)
        for retailer, by_day in who.items()
        for day, identity in by_day.items()
        if (retailer, identity) in known and (retailer, day) not in with_lines
    ]
    asked = [(row["retailer"], who[row["retailer"]].get(row["_book_date"], "")) for row in found]
    for (retailer, identity), count in Counter(asked).items():
        if (retailer, identity) not in known:
            _log.warning(
                "there is no profile of this retailer: its volume and shares are not judged "
                "(docs/guides/retail.md)",
                retailer=retailer,
                source=identity,
                days=count,
            )
    return profiles.statistics(found, [known.get(each) for each in asked])


def _who_answered(run: Run, retailer: str, days: Sequence[dt.date]) -> dict[dt.date, str]:
    """Who gave the latest answer for each day, as the profiles name it: the sandbox of any seed."""
    landed = run.landing.days(retailer, Window(min(days), max(days)))
    given = {day: [o for o in objects if o.is_given] for day, objects in landed.items()}
    named = {day: str(answers[-1].request["source"]) for day, answers in given.items() if answers}
    return {day: "sandbox" if name.startswith("sandbox:") else name for day, name in named.items()}


def _rows_sql(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> str:
    """One row a candidate, with the columns that a rule is about and no other.

    `off_by_minor` is how far a line's total is from quantity by unit price.
    """
    minor = run.engine.dialect.minor_units("r.unit_price", "r.currency")
    total = run.engine.dialect.minor_units("r.total_amount", "r.currency")
    return f"""
        SELECT CAST(r._book_date AS VARCHAR) AS book_date, r.retailer,
            {minor} AS unit_price_minor, r.quantity,
            abs({total} - r.quantity * {minor}) AS off_by_minor,
            {run.engine.dialect.minor_units("r.discount_amount", "r.currency")} AS discount_minor,
            (r._book_date - r.sale_date)::BIGINT AS sale_age_days
        FROM {candidates_of(run, dataset, days)}"""
