"""Three retailers as one domain: one that is down, corrections in any order, and a stolen line."""

import datetime as dt
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import athena
import duckdb
import httpx
import pytest
from programs import REPOSITORY, loaded
from retail_home import FACT, Shops, Urls, retailers, with_faults

from clearhouse.books.model import Status
from clearhouse.core.contract import Violation
from clearhouse.core.errors import ExitCode
from clearhouse.core.window import Window
from clearhouse.pipeline.redrive import land_corrected
from clearhouse.pipeline.runner import run_steps
from clearhouse.pipeline.steps import STEPS
from clearhouse.pipeline.tamper import tamper
from clearhouse.retail.retailers import RETAILERS
from clearhouse.sandbox.retail.options import KEYS
from clearhouse.store.quarantine import QuarantinedRow

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(6)]
NEW_YEAR, LATE, AGAIN, OTHER = DAYS[0], DAYS[3], DAYS[4], DAYS[5]
DOWN = DAYS[2:5]
FAULTS = {LATE: ("late", "corrected"), AGAIN: ("redelivered", "duplicates")}
DOWN_TOO = dict.fromkeys(DOWN, ("down",))
QUESTIONS = sorted((REPOSITORY / "docs" / "questions").glob("*.sql"))
RESTATED = dict.fromkeys((DAYS[1], OTHER), ("restated",))


@pytest.fixture(scope="module")
def healthy() -> Iterator[Urls]:
    with retailers(with_faults(FAULTS)) as urls:
        yield urls


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, healthy: Urls) -> Shops:
    """Six days, of which the first is without sales, with late, corrected and repeated sales."""
    shops = Shops(tmp_path_factory.mktemp("undisturbed") / "home")
    report = shops.run(healthy, DAYS[0], DAYS[-1])
    assert report.exit_code is ExitCode.DONE, report.stopped()
    return shops


def landed(shops: Shops, retailer: str) -> dict[dt.date, Status]:
    run = shops.open()
    entries = run.books.current(run.name, f"{retailer} → landing")
    run.engine.close()
    return {entry.key.book_date: entry.status for entry in entries}


def test_a_retailer_that_is_down_stops_no_other_and_its_days_stay_open(
    tmp_path: Path, healthy: Urls, undisturbed: Shops
) -> None:
    shops = Shops(tmp_path / "home")
    with retailers(retailer_2=with_faults({**FAULTS, **DOWN_TOO})) as broken:
        urls = {**healthy, "retailer_2": broken["retailer_2"]}
        report = shops.run(urls, DAYS[0], DAYS[-1])

    assert report.exit_code is ExitCode.FAILED
    assert "retailer_2" in " ".join(map(str, report.stopped()))
    statuses = landed(shops, "retailer_2")
    assert [day for day, status in statuses.items() if status is not Status.BALANCED] == DOWN
    for other in ("retailer_1", "retailer_3"):
        assert set(landed(shops, other).values()) == {Status.BALANCED}
    seen = shops.read(f"SELECT DISTINCT retailer, sale_date FROM {FACT}")
    assert {("retailer_1", day) for day in DOWN} < set(seen)
    assert not {("retailer_2", day) for day in DOWN} & set(seen)
    refused = shops.command("close", "retail", "--date", DOWN[0])
    assert "retailer_2 → landing is failed" in str(refused.exception)

    report = shops.run(healthy, DAYS[0], DAYS[-1])

    assert report.exit_code is ExitCode.DONE, report.stopped()
    assert set(landed(shops, "retailer_2").values()) == {Status.BALANCED}
    assert shops.tables() == undisturbed.tables()
    assert shops.audit().findings == ()


def test_a_day_without_sales_is_published_and_is_no_outage(undisturbed: Shops) -> None:
    answer = undisturbed.command(
        "books", "--domain", "retail", "--from", NEW_YEAR, "--to", NEW_YEAR, "--json"
    )
    entries = json.loads(answer.stdout)["entries"]
    assert answer.exit_code == 0
    assert {entry["status"] for entry in entries} == {"balanced"}
    assert {side["records"] for entry in entries for side in entry["totals"].values()} == {0}
    published = undisturbed.read("SELECT book_date FROM ops.publication ORDER BY 1")
    assert [day for (day,) in published] == DAYS
    assert undisturbed.read(f"SELECT count(*) FROM {FACT} WHERE _book_date = '{NEW_YEAR}'") == [
        (0,)
    ]


