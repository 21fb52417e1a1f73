"""A source of its own on the shared layer alone: JSON rows under a key, a bearer key, any fault."""

import asyncio
import datetime as dt
from dataclasses import dataclass
from enum import IntEnum

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from clearhouse.core.window import Window
from clearhouse.sandbox import record_faults
from clearhouse.sandbox.answers import Answers
from clearhouse.sandbox.faults import SERVER_ERROR, FaultPlan, faults_from_text
from clearhouse.sandbox.framing import JsonRows
from clearhouse.sandbox.hostile import HostilePlan
from clearhouse.sandbox.record_faults import JsonText, SentDay
from clearhouse.sandbox.registry import SOURCES
from clearhouse.sandbox.rng import seed_of, stream
from clearhouse.sandbox.simtom.options import SimtomOptions
from clearhouse.sandbox.source import SandboxSource, SourceOptions, option

# --- the source -----------------------------------------------------------------------------------

JSON = JsonText(separators=(",", ":"), sort_keys=True)
ROW_FAULTS = {
    "negative_amounts": record_faults.changed(
        0.05, [JSON.record(lambda sale: {**sale, "total": -sale["total"]})]
    ),
    "renamed_field": record_faults.changed(0.5, [JSON.renamed("total", "amount")]),
    "broken_json": record_faults.changed(0.05, record_faults.breakages(JSON)),
    "duplicates": record_faults.duplicates,
}
HOSTILE = HostilePlan((SERVER_ERROR, *ROW_FAULTS))
FRAMING = JsonRows("data", after={"retailer": "shop"}, is_counted=True)


class Entity(IntEnum):
    SALES = 1


@dataclass(frozen=True)
class ShopOptions(SourceOptions):
    key: str = option("sesame", "The key that a request must bear.")


def sales(seed, day):
    rng = stream(seed, Entity.SALES, day.toordinal())
    cents = rng.integers(100, 10_000, 20).tolist()
    return [JSON.write({"id": f"{day}-{n}", "total": c / 100}) for n, c in enumerate(cents)]


def create_app(options):
    def hostile(day):
        return HOSTILE.faults_of(options.seed, day)

    plan = FaultPlan(options.faults, ROW_FAULTS, more=hostile if options.hostile else None)
    answers = Answers(plan, options, error_key="error")
    seed = seed_of(options.seed, "shop")

    def content(day, kinds):
        sent = SentDay(day, seed, seed, sales(seed, day))
        return record_faults.apply(ROW_FAULTS, kinds, sent)

    async def answer(request):
        if request.headers.get("authorization") != f"Bearer {options.key}":
            return JSONResponse({"error": "Unauthorized"}, 401)
        asked = request.query_params
        window = Window.parse(asked["start_date"], asked["end_date"])
        return answers.respond(window, content, FRAMING)

    return Starlette(routes=[Route("/sales", answer)])


SHOP = SandboxSource("shop", "a shop", ShopOptions, create_app, lambda: ROW_FAULTS)

# --- what it has of the shared layer --------------------------------------------------------------

GOOD, BAD = dt.date(2024, 1, 2), dt.date(2024, 1, 3)


def request(first=GOOD, last=BAD, key="sesame"):
    return {
        "params": {"start_date": str(first), "end_date": str(last)},
        "headers": {"authorization": f"Bearer {key}"},
    }


def ask(*requests, **options):
    """Answers of one server, one after the other."""

    async def each():
        transport = httpx.ASGITransport(create_app(ShopOptions(**options)))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return [await client.get("/sales", **one) for one in requests]

    return asyncio.run(each())


def with_fault(*kinds):
    return {"faults": {BAD: kinds}}


