"""The sandbox's EIA keeps to the wire format of the public API v2."""

import asyncio
import datetime as dt

import httpx
import pytest

from clearhouse.sandbox import prices
from clearhouse.sandbox.eia.app import MOST_ROWS, create_app
from clearhouse.sandbox.eia.faults import HOSTILE
from clearhouse.sandbox.eia.options import KEY, EiaOptions
from clearhouse.sandbox.faults import SERVER_ERROR, faults_from_text
from clearhouse.sandbox.rng import seed_of

SPOT, FUTURES = "petroleum/pri/spt", "natural-gas/pri/fut"
PRODUCTION = "petroleum/crd/crpdn"
ASCENDING = {"sort[0][column]": "period", "sort[0][direction]": "asc"}


def ask(route=SPOT, *, times=1, options=None, key=KEY, measures="value", **query):
    """The last of some equal requests' answers."""
    named = {name.replace("series", "facets[series][]"): value for name, value in query.items()}
    params = {"data[0]": measures, "api_key": key, **ASCENDING, **named}
    params = {name: value for name, value in params.items() if value}

    async def each():
        transport = httpx.ASGITransport(create_app(options))
        async with httpx.AsyncClient(transport=transport, base_url="http://eia") as client:
            return [await client.get(f"/v2/{route}/data/", params=params) for _ in range(times)]

    return asyncio.run(each())[-1]


def rows(*args, **query):
    return ask(*args, **query).json()["response"]["data"]


def test_an_answer_has_the_members_and_texts_of_the_real_one():
    answer = ask(series="RWTC", frequency="daily", start="2024-01-01", end="2024-12-31").json()

    assert list(answer) == ["response", "request", "apiVersion", "ExcelAddInVersion"]
    response = answer["response"]
    assert list(response) == ["total", "dateFormat", "frequency", "data"]
    assert (response["total"], response["dateFormat"]) == ("251", "YYYY-MM-DD")
    assert answer["request"]["params"]["api_key"] == KEY  # it repeats the key
    assert " ".join(response["data"][0]) == (
        "period duoarea area-name product product-name process process-name series "
        "series-description value units"
    )
    assert all(isinstance(value, str) for row in response["data"] for value in row.values())
    assert [row["period"] for row in response["data"][:2]] == ["2024-01-02", "2024-01-03"]


def test_prices_are_those_that_the_ledger_sells_at():
    end = dt.date(2024, 3, 28)
    found = {row["period"]: row["value"] for row in rows(series="RWTC", start="2024-03-01")}
    (mills,) = prices.daily("RWTC", end, end)
    assert float(found[str(end)]) == mills / 1_000
    assert "2024-03-29" not in found  # Good Friday
    assert {row["value"] for row in rows(series="RWTC", start="2020-04-20", end="2020-04-24")} >= {
        "-36.98"
    }


def test_a_price_comes_late_and_some_are_revised_and_an_answer_is_the_same_at_any_time():
    final = {(r["series"], r["period"]): r["value"] for r in rows(start="2024-01-01")}
    revised = set()
    for day in (dt.date(2024, 1, 2) + dt.timedelta(days=n) for n in range(90)):
        window = {"start": str(day - dt.timedelta(days=10)), "end": str(day)}
        seen = rows(**window)
        assert max(row["period"] for row in seen) < str(day)
        revised |= {
            key
            for row in seen
            if (key := (row["series"], row["period"])) in final and final[key] != row["value"]
        }
    assert 5 <= len(revised) <= 30
    assert (
        ask(start="2024-01-01", end="2024-01-09").content
        == ask(start="2024-01-01", end="2024-01-09").content
    )


def test_pages_make_up_the_whole_and_one_that_is_cut_short_says_so():
    first = ask().json()["response"]
    assert (len(first["data"]), first["warnings"][0]["warning"]) == (MOST_ROWS, "incomplete return")
    total, found = int(first["total"]), list(first["data"])
    while len(found) < total:
        found += rows(offset=str(len(found)), length="9999")
    assert len({(row["series"], row["period"]) for row in found}) == total == len(found)
    last = ask(offset=str(total - 10), length="10").json()["response"]
    assert "warnings" not in last
    assert last["data"] == found[-10:]


def test_bounds_are_compared_as_texts():
    monthly = {"route": PRODUCTION, "series": "MCRFPUS1", "end": "2008-04"}
    assert [row["period"] for row in rows(start="2008-02", **monthly)] == [
        "2008-02", "2008-03", "2008-04",
    ]  # fmt: skip
    assert [row["period"] for row in rows(start="2008-02-01", **monthly)] == ["2008-03", "2008-04"]
    (row,) = rows(route="petroleum/pri/dfp1", series="F003048__3", start="2024-01", end="2024-01")
    assert (row["units"], row["area-name"]) == ("$/BBL", "TEXAS")


def test_what_is_not_there_is_no_row_and_what_was_not_asked_for_no_measure():
    nothing = ask(series="NOSUCH")
    assert (nothing.status_code, nothing.json()["response"]["total"]) == (200, "0")
    asked = {"series": "RNGC1", "start": "2024-01-02", "end": "2024-01-03"}
    (row,) = rows(FUTURES, measures=None, **asked)
    assert "value" not in row


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"key": ""}, 403, "API_KEY_MISSING"),
        ({"key": "wrong"}, 403, "API_KEY_INVALID"),
        ({"frequency": "weekly"}, 400, 400),
        ({"data[0]": "price"}, 400, 400),
        ({"facets[colour][]": "red"}, 400, 400),
        ({"sort[0][column]": "colour"}, 400, 400),
        ({"offset": "-1"}, 400, 400),
        ({"route": "petroleum/pri/none"}, 404, 404),
    ],
)
def test_what_is_refused(query, status, code):
    answer = ask(**query)
    assert answer.status_code == status
    told = answer.json()
    assert (told["error"]["code"] if status == 403 else told["code"]) == code


def test_faults_of_a_day_are_those_of_requests_that_end_with_it():
    day = dt.date(2024, 1, 12)
    faulty = EiaOptions(faults=faults_from_text([f"{day}=server_error:2", f"{day}=withheld"]))
    window = {"start": "2024-01-02", "end": str(day)}
    assert [ask(times=n, options=faulty, **window).status_code for n in (1, 2, 3)] == [
        500,
        500,
        200,
    ]
    assert "W" in {
        row["value"] for row in ask(times=3, options=faulty, **window).json()["response"]["data"]
    }
    assert ask(options=faulty, start="2024-01-02", end="2024-01-11").status_code == 200

    hostile = EiaOptions(hostile=True)
    days = (day + dt.timedelta(days=n) for n in range(100))
    bad = next(d for d in days if SERVER_ERROR in HOSTILE.faults_of(seed_of(42, "eia"), d))
    assert ask(options=hostile, end=str(bad)).status_code >= 500
    assert ask(options=hostile).status_code == 200