def test_what_readers_see_is_what_the_answers_add_up_to(undisturbed: Shops, healthy: Urls) -> None:
    """By retailer, counted from the answers without the platform: the last version of each sale."""
    found = {
        retailer: (lines, cents)
        for retailer, lines, cents in undisturbed.read(
            f"SELECT retailer, count(*), (sum(total_amount) * 100)::BIGINT FROM {FACT} GROUP BY 1"
        )
    }
    assert found == {
        retailer.name: reckoned(retailer.name, healthy[retailer.name]) for retailer in RETAILERS
    }


NAMES = {
    "retailer_1": ("data", "order_id", "sku", "total"),
    "retailer_2": ("transactions", "transaction_number", "item_code", "amount"),
    "retailer_3": ("results", "sale_id", "product_code", "revenue"),
}


def reckoned(name: str, url: str) -> tuple[int, int]:
    """Lines and cents of a retailer over all days.

    The lines of a sale stand together. A sale that comes again is that sale: what its lines say
    then counts, line by line.
    """
    (retailer,) = (each for each in RETAILERS if each.name == name)
    under, sale, product, total = NAMES[name]
    cents: dict[tuple[str, str, int], int] = {}
    for day in DAYS:
        asked = {k: v for k, v in retailer.request(day).items() if k != "path"}
        answer = httpx.request(
            url=f"{url}/{retailer.path}", headers=dict(retailer.key_header(KEYS[name])), **asked
        )
        for _, lines in groupby(json.loads(answer.content)[under], key=itemgetter(sale)):
            counted: Counter[str] = Counter()
            for line in lines:
                counted[line[product]] += 1
                key = (line[sale], line[product], counted[line[product]])
                cents[key] = round(line[total] * 100)
    return len(cents), sum(cents.values())


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_a_question_of_the_guide_has_an_answer(undisturbed: Shops, question: Path) -> None:
    rows = undisturbed.read(question.read_text())
    assert rows
    guide = (REPOSITORY / "docs" / "guides" / "retail.md").read_text()
    assert f"(../questions/{question.name})" in guide
    explained = (REPOSITORY / "docs" / "questions" / "README.md").read_text()
    assert f"({question.name})" in explained
    assert f"({question.stem}.svg)" in explained
    assert question.with_suffix(".svg").is_file()


def test_the_answer_of_each_question_is_drawn(undisturbed: Shops, tmp_path: Path) -> None:
    """Texts of a chart are text in its file, so that what is printed on it can be compared."""
    charts = loaded("scripts/make_charts.py")

    drawn = charts.draw_all(undisturbed.home / "published.duckdb", tmp_path)

    assert [chart.stem for chart in drawn] == [question.stem for question in QUESTIONS]
    texts = {chart.stem: chart.read_text() for chart in drawn}
    assert all(f"book dates {DAYS[0]} to {DAYS[-1]}" in text for text in texts.values())
    for _, sales, lines, amount in undisturbed.read(question("09-size-of-a-sale")):
        for printed in (f"{sales:,}", f"{lines:.2f}", f"{amount:,.2f}"):
            assert f">{printed}</text>" in texts["09-size-of-a-sale"]
    for _, store, *_ in undisturbed.read(question("06-stores")):
        assert f">{store}</text>" in texts["06-stores"]


@pytest.fixture(scope="module")
def on_athena(undisturbed: Shops) -> Iterator[duckdb.DuckDBPyConnection]:
    run = undisturbed.open()
    with athena.views_over(run, DAYS) as connection:
        run.engine.close()
        yield connection


