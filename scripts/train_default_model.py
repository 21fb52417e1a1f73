"""Train a model of default on the features mart, and prove that it has not seen the future.

    clearhouse demo --days 365
    .venv/bin/python scripts/train_default_model.py [--home .clearhouse]

Purchases of the first three quarters of the days in the mart train, those of the last quarter
test. Four trials, each with an area under the ROC curve (AUC) on the same test purchases:

1. record: the purchase's own fields;
2. record and history: all of mart_bnpl_ml_features;
3. as of the split: the same, trained only on purchases whose label had matured by then;
4. leaked: the same as 2, with the outcome fields beside the features. If this AUC did not jump, the
   other figures would say nothing about looking ahead.

Exit code 0 where the honest AUCs are within HONEST_AUC and the leaked one is above LEAKED_AUC.

A script and not a command: it stands on scikit-learn, which only the development tools install,
and a model is not a part of the platform.
"""

import argparse
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

HONEST_AUC = (0.75, 0.85)
"""What the sandbox lets a sensible model reach; its own tests hold it to that."""
LEAKED_AUC = 0.95
TRAINING_SHARE = 0.75  # of the days
LEAST_DAYS = 120  # fewer leave no test purchases with a history of 90 days, nor matured labels

LABEL = "missed_within_90_days"
MATURES_AT = "missed_within_90_days_matures_at"
NOT_FEATURES = (
    "transaction_id", "customer_id", "currency", "decision_at",
    "_record_id", "_record_key", "_book_date",
)  # fmt: skip
HISTORY = re.compile(r"_\d+d$|^seconds_since_last_purchase$")
LEAKS = ("status", "days_to_first_missed_payment")


@dataclass(frozen=True)
class Trial:
    """One model: what it was trained on, and how well it ranks the test purchases."""

    name: str
    train_rows: int
    column_count: int
    auc: float
    seconds: float


def load(readers: Path) -> pd.DataFrame:
    """Features, label and the fields to leak, one row per purchase in the order of decisions.

    Text becomes categories. Money becomes a float: a model needs no cents.
    """
    with duckdb.connect(str(readers), read_only=True) as connection:
        described = connection.execute("DESCRIBE marts.mart_bnpl_ml_features").fetchall()
        types = {name: kind for name, kind, *_ in described if name not in NOT_FEATURES}
        texts = [name for name, kind in types.items() if kind == "VARCHAR"]
        features = [f"f.{n}" if n in texts else f"f.{n}::FLOAT AS {n}" for n in types]
        table = connection.sql(
            f"SELECT {', '.join(features)}, f.decision_at, l.{LABEL}, l.{MATURES_AT},"
            " t.status, l.days_to_first_missed_payment::FLOAT AS days_to_first_missed_payment"
            " FROM marts.mart_bnpl_ml_features f"
            " JOIN marts.mart_bnpl_ml_labels l USING (_record_id)"
            " JOIN marts.mart_bnpl_transactions t USING (_record_id)"
            f" WHERE l.{LABEL} IS NOT NULL ORDER BY f.decision_at, _record_id"
        ).to_arrow_table()
    for name in (*texts, "status"):  # a dictionary of a few values: as text they take gigabytes
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table.column(at).dictionary_encode())
    rows: pd.DataFrame = table.to_pandas(self_destruct=True)
    return rows


def trial(name: str, train: pd.DataFrame, test: pd.DataFrame, columns: list[str]) -> Trial:
    """Train on the one, rank the other."""
    started = time.perf_counter()
    model = HistGradientBoostingClassifier(
        categorical_features="from_dtype",
        learning_rate=0.15,
        max_iter=60,
        max_bins=63,
        max_leaf_nodes=31,
        min_samples_leaf=200,
        early_stopping=False,
        random_state=0,
    )
    model.fit(train[columns], train[LABEL].astype(bool))
    scores = model.predict_proba(test[columns])[:, 1]
    auc = float(roc_auc_score(test[LABEL].astype(bool), scores))
    return Trial(name, len(train), len(columns), auc, time.perf_counter() - started)


def run(rows: pd.DataFrame) -> list[Trial]:
    """All trials; each is printed when it ends."""
    first, last = rows["decision_at"].min().normalize(), rows["decision_at"].max().normalize()
    days = (last - first).days + 1
    if days < LEAST_DAYS:
        sys.exit(f"{days} days are too few: make {LEAST_DAYS} with `clearhouse demo --days`.")
    split = first + pd.Timedelta(days=round(TRAINING_SHARE * days))
    train, test = rows[rows["decision_at"] < split], rows[rows["decision_at"] >= split]
    matured = train[train[MATURES_AT] <= split]
    others = {"decision_at", LABEL, MATURES_AT, *LEAKS}
    features = [name for name in rows.columns if name not in others]
    record = [name for name in features if not HISTORY.search(name)]
    print(f"{len(rows):,} purchases of {days} days; trained before {split.date()}, tested after")
    shares = [f"{part[LABEL].mean():.2%}" for part in (train, matured, test)]
    print("missed: {} of train, {} of what had matured, {} of test".format(*shares))
    print(f"{'trial':<22}{'train rows':>12}{'columns':>9}{'AUC':>8}{'seconds':>9}")
    trials = []
    for name, part, columns in (
        ("record", train, record),
        ("record and history", train, features),
        ("as of the split", matured, features),
        ("leaked", train, [*features, *LEAKS]),
    ):
        done = trial(name, part, test, columns)
        print(
            f"{done.name:<22}{done.train_rows:>12,}{done.column_count:>9}"
            f"{done.auc:>8.3f}{done.seconds:>9.1f}",
            flush=True,
        )
        trials.append(done)
    return trials


def main() -> int:
    """The exit code: 0 where the figures are what they should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=Path(".clearhouse"), help="CLEARHOUSE_HOME")
    rows = load(parser.parse_args().home / "published.duckdb")
    *honest, leaked = run(rows)
    low, high = HONEST_AUC
    wrong = [t.name for t in honest if not low <= t.auc <= high]
    wrong += [leaked.name] if leaked.auc <= LEAKED_AUC else []
    if wrong:
        print(f"not as it should be: {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
