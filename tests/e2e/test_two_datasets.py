"""Two datasets in one domain: each goes on by itself, and readers see both of one publication."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from cli_session import command
from click.testing import Result

from clearhouse.domains import DOMAINS
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.tamper import tamper
from clearhouse.settings import load_settings

DAY = dt.date(2024, 1, 2)
NEXT = DAY + dt.timedelta(days=1)
TICKETS, MEALS = "marts.mart_fair_tickets", "marts.mart_fair_meals"


@dataclass
class Fair:
    """A home with nothing but the fair in it."""

    home: Path

    def command(self, *args: object) -> Result:
        with patch.dict(DOMAINS, {"fair": "fair.domain:FAIR"}):
            return command(self.home, *args)

    def run(self, *faults: str) -> Result:
        options = [part for fault in faults for part in ("--fault", fault)]
        return self.command("run", "fair", "--from", DAY, "--to", NEXT, *options)

    def open(self) -> Run:
        from fair.domain import FAIR

        return open_run(FAIR, load_settings(_env_file=None, clearhouse_home=self.home))

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def visible(self, relation: str) -> dict[dt.date, int]:
        return dict(
            self.read(f"SELECT _book_date, count(*) FROM {relation} GROUP BY ALL ORDER BY ALL")
        )

    def sales(self) -> tuple[int, bool]:
        """Sales of the table of both datasets, and whether these and its money are theirs."""
        both = " UNION ALL ".join(f"SELECT price FROM {each}" for each in (TICKETS, MEALS))
        ((sales, takings),) = self.read("SELECT sale_count, takings FROM marts.mart_fair_totals")
        return sales, (sales, takings) == self.read(f"SELECT count(*), sum(price) FROM ({both})")[0]


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Fair:
    """Two published days, of which the kitchen's second one was held until it was released."""
    fair = Fair(tmp_path_factory.mktemp("fair") / "home")
    held_until_it_is_released(fair)
    return fair


def held_until_it_is_released(fair: Fair) -> None:
    """A day that one dataset holds goes on with the other; a release leaves that as it was."""
    ran = fair.run(f"{NEXT}=kitchen.negative")
    assert ran.exit_code == 3
    assert "meals: price_minor: 1 of 20 rows" in ran.stderr
    assert fair.visible(TICKETS) == {DAY: 40, NEXT: 40}
    assert fair.visible(MEALS) == {DAY: 20}
    assert fair.sales() == (100, True)
    assert (fair.home / "sales.txt").read_text() == "100"
    refused = fair.command("close", "fair", "--date", NEXT)
    assert "meals: silver → gold is held" in str(refused.exception)

    released = fair.command("release", "fair", "--date", NEXT, "--reason", "leftovers")

    assert released.exit_code == 0, released.exception
    assert fair.visible(TICKETS) == {DAY: 40, NEXT: 40}
    assert fair.visible(MEALS) == {DAY: 20, NEXT: 20}
    assert fair.sales() == (120, True)
    assert (fair.home / "sales.txt").read_text() == "120"


def test_a_rollback_takes_both_back_to_what_they_were(fair: Fair) -> None:
    back = fair.command("rollback", "fair", "--to", 1, "--reason", "a trial")

    assert back.exit_code == 0, back.exception
    assert (fair.visible(MEALS), fair.sales()) == ({DAY: 20}, (100, True))
    assert fair.run(f"{NEXT}=kitchen.negative").exit_code == 0
    assert fair.sales() == (120, True)


def test_what_is_taken_from_one_dataset_is_named_and_made_again(fair: Fair) -> None:
    run = fair.open()
    assert tamper(run, "steal", 1, "fair.meals") == 1
    run.engine.close()

    audited = fair.command("books", "--domain", "fair")

    assert audited.exit_code == 4
    assert "meals: silver → gold" in audited.stdout
    assert "tickets: silver → gold" not in audited.stdout.partition("missing")[2]
    assert fair.run(f"{NEXT}=kitchen.negative").exit_code == 0
    assert fair.command("books", "--domain", "fair").exit_code == 0
    assert fair.sales() == (120, True)


def test_a_number_that_both_datasets_know_is_traced_in_both(fair: Fair) -> None:
    number = fair.read(f"SELECT min(number) FROM {MEALS}")[0][0]
    found = json.loads(fair.command("trace", number, "--domain", "fair", "--json").stdout)
    assert [each["is_visible"] for each in found] == [True, True]


def test_both_are_verified_sealed_and_the_same_when_they_are_made_again(fair: Fair) -> None:
    verified = fair.command("verify", "fair")
    assert verified.exit_code == 0, verified.stdout
    closed = [fair.command("close", "fair", "--date", day, "--json") for day in (DAY, NEXT)]
    assert [each.exit_code for each in closed] == [0, 0], [each.exception for each in closed]
    seals = [json.loads(each.stdout)["seal"] for each in closed]
    before = fair.read(f"SELECT * FROM {MEALS} ORDER BY ALL")

    rebuilt = fair.command("rebuild", "fair")

    assert rebuilt.exit_code == 0, rebuilt.output
    again = [fair.command("close", "fair", "--date", day, "--json") for day in (DAY, NEXT)]
    assert [json.loads(each.stdout)["seal"] for each in again] == seals
    assert fair.read(f"SELECT * FROM {MEALS} ORDER BY ALL") == before
    assert fair.sales() == (120, True)


def test_steps_of_one_dataset_touch_no_other(tmp_path: Path) -> None:
    fair = Fair(tmp_path / "home")

    def step(name: str) -> Result:
        return fair.command("step", "fair", name, "--date", DAY, "--json")

    assert step("sell_meals").exit_code == 0
    hops = {entry.key.hop for entry in fair.open().books.current("fair")}
    assert hops == {"meals: source → landing", "meals: landing → bronze"}

    lacking = [step("add_up"), step("tell")]
    assert [each.exit_code for each in lacking] == [1, 1]
    assert all("validate_raw_schema has not been done" in each.stdout for each in lacking)
    assert (fair.visible(MEALS), fair.sales()) == ({DAY: 20}, (20, True))

    assert [step(name).exit_code for name in ("sell_tickets", "add_up", "tell")] == [0, 0, 0]
    assert (fair.visible(TICKETS), fair.sales()) == ({DAY: 40}, (60, True))
    assert (fair.home / "sales.txt").read_text() == "60"
