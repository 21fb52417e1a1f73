"""What readers see follows from the books: from verdicts, releases and publications.

One home for all tests: days that are held, unjudged and unbalanced, beside a healthy one.
"""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from bnpl_home import DAY, Warehouse
from cli_session import in_process
from click.testing import Result

from clearhouse.books.schema import release_table
from clearhouse.core.errors import UsageError
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.pipeline import ops
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.steps import STEPS

DAYS = [DAY + dt.timedelta(days=n) for n in range(5)]
REJECTS, NEGATIVE, HALF, HALF_TOO, HEALTHY = DAYS
UNJUDGED, UNBALANCED = (DAY + dt.timedelta(days=n) for n in (5, 6))
FAULTS = {
    NEGATIVE: ("negative_amounts",),
    REJECTS: ("wrong_types",),
    HALF: ("half_volume",),
    HALF_TOO: ("half_volume",),
}
SimtomWith = Callable[[dict[dt.date, tuple[str, ...]]], str]


@dataclass(frozen=True)
class Home:
    """The home, and what the run over `DAYS` said."""

    warehouse: Warehouse
    first: Result

    def __call__(self, *args: object) -> Result:
        return in_process(self.warehouse, *map(str, args))

    def step(self, name: str, day: dt.date) -> Result:
        return self("step", "bnpl", name, "--date", day)

    def publish(self, day: dt.date) -> Result:
        return self.step("publish_quality_metrics", day)

    def seen(self) -> list[dict[str, Any]]:
        """Every row that readers see."""
        return self.warehouse.readers("SELECT * FROM {readers} ORDER BY _record_id, _book_date")


def losing_a_row(day: dt.date, patched: pytest.MonkeyPatch) -> None:
    """Let the engine lose a row of what is built of a day."""
    keep = DuckDBEngine.keep_built

    def losing(engine: DuckDBEngine, fact: str) -> None:
        keep(engine, fact)
        (entry_id,) = ops.entries_in(engine, fact, [day])[day]
        engine.rewrite_entry(fact, entry_id, "SELECT * FROM rows OFFSET 1")

    patched.setattr(DuckDBEngine, "keep_built", losing)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, simtom_with: SimtomWith) -> Home:
    warehouse = Warehouse(tmp_path_factory.mktemp("readers") / "home", simtom_with(FAULTS))
    run = ("run", "bnpl", "--from", str(DAYS[0]), "--to", str(DAYS[-1]))
    found = Home(warehouse, in_process(warehouse, *run))
    for step in STEPS[:4]:
        assert found.step(step.name, UNJUDGED).exit_code == 0
    with pytest.MonkeyPatch.context() as patched:
        losing_a_row(UNBALANCED, patched)
        assert found("run", "bnpl", "--from", UNBALANCED, "--to", UNBALANCED).exit_code == 4
    return found


# --- a step asks the books ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "code", "why"),
    [
        (NEGATIVE, 3, "amount_minor: "),
        (HALF, 3, "net_rows: "),
        (UNJUDGED, 1, "The step validate_business_rules has not been done"),
        (UNBALANCED, 4, "The books don't balance from silver → gold"),
    ],
)
def test_the_step_that_publishes_alone_shows_no_day_that_may_not_be_seen(
    home: Home, day: dt.date, code: int, why: str
) -> None:
    before = home.seen()

    answer = home.publish(day)

    assert answer.exit_code == code, answer.output
    assert why in answer.stderr
    assert home.seen() == before
    assert {row["_book_date"] for row in before} & {day} == set()


# --- the end of a run ---------------------------------------------------------------------------


def test_a_run_ends_with_what_came_what_is_seen_and_what_was_rejected(home: Home) -> None:
    rows = home.warehouse.open().quarantine.of_days("bnpl.transactions", [*DAYS])
    reasons = Counter(row.violations[0].code for row in rows)
    landed = [home.warehouse.totals()[HopNames.bronze, day]["in"] for day in DAYS]
    records = sum(totals["records"] for totals in landed)
    cents = sum(totals["minor:USD"] for totals in landed)
    (seen,) = home.warehouse.readers(
        f"SELECT count(*) AS n, sum(amount) AS total FROM {{readers}} WHERE _book_date "
        f"IN ('{HEALTHY}', '{REJECTS}')"
    )

    told = home.first.stdout

    assert f"Landed: {records:,} records, {cents / 100:,.2f} USD. Readers see 2 days with " in told
    assert f" {seen['n']:,} records, {seen['total']:,} USD; 2 changed in this run." in told
    rejected = re.search(rf"^Rejected: {len(rows):,} of {records:,} records.*$", told, re.MULTILINE)
    assert rejected
    assert rows
    assert all(f"{n:,} {code}" in rejected.group() for code, n in reasons.items())
    assert "quarantine list --domain bnpl` shows them." in rejected.group()


