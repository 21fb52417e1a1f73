"""The features mart does not look ahead: by what it descends from, and by what it computes."""

import datetime as dt
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
import yaml
from bnpl_warehouse import CONTRACT, Warehouse, purchase
from domain_warehouse import DBT_DIR
from lineage import descent

from clearhouse.core.contract import Contract
from clearhouse.engines.dbt_runner import preload
from clearhouse.pipeline.bronze import bronze_schema

FEATURES = "mart_bnpl_ml_features"
KEYS = {
    "_record_id",
    "_record_key",
    "_book_date",
}  # to join by; the first is a hash of outcomes too

PUBLISHED, CORRECTED, HELD = "2024-06-01", "2024-06-02", "2024-06-03"
WINDOW_DAYS = (7, 30, 90)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    preload()
    return Warehouse(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module")
def bronze() -> list[dict[str, Any]]:
    """Purchases of four customers: many at one instant, many a whole number of days apart."""
    draw = random.Random(20240601)
    begin = dt.datetime.fromisoformat("2024-01-01T08:00:00")
    rows = []
    for number in range(240):
        made_at = begin + draw.randrange(40) * dt.timedelta(hours=84)
        made_at += draw.choice((-1, 0, 0, 0, 1)) * dt.timedelta(microseconds=1)
        customer = f"cust_{draw.randrange(4)}"
        rows.append(
            purchase(
                f"txn_{number}",
                HELD if number % 12 == 0 else PUBLISHED,
                f"{draw.randrange(100, 90_000) / 100:.2f}",
                business_date=made_at.date().isoformat(),
                transaction_timestamp=made_at,
                customer_id=customer,
                device_id=f"{customer}_device_{draw.randrange(3)}",
                product_category=draw.choice(("home", "beauty", "sports", "toys")),
            )
        )
    corrected = [
        purchase(
            row["transaction_id"],
            CORRECTED,
            "0.01",
            business_date=row["transaction_timestamp"].date().isoformat(),
            transaction_timestamp=row["transaction_timestamp"],
            customer_id=row["customer_id"],
            device_id=f"{row['customer_id']}_device_9",
            product_category="garden",
        )
        for row in rows
        if row["_book_date"].isoformat() == PUBLISHED and draw.random() < 0.1
    ]
    return rows + corrected


@pytest.fixture(scope="module")
def built(warehouse: Warehouse, bronze: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The features of the purchases; the day HELD is built, and not published."""
    return build(warehouse, bronze)


def build(
    warehouse: Warehouse, bronze: list[dict[str, Any]], number: str = "1"
) -> list[dict[str, Any]]:
    warehouse.set_bronze(bronze)
    warehouse.build(PUBLISHED, CORRECTED, HELD, build=number)
    warehouse.publish(PUBLISHED, CORRECTED, build=number)
    return rows_of(warehouse, FEATURES)


def rows_of(warehouse: Warehouse, mart: str) -> list[dict[str, Any]]:
    columns = [name for name, *_ in warehouse.execute(f"describe marts.{mart}")]
    rows = warehouse.execute(f"from marts.{mart} order by _record_key")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_every_feature_is_what_the_past_alone_says(
    built: list[dict[str, Any]], bronze: list[dict[str, Any]]
) -> None:
    in_order = sorted(bronze, key=lambda row: row["_book_date"])
    published = [row for row in in_order if row["_book_date"].isoformat() != HELD]
    current = {row["_record_key"]: row for row in published}

    assert len(built) == len(current)
    for features in built:
        now = current[features["_record_key"]]
        past = [
            row
            for row in current.values()
            if row["customer_id"] == now["customer_id"]
            and row["transaction_timestamp"] < now["transaction_timestamp"]
        ]
        expected = history(past, now["transaction_timestamp"])
        assert {name: features[name] for name in expected} == expected, features["_record_key"]
        assert features["amount"] == Decimal(now["amount"])
        assert features["decision_at"] == now["transaction_timestamp"]


def test_purchases_are_not_copied_where_all_are_touched(
    warehouse: Warehouse, built: list[dict[str, Any]]
) -> None:
    assert built
    (found,) = warehouse.execute(
        "select table_type from information_schema.tables "
        "where table_schema = 'next' and table_name = 'int_bnpl_touched_transactions'"
    )
    assert found == ("VIEW",)


def history(past: list[dict[str, Any]], now: dt.datetime) -> dict[str, object]:
    """The features of a customer's past, computed the plain way."""
    expected: dict[str, object] = {}
    for days in WINDOW_DAYS:
        window = [r for r in past if now - r["transaction_timestamp"] <= dt.timedelta(days=days)]
        expected[f"amount_{days}d"] = sum((Decimal(r["amount"]) for r in window), Decimal(0))
        expected[f"purchase_count_{days}d"] = len(window)
        expected[f"product_category_count_{days}d"] = len({r["product_category"] for r in window})
        expected[f"device_count_{days}d"] = len({r["device_id"] for r in window})
    last = max((r["transaction_timestamp"] for r in past), default=None)
    since = None if last is None else (now - last) // dt.timedelta(seconds=1)
    return expected | {"seconds_since_last_purchase": since}


def test_other_outcomes_give_other_labels_and_the_same_features(
    warehouse: Warehouse,
    built: list[dict[str, Any]],
    bronze: list[dict[str, Any]],
) -> None:
    labels = rows_of(warehouse, "mart_bnpl_ml_labels")
    outcomes = {"will_default": True, "days_to_first_missed_payment": 28, "status": "charged_back"}
    assert outcomes.keys() == {name for name, at in known_at().items() if at == "outcome"}

    again = build(warehouse, [row | outcomes for row in bronze], "2")

    assert again == built
    defaulted = rows_of(warehouse, "mart_bnpl_ml_labels")
    assert [row["will_default"] for row in labels] == [False] * len(built)
    assert [row["will_default"] for row in defaulted] == [True] * len(built)


def test_no_feature_descends_from_an_outcome(
    built: list[dict[str, Any]], queries: Mapping[str, str]
) -> None:
    assert set(built[0]) > KEYS
    assert offenders(queries) == set()


# What somebody might write one day: a model, what stands in it, what would stand there instead, and
# what the test has to name.
LEAKS = {
    "as a column, under an innocent name": (
        FEATURES,
        "transactions.currency,",
        "transactions.will_default as currency,",
        {"currency"},
    ),
    "inside an aggregate, a model below": (
        "int_bnpl_customer_history_features",
        "        purchases.amount\n    from",
        "        nullif(purchases.amount, cast(purchases.will_default as int)) as amount\n    from",
        {"amount_7d", "amount_30d", "amount_90d"},
    ),
    "through a condition of another column": (
        "int_bnpl_transactions_enriched",
        "when amount < 50 then",
        "when amount < 50 and status = 'completed' then",
        {"amount_band"},
    ),
    "by the order of a window": (
        "int_bnpl_customer_history_features",
        "        purchases.device_id,",
        "        purchases.device_id || purchases.will_default as device_id,",
        {
            f"{what}_count_{days}d"
            for what in ("device", "product_category")
            for days in WINDOW_DAYS
        },
    ),
    "by the choice of rows": (
        "int_bnpl_transactions_enriched",
        "where not silver._is_superseded",
        "where not silver._is_superseded and not silver.will_default",
        {"choice of rows"},
    ),
    "by how the record came to us": (
        FEATURES,
        "transactions.hour_of_day,",
        "transactions.days_to_arrival as hour_of_day,",
        {"hour_of_day"},
    ),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_a_feature_that_does_descend_from_an_outcome_is_named(
    queries: Mapping[str, str], leak: tuple[str, str, str, set[str]]
) -> None:
    model, before, after, named = leak
    assert queries[model].count(before) == 1

    leaking = {**queries, model: queries[model].replace(before, after)}

    assert offenders(leaking) == named


@pytest.fixture(scope="module")
def queries(built: list[dict[str, Any]], warehouse: Warehouse) -> dict[str, str]:
    """The compiled SQL of each model."""
    models = warehouse.path.parent / "dbt" / "target" / "compiled" / "clearhouse" / "models"
    names = {file.stem for file in warehouse.domain.models.rglob("*.sql")}
    files = [file for file in models.rglob("*.sql") if not file.parent.suffix]
    assert {file.stem for file in files} == names
    return {file.stem: file.read_text() for file in files}


def offenders(queries: Mapping[str, str]) -> set[str]:
    """Features with a value from anything but fields known at the decision; keys may have any.

    `choice of rows` is among them where an outcome decides which rows there are. Spine columns do
    decide it (publication, versions), and say nothing of a purchase.
    """
    bronze = "bronze.bnpl_transactions"
    fields = known_at()
    found = descent(FEATURES, queries, source_tables())
    decision = {f"{bronze}.{name}" for name, at in fields.items() if at == "decision"}
    outcome = {f"{bronze}.{name}" for name, at in fields.items() if at == "outcome"}
    named = {name for name, of in found.values.items() if name not in KEYS and not of <= decision}
    return named | ({"choice of rows"} if found.choice & outcome else set())


def known_at() -> dict[str, str]:
    """When each field of the source is known; the contract has to say it of every one."""
    (table,) = yaml.safe_load(CONTRACT.read_text())["schema"]
    custom = {
        field["name"]: {each["property"]: each["value"] for each in field["customProperties"]}
        for field in table["properties"]
    }
    return {name: properties["known_at"] for name, properties in custom.items()}


def source_tables() -> dict[str, dict[str, str]]:
    """Columns of what no model makes."""
    (ops,) = yaml.safe_load((DBT_DIR / "models" / "_ops.yml").read_text())["sources"]
    tables = {
        f"ops.{table['name']}": {column["name"]: "unknown" for column in table["columns"]}
        for table in ops["tables"]
    }
    bronze = dict.fromkeys(bronze_schema(Contract.load(CONTRACT)).names, "unknown")
    return {**tables, "bronze.bnpl_transactions": bronze}