def test_the_views_for_athena_show_the_lines_that_readers_see(
    undisturbed: Shops, on_athena: duckdb.DuckDBPyConnection
) -> None:
    """Of lines that came late, again and corrected, on one day and on several."""
    columns = """_record_id, retailer, gross_amount, discount_amount, return_amount, total_amount,
        quantity, sale_date"""
    sql = f"SELECT {columns} FROM {{}} ORDER BY _record_id"
    exported = on_athena.execute("SELECT count(*) FROM clearhouse_retail.sales").fetchall()

    found = on_athena.execute(sql.format("clearhouse_retail.sale_lines")).fetchall()

    assert found == undisturbed.read(sql.format(FACT))
    assert exported[0][0] > len(found)


@pytest.mark.parametrize("path", athena.QUESTIONS, ids=lambda path: path.stem)
def test_a_question_asked_of_athena_has_the_answer_of_the_marts(
    undisturbed: Shops, on_athena: duckdb.DuckDBPyConnection, path: Path
) -> None:
    found = on_athena.execute(athena.translated(path.read_text())).fetchall()
    assert found == undisturbed.read(question(path.stem))


def question(name: str) -> str:
    """The SQL of a question."""
    return (REPOSITORY / "docs" / "questions" / f"{name}.sql").read_text()


def test_questions_that_split_the_net_amount_lose_no_cent(undisturbed: Shops) -> None:
    """The joins to dimensions and to the history give back what was sold, no more and no less."""
    ((sold,),) = undisturbed.read(f"SELECT sum(total_amount) FROM {FACT}")
    split = ("01-sales-by-day", "04-categories", "06-stores", "10-under-the-name")
    for question in (path for path in QUESTIONS if path.stem.startswith(split)):
        text = question.read_text().rstrip().removesuffix(";")
        assert undisturbed.read(f"SELECT sum(net_amount) FROM ({text})") == [(sold,)], question


def test_one_day_is_verified_alone_with_the_periods_and_products_that_it_touches(
    undisturbed: Shops,
) -> None:
    of_a_day = ("verify", "retail", "--from", LATE, "--to", LATE, "--json")
    answer = undisturbed.command(*of_a_day)
    assert answer.exit_code == 0, answer.stdout + repr(answer.exception)
    assert json.loads(answer.stdout)["findings"] == []

    run = undisturbed.open()
    change = "net_amount = net_amount {} 0.01 WHERE retailer = 'retailer_3'"
    run.engine.execute(f"UPDATE marts.mv_quarterly_sales_summary SET {change.format('+')}")
    run.engine.close()
    findings = json.loads(undisturbed.command(*of_a_day).stdout)["findings"]
    run = undisturbed.open()
    run.engine.execute(f"UPDATE marts.mv_quarterly_sales_summary SET {change.format('-')}")
    run.engine.close()

    ((table, sentence),) = [(each["table"], each["finding"]) for each in findings]
    assert table == "marts.mv_quarterly_sales_summary"
    assert sentence.startswith("quarter_start 2024-01-01, retailer retailer_3: net_amount ")


def test_corrections_and_re_runs_in_any_order_of_days_give_the_same_tables(
    tmp_path: Path, healthy: Urls, undisturbed: Shops
) -> None:
    in_order, mixed = undisturbed, Shops(tmp_path / "home")
    before = in_order.tables()
    with retailers(with_faults({**FAULTS, **RESTATED})) as corrected:
        report = in_order.run(corrected, min(RESTATED), max(RESTATED), refresh=True)
        assert report.exit_code is ExitCode.DONE, report.stopped()

        for urls, first, last, refresh in [
            (healthy, OTHER, OTHER, False),
            (healthy, DAYS[0], DAYS[2], False),
            (corrected, OTHER, OTHER, True),
            (healthy, LATE, AGAIN, False),
            (corrected, DAYS[1], DAYS[1], True),
        ]:
            report = mixed.run(urls, first, last, refresh=refresh)
            assert report.exit_code is ExitCode.DONE, report.stopped()
        found = mixed.tables()
        again = mixed.run(corrected, OTHER, refresh=True)

    assert found == in_order.tables()
    assert found["fact_sales"] != before["fact_sales"]
    assert len(found["fact_sales"]) == len(before["fact_sales"])
    assert again.exit_code is ExitCode.DONE
    assert mixed.tables() == found


