"""Retailers at their worst: each line is somewhere with a reason, and who is at fault is named."""

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

from retail_home import FACT, SMALL, Shops, retailers

from clearhouse.core.errors import ExitCode

DAY, BAD = dt.date(2024, 1, 2), dt.date(2024, 1, 3)
LISTED = ("quarantine", "list", "--domain", "retail", "--limit", 100_000, "--json")


def test_at_its_worst_each_line_is_somewhere_with_a_reason(tmp_path: Path) -> None:
    days = [dt.date(2024, 3, 1) + dt.timedelta(days=n) for n in range(3)]
    hostile = replace(SMALL, hostile=True, scale=0.3)
    shops = Shops(tmp_path / "home")
    with retailers(hostile) as urls:
        for _ in range(3):
            report = shops.run(urls, days[0], days[-1])
            if report.exit_code is ExitCode.DONE:
                break

    assert report.exit_code is ExitCode.DONE, report.stopped()
    audited = shops.audit()
    assert audited.findings == ()
    rejected = sum(
        totals.records
        for entry in audited.entries
        for side, totals in entry.totals.items()
        if side == "rejected"
    )
    listed = json.loads(shops.command(*LISTED).stdout)
    assert len(listed) == rejected > 0
    assert all(each["detail"] for row in listed for each in row["violations"])
    codes = {row["violations"][0]["code"] for row in listed}
    assert len(codes) >= 3, codes
    lines = shops.read("SELECT count(*), sum(total_amount) FROM marts.fact_sales")
    summed = shops.read("SELECT sum(line_count), sum(net_amount) FROM marts.mv_daily_sales_summary")
    assert lines == summed


def test_a_known_retailer_that_answers_with_nothing_on_an_ordinary_day_holds_it(
    tmp_path: Path,
) -> None:
    window, fault = ("--from", DAY, "--to", DAY), ("--fault", f"{DAY}=retailer_1.no_sales")

    answer = Shops(tmp_path / "home").command("run", "retail", *window, *fault)

    assert answer.exit_code == ExitCode.HELD, answer.output
    assert "retailer_1 lines: 0 is less than the " in answer.stderr


def test_the_demo_names_the_retailer_of_a_held_day_and_a_line_that_was_stolen(
    tmp_path: Path,
) -> None:
    shops = Shops(tmp_path / "home")

    answer = shops.command(
        "demo", "retail", "--days", 3, "--fault", f"{BAD}=retailer_2.half_volume", "--steal", 1
    )

    assert answer.exit_code == ExitCode.UNBALANCED, answer.stdout
    held = r"2024-01-03 held by validate_business_rules: retailer_2 lines: \d+ is less than the \d+"
    assert re.search(held, answer.output)
    assert re.search(
        r"silver → gold, 2024-01-0[23]: −1 record, −?\d+\.\d\d USD: \S+", answer.stdout
    )
    assert "clearhouse demo retail --days 3 again" in answer.stdout
    assert not shops.read(f"SELECT 1 FROM {FACT} WHERE _book_date = '{BAD}'")
    assert "no profile" not in answer.output
    assert shops.read(f"SELECT count(DISTINCT retailer) FROM {FACT}") == [(3,)]
