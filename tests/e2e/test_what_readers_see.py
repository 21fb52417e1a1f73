"""What readers see follows from the books: from verdicts, releases and publications.

One home for all tests: days that are held, unjudged and unbalanced, beside a healthy one.
"""

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from toy_home import DAY, TICKETS, Toy

from clearhouse.books.schema import release_table
from clearhouse.core.errors import UsageError
from clearhouse.engines.duckdb import DuckDBEngine
from clearhouse.engines.engine import Layout
from clearhouse.pipeline import ops
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.hops import HopNames
from clearhouse.pipeline.steps import STEPS

DAYS = [DAY + dt.timedelta(days=n) for n in range(5)]
REJECTS, NEGATIVE, HALF, HALF_TOO, HEALTHY = DAYS
UNJUDGED, UNBALANCED = (DAY + dt.timedelta(days=n) for n in (5, 6))
FAULTS = {NEGATIVE: "negative", REJECTS: "unreadable", HALF: "few", HALF_TOO: "few"}


@dataclass
class Home(Toy):
    """The home, and what the run over `DAYS` said."""

    first: Result | None = None

    def run_days(self, *days: dt.date) -> Result:
        """The days as the booths tell them."""
        faults = [part for d, kind in FAULTS.items() for part in ("--fault", f"{d}={kind}")]
        return self.command("run", "toy", "--from", days[0], "--to", days[-1], *faults)

    def publish(self, day: dt.date) -> Result:
        return self.command("step", "toy", "publish_quality_metrics", "--date", day)

    def seen(self) -> list[tuple[Any, ...]]:
        """Every row that readers see."""
        return self.read(f"SELECT * FROM {TICKETS} ORDER BY ALL")

    def sums(self, *days: dt.date) -> str:
        """What readers see of days, in the words of the summary."""
        listed = ", ".join(f"'{day}'" for day in days)
        sql = f"SELECT count(*), sum(price) FROM {TICKETS} WHERE _book_date IN ({listed})"
        ((count, total),) = self.read(sql)
        return f"{count:,} records, {total:,} EUR"


def losing_a_row(day: dt.date, patched: pytest.MonkeyPatch) -> None:
    """Let the engine lose a row of what is built of a day."""
    keep = DuckDBEngine.keep_built

    def losing(engine: DuckDBEngine, fact: str, layout: Layout) -> None:
        keep(engine, fact, layout)
        (entry_id,) = ops.entries_in(engine, fact, [day])[day]
        engine.rewrite_entry(fact, entry_id, "SELECT * FROM rows OFFSET 1")

    patched.setattr(DuckDBEngine, "keep_built", losing)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    found = Home(tmp_path_factory.mktemp("readers") / "home")
    found.first = found.run_days(*DAYS)
    for step in STEPS[:4]:
        assert found.command("step", "toy", step.name, "--date", UNJUDGED).exit_code == 0
    with pytest.MonkeyPatch.context() as patched:
        losing_a_row(UNBALANCED, patched)
        assert found.run(UNBALANCED).exit_code == 4
    return found


# --- a step asks the books ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "code", "why"),
    [
        (NEGATIVE, 3, "price_minor: "),
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
    assert day not in home.visible()


# --- the end of a run ---------------------------------------------------------------------------


def test_a_run_ends_with_what_came_what_is_seen_and_what_was_rejected(home: Home) -> None:
    assert home.first
    told = home.first.stdout

    landed = "Landed: 128 records, "  # two of the days have 4 tickets
    sums = home.sums(HEALTHY, REJECTS)
    assert landed in told
    assert f" EUR. Readers see 2 days with {sums}; 2 changed in this run." in told
    assert "Rejected: 2 of 128 records (2 money_malformed). " in told
    assert "quarantine list --domain toy` shows them." in told


def test_a_run_says_each_cause_once_and_what_to_do_about_it(home: Home) -> None:
    assert home.first
    told = home.first.stderr

    assert home.first.exit_code == 3
    assert re.findall(r"^(\S+(?: to \S+)?) held by (\w+): (\w+)", told, re.MULTILINE) == [
        (str(NEGATIVE), "validate_business_rules", "price_minor"),
        (f"{HALF} to {HALF_TOO}", "validate_raw_schema", "net_rows"),
    ]
    assert f"(on {HALF})" in told
    assert f"Readers don't see {NEGATIVE} to {HALF_TOO}." in told
    assert f"release toy --date {NEGATIVE}" in told


def test_corrected_money_is_told_before_and_after(home: Home) -> None:
    before = home.sums(HEALTHY)

    answer = home.run(HEALTHY, fault="restated")

    after = home.sums(HEALTHY)
    assert answer.exit_code == 0, answer.output
    assert after != before
    assert (
        f"Corrected: readers saw {before} of these days before, and see {after} now."
        in answer.stdout
    )
    assert re.search(r"^Superseded: 2 records", answer.stdout, re.MULTILINE)


# --- publications, releases, reopenings ---------------------------------------------------------


def test_readers_see_an_earlier_publication_again_until_the_next_run(home: Home) -> None:
    before, days = home.seen(), set(home.visible())
    number = home.open().publications.latest("toy")
    assert (
        home.command("release", "toy", "--date", HALF, "--reason", "half a day of work").exit_code
        == 0
    )
    released = home.seen()
    assert set(home.visible()) - days == {HALF}

    answer = home.command("rollback", "toy", "--to", number, "--reason", "too soon")

    assert answer.exit_code == 0, answer.output
    assert home.seen() == before
    run = home.open()
    assert audit_days(run, DAYS).findings == ()
    run.engine.close()
    again = home.run_days(HALF)
    assert again.exit_code == 0, again.output
    assert home.seen() == released
    history = json.loads(home.command("publications", "toy", "--json").stdout)
    assert [(each["cause"], each["reason"]) for each in history if each["number"] > number] == [
        ("release", "half a day of work"), ("rollback", "too soon"), ("run", "")
    ]  # fmt: skip
    unknown = home.command("rollback", "toy", "--to", 999, "--reason", "x").exception
    assert isinstance(unknown, UsageError)
    assert "no publication 999" in str(unknown)


def test_a_release_covers_the_failures_that_it_names_and_no_later_ones(home: Home) -> None:
    def is_seen() -> bool:
        return HALF_TOO in home.visible()

    release = ("release", "toy", "--date", HALF_TOO, "--reason")
    assert home.command(*release, "half a day of work").exit_code == 0
    assert is_seen()
    run = home.open()
    (entry,) = run.books.current("toy", HopNames.bronze, [HALF_TOO])
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
    assert home.command(*release, "and late, as agreed").exit_code == 0
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
        assert home.command("close", "toy", "--date", DAYS[0]).exit_code == 0
        assert home.command("reopen", "toy", "--date", DAYS[0], "--reason", reason).exit_code == 0

    reopened = home.open().certificates.reopened("toy")

    assert [(c.book_date, why) for c, why in reopened] == [(DAYS[0], why) for why in reasons]