def test_a_line_that_was_corrected_is_judged_and_published_with_its_day(
    tmp_path: Path, healthy: Urls
) -> None:
    shops, day = Shops(tmp_path / "home"), DAYS[1]
    assert shops.run(healthy, day).exit_code is ExitCode.DONE
    run = shops.open()
    (landed,) = run.landing.objects("retailer_1", day)
    line = json.loads(run.landing.read(landed))["data"][0]
    row = QuarantinedRow(
        dataset=run.dataset().id,
        book_date=day,
        record_id="rejected",
        record_key="rejected",
        object_key=landed.key,
        line=1,
        violations=(Violation("quantity", "wrong_type", "is no number"),),
        raw=json.dumps({**line, "quantity": "two"}).encode(),
        amount_minor=0,
        currency="USD",
    )
    run.quarantine.replace(row.dataset, {day: ("entry", [row])})
    assert land_corrected(run, row.record_id, {"quantity": str(line["quantity"])}) == day

    report = run_steps(STEPS[1:], run, Window.day(day), run_id=run.run_id)

    run.engine.close()
    assert report.exit_code is ExitCode.DONE, report.stopped()
    assert shops.audit().findings == ()


def test_a_sale_is_traced_and_a_closed_day_is_proved_by_who_has_nothing_of_clearhouse(
    undisturbed: Shops, tmp_path: Path
) -> None:
    shops, day = undisturbed, DAYS[1]
    ((retailer, sale, lines),) = shops.read(
        f"""SELECT retailer, sale_id, count(*) FROM {FACT} WHERE sale_date = '{day}'
        GROUP BY ALL ORDER BY 3 DESC, 1, 2 LIMIT 1"""
    )
    assert lines > 1
    traced = json.loads(shops.command("trace", sale, "--domain", "retail", "--json").stdout)
    visible = [each for each in traced if each["is_visible"]]
    assert len(visible) == lines
    name = NAMES[retailer][1]
    assert {json.loads(each["raw"])[name] for each in traced} == {sale}
    assert all(retailer in each["raw_place"] for each in traced)

    assert shops.command("close", "retail", "--date", NEW_YEAR).exit_code == 0
    closed = shops.command("close", "retail", "--date", day, "--json")
    assert closed.exit_code == 0, closed.exception
    told = json.loads(closed.stdout)
    certified = {hop["hop"]: hop["totals"] for hop in told["certificate"]["hops"]}
    for each in told["commands"]:
        hop, _, side = each["figure"].partition(": ")
        answer = subprocess.run(
            each["command"], shell=True, cwd=shops.home, capture_output=True, text=True, check=True
        )
        head, *values = answer.stdout.split()
        assert head == "measure|value"
        figures = {n: int(v) for n, v in (value.split("|") for value in values)}
        assert figures.items() <= certified[hop][side].items(), each

    proof = tmp_path / "proof.json"
    record_id = visible[0]["record_id"]
    assert shops.command("prove", "retail", record_id, "--out", proof).exit_code == 0
    command = [sys.executable, "-I", "-S", str(REPOSITORY / "verify_proof.py"), str(proof)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "minor units of 'USD'" in answer.stdout


def test_a_stolen_line_is_named_with_its_retailer_its_day_and_its_cents(undisturbed: Shops) -> None:
    ((day, key, amount),) = undisturbed.read(
        """SELECT _book_date, _record_key, abs(total_amount)::VARCHAR FROM gold.fct_retail_sales
        ORDER BY _record_id LIMIT 1"""
    )
    run = undisturbed.open()
    assert tamper(run, "steal", 1) == 1
    run.engine.close()

    answer = undisturbed.command("books", "--domain", "retail", "--json")

    assert answer.exit_code == 4
    told = json.loads(answer.stdout)["findings"]
    assert key.startswith("retailer_")
    assert any(
        line.startswith(f"silver → gold, {day}: −1 record, ")
        and f"{amount} USD" in line
        and key in line
        for line in told
    ), told