def test_a_run_says_each_cause_once_and_what_to_do_about_it(home: Home) -> None:
    told = home.first.stderr

    assert home.first.exit_code == 3
    assert re.findall(r"^(\S+(?: to \S+)?) held by (\w+): (\w+)", told, re.MULTILINE) == [
        (str(NEGATIVE), "validate_business_rules", "amount_minor"),
        (f"{HALF} to {HALF_TOO}", "validate_raw_schema", "net_rows"),
    ]
    assert f"(on {HALF})" in told
    assert f"Readers don't see {NEGATIVE} to {HALF_TOO}." in told
    refresh = told.index(f"run bnpl --from {HALF} --to {HALF} --refresh")
    assert refresh < told.index(f"release bnpl --date {NEGATIVE}")


def test_corrected_money_is_told_before_and_after(home: Home, simtom_with: SimtomWith) -> None:
    sums = f"SELECT count(*) AS n, sum(amount) AS t FROM {{readers}} WHERE _book_date = '{HEALTHY}'"
    (before,) = home.warehouse.readers(sums)
    restated = Home(
        replace(home.warehouse, url=simtom_with({HEALTHY: ("restated",)})), first=home.first
    )

    answer = restated("run", "bnpl", "--from", HEALTHY, "--to", HEALTHY, "--refresh")

    (after,) = home.warehouse.readers(sums)
    assert answer.exit_code == 0, answer.output
    assert after["t"] != before["t"]
    assert (
        f"Corrected: readers saw {before['n']} records, {before['t']:,} USD of these days before, "
        f"and see {after['n']} records, {after['t']:,} USD now." in answer.stdout
    )
    superseded = home.warehouse.totals()[HopNames.silver, HEALTHY]["superseded"]["records"]
    assert re.search(rf"^Superseded: {superseded} record", answer.stdout, re.MULTILINE)


# --- publications, releases, reopenings ---------------------------------------------------------


def test_readers_see_an_earlier_publication_again_until_the_next_run(home: Home) -> None:
    before = home.seen()
    number = home.warehouse.open().publications.latest("bnpl")
    assert home("release", "bnpl", "--date", HALF, "--reason", "half a day of work").exit_code == 0
    released = home.seen()
    assert {row["_book_date"] for row in released} - {row["_book_date"] for row in before} == {HALF}

    answer = home("rollback", "bnpl", "--to", number, "--reason", "too soon")

    assert answer.exit_code == 0, answer.output
    assert home.seen() == before
    run = home.warehouse.open()
    assert audit_days(run, DAYS).findings == ()
    run.engine.close()
    again = home("run", "bnpl", "--from", HALF, "--to", HALF)
    assert again.exit_code == 0, again.output
    assert home.seen() == released
    history = json.loads(home("publications", "bnpl", "--json").stdout)
    assert [(each["cause"], each["reason"]) for each in history if each["number"] > number] == [
        ("release", "half a day of work"), ("rollback", "too soon"), ("run", "")
    ]  # fmt: skip
    unknown = home("rollback", "bnpl", "--to", 999, "--reason", "x").exception
    assert isinstance(unknown, UsageError)
    assert "no publication 999" in str(unknown)


def test_a_release_covers_the_failures_that_it_names_and_no_later_ones(home: Home) -> None:
    def is_seen() -> bool:
        return HALF_TOO in {row["_book_date"] for row in home.seen()}

    release = ("release", "bnpl", "--date", HALF_TOO, "--reason")
    assert home(*release, "half a day of work").exit_code == 0
    assert is_seen()
    run = home.warehouse.open()
    (entry,) = run.books.current("bnpl", HopNames.bronze, [HALF_TOO])
    (decision,) = run.decisions.of(entry.entry_id)
    more = [*decision.failures, "late_share: 0.2 is above 0.05"]
    found_later = {entry.entry_id: (False, more)}
    run.decisions.record(decision.gate, decision.gate_hash, found_later, "a later run")
    run.engine.close()

    answer = home.publish(HALF_TOO)

    assert answer.exit_code == 3, answer.output
    assert "late_share" in answer.stderr
    assert f"{HALF_TOO} withdrawn" in answer.stderr
    assert not is_seen()
    assert home(*release, "and late, as agreed").exit_code == 0
    assert is_seen()
    kept = sa.select(release_table).where(release_table.c.entry_id == entry.entry_id)
    with run.books.engine.connect() as connection:
        releases = connection.execute(kept.order_by(release_table.c.seq)).all()
    assert [(each.reason, json.loads(each.failures)) for each in releases] == [
        ("half a day of work", list(decision.failures)),
        ("and late, as agreed", more),
    ]


def test_every_reopening_of_a_day_stays_in_the_books(home: Home) -> None:
    reasons = ["sent again", "and once more"]
    for reason in reasons:
        assert home("close", "bnpl", "--date", DAYS[0]).exit_code == 0
        assert home("reopen", "bnpl", "--date", DAYS[0], "--reason", reason).exit_code == 0

    reopened = home.warehouse.open().certificates.reopened("bnpl")

    assert [(c.book_date, why) for c, why in reopened] == [(DAYS[0], why) for why in reasons]
