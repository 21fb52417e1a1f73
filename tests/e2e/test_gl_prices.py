"""Energy prices from EIA's stand-in to readers: late, revised, withheld and impossible ones."""

import datetime as dt
import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from prices_home import PricesHome

from clearhouse.core.contract import PayloadFormat
from clearhouse.core.window import Window
from clearhouse.landing import Counted
from clearhouse.pipeline.close import audit_days
from clearhouse.pipeline.pull import close_landing
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.sandbox import prices
from clearhouse.sandbox.eia.options import KEY

FIRST, WITHHELD, IMPOSSIBLE = (dt.date(2024, 1, day) for day in (8, 10, 16))
PRICES = "marts.energy_prices"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> PricesHome:
    """Nine days, with a value that EIA withholds, and a last day that is held."""
    home = PricesHome(tmp_path_factory.mktemp("gl") / "home")
    faults = (f"{WITHHELD}=eia_petroleum.withheld", f"{IMPOSSIBLE}=eia_petroleum.hundredfold")
    ran = home.run(FIRST, IMPOSSIBLE, *faults)
    assert ran.exit_code == 3, (ran.exception, ran.stderr)
    assert "dollars_a_barrel: 1 of 20 rows outside -100 to 300" in ran.stderr
    return home


def test_readers_see_each_price_once_and_as_last_revised(home: PricesHome) -> None:
    rows = home.read(f"SELECT series, period, price FROM {PRICES}")
    found = {(series, period): price for series, period, price in rows}
    assert len(found) == len(rows)
    assert {series for series, _ in found} == set(prices.SERIES)
    last = max(period for _, period in found)
    assert last == dt.date(2024, 1, 12)  # the 15th is a holiday, and the last day is held
    for series in prices.SERIES:
        first = dt.date(2023, 12, 29)
        settled = prices.daily(series, first, dt.date(2024, 1, 11)).tolist()
        for nth, mills in enumerate(settled):
            price = found.get((series, first + dt.timedelta(days=nth)))
            assert price is None or price * 1_000 == mills
    hidden = dict(home.read("SELECT reason, count(*) FROM gold.int_gl_hidden_prices GROUP BY ALL"))
    assert (
        hidden["superseded"] >= 3
    )  # of RWTC of the 8th, which came three times until it was right
    assert hidden["duplicate"] > 100


def test_a_wrong_price_of_one_day_is_put_right_by_what_later_days_say(tmp_path: Path) -> None:
    home, period = PricesHome(tmp_path / "home"), dt.date(2024, 1, 4)
    of_period = f"SELECT price FROM {PRICES} WHERE (series, period) = ('RBRTE', DATE '{period}')"
    before, wrong, after = (dt.date(2024, 1, day) for day in (9, 10, 11))
    assert home.run(before, wrong).exit_code == 0
    ((right,),) = home.read(of_period)

    run = home.open()
    (landed,) = run.landing.objects("eia_petroleum", wrong)
    answer = json.loads(run.landing.read(landed))
    for row in answer["response"]["data"]:
        if (row["series"], row["period"]) == ("RBRTE", str(period)):
            row["value"] = "1.23"
    payload = json.dumps(answer, separators=(",", ":")).encode()
    run.landing.put(
        "eia_petroleum",
        wrong,
        payload,
        landed.request,
        Counted(PayloadFormat.JSON_ROWS, landed.records),
    )
    close_landing(run, run.dataset("gl.prices"), "eia_petroleum", [wrong])
    steps = run_steps(STEPS[1:], run, Window.day(wrong), run_id=run.run_id)
    run.engine.close()
    assert steps.exit_code == 0, steps.stopped()
    assert home.read(of_period) == [(Decimal("1.23"),)]

    assert home.run(after, after).exit_code == 0
    assert home.read(of_period) == [(right,)]
    audited = audit_days(home.open())
    assert audited.findings == ()


def test_a_withheld_value_is_in_quarantine_and_the_day_goes_on(home: PricesHome) -> None:
    (row,) = json.loads(home.command("quarantine", "list", "--domain", "gl", "--json").stdout)
    assert (row["book_date"], row["violations"][0]["field"]) == (str(WITHHELD), "price")
    assert (WITHHELD,) in home.read(f"SELECT DISTINCT _book_date FROM {PRICES}")


def test_a_day_alone_lands_the_same_and_no_file_holds_the_key(
    home: PricesHome, tmp_path: Path
) -> None:
    day = dt.date(2024, 1, 11)
    alone = PricesHome(tmp_path / "home")
    assert alone.command("step", "gl", "ingest_eia", "--date", day).exit_code == 0
    assert alone.landed(day) == home.landed(day)
    assert sorted(home.landed(day)) == ["eia_natural_gas", "eia_petroleum"]
    for path in home.path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_the_commands_beside_a_certificate_count_prices_alike(home: PricesHome) -> None:
    told = home.command("close", "gl", "--date", FIRST, "--json")
    assert told.exit_code == 0, told.exception
    commands = [each["command"] for each in json.loads(told.stdout)["commands"]]
    said = [
        subprocess.run(each, shell=True, cwd=home.path, capture_output=True, text=True, check=True)
        for each in commands
    ]
    figures = [each.stdout for each in said if "minor:QUD|" in each.stdout]
    minor = {each.partition("minor:QUD|")[2].split()[0] for each in figures}
    assert (len(figures), len(minor)) == (3, 1)  # landing, bronze, gold