def test_rows_stand_under_their_key_and_a_day_is_the_same_in_any_range():
    both, good, bad = ask(request(), request(GOOD, GOOD), request(BAD, BAD))
    assert both.headers["content-type"] == "application/json"
    assert list(both.json()) == ["count", "data", "retailer"]
    assert both.json()["count"] == len(both.json()["data"]) == 40
    assert both.json()["data"] == good.json()["data"] + bad.json()["data"]
    assert b" " not in both.content
    assert ask(request(), seed=43)[0].content != both.content
    assert ask(request(key="wrong"))[0].status_code == 401


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("unauthorized", 401, '{"error":"Unauthorized"}'),
        ("too_many_requests", 429, '{"error":"Too Many Requests"}'),
        ("unavailable", 503, '{"error":"Service Unavailable"}'),
        ("server_error", 500, "<h1>Internal Server Error</h1>"),
        ("html_page", 200, "<h1>Scheduled maintenance</h1>"),
    ],
)
def test_a_refusal_spoils_the_first_answer_for_its_day(kind, status, text):
    good, refused, whole = ask(request(GOOD, GOOD), request(), request(), **with_fault(kind))
    assert (good.status_code, refused.status_code) == (200, status)
    assert text in refused.text
    kinds = {"<": "text/html; charset=utf-8", "{": "application/json"}
    assert refused.headers["content-type"] == kinds[text[0]]
    assert ("retry-after" in refused.headers) == (status in (429, 503))
    assert whole.content == ask(request())[0].content


def test_a_source_is_down_for_days_at_every_attempt():
    faults = faults_from_text(["2024-01-03..2024-01-05=down"])
    after = dt.date(2024, 1, 6)
    answers = ask(*[request(GOOD, BAD)] * 9, request(after, after), faults=faults)
    assert [a.status_code for a in answers] == [500] * 9 + [200]


@pytest.mark.parametrize(
    ("kinds", "rows"), [(("duplicates",), 41), (("renamed_field", "negative_amounts"), 40)]
)
def test_row_faults_are_counted_and_leave_the_framing_whole(kinds, rows):
    [answer] = ask(request(), **with_fault(*kinds))
    assert answer.json()["count"] == len(answer.json()["data"]) == rows
    [good] = ask(request(GOOD, GOOD))
    assert answer.json()["data"][:20] == good.json()["data"]


def test_row_faults_do_what_they_are_named():
    [renamed] = ask(request(BAD, BAD), **with_fault("renamed_field"))
    assert sum("amount" in sale for sale in renamed.json()["data"]) == 10
    [negative] = ask(request(BAD, BAD), **with_fault("negative_amounts"))
    assert sum(sale["total"] < 0 for sale in negative.json()["data"]) == 1
    [broken] = ask(request(BAD, BAD), **with_fault("broken_json"))
    assert broken.content != ask(request(BAD, BAD))[0].content
    assert broken.text.startswith('{"count":20,"data":[')
    assert broken.text.endswith('],"retailer":"shop"}')


@pytest.mark.parametrize("kind", ["cut_stream", "unended_stream", "connection_drop"])
def test_a_drop_shows_beside_another_source_in_the_same_process(serving, monkeypatch, kind):
    monkeypatch.setitem(SOURCES, SHOP.name, SHOP)
    urls = serving(shop=ShopOptions(**with_fault(kind)), simtom=SimtomOptions())
    assert httpx.get(urls["simtom"]).json()["status"] == "healthy"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{urls['shop']}/sales", **request())
    assert httpx.get(f"{urls['shop']}/sales", **request()).json()["count"] == 40


def test_a_truncated_stream_is_no_json_and_slow_days_are_whole():
    truncated, whole = ask(request(), request(), **with_fault("truncated_stream"))
    assert 20 + 10 < truncated.text.count('"id"') <= 20 + 10 + 1
    assert whole.content.startswith(truncated.content)
    with pytest.raises(ValueError, match="Unterminated"):
        truncated.json()
    [slow] = ask(request(), slow_seconds=0.0, **with_fault("slow"))
    assert slow.content == whole.content


def test_the_hostile_plan_puts_its_own_faults_on_the_days():
    days = [GOOD + dt.timedelta(days=n) for n in range(40)]
    answers = ask(*[request(day, day) for day in days for _ in range(2)], hostile=True)
    kinds = {day: {f.partition(":")[0] for f in HOSTILE.faults_of(42, day)} for day in days}
    assert set().union(*kinds.values()) == set(HOSTILE.modes)
    for day, first in zip(days, answers[::2], strict=True):
        assert first.status_code == (500 if SERVER_ERROR in kinds[day] else 200)


def test_sources_under_one_seed_draw_different_numbers():
    assert sales(seed_of(42, "shop"), GOOD) != sales(seed_of(42, "other"), GOOD)
