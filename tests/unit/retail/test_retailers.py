"""The retailers' clients, against the sandbox's servers and against answers that are not right."""

import asyncio
import datetime as dt
import json
from collections.abc import Iterator

import pytest
from playback import Asked, Play, Playback, json_play

from clearhouse.core.answer import RetryableAnswer
from clearhouse.core.errors import ClearhouseError, SettingsError, SourceError, UsageError
from clearhouse.core.http import HttpPolicy
from clearhouse.pipeline.domain import Batch, Failure
from clearhouse.retail.domain import SALES
from clearhouse.retail.retailers import RETAILERS, Retailer, RetailerClient
from clearhouse.retail.source import RetailerConnection
from clearhouse.sandbox.retail.options import KEYS, RetailOptions
from clearhouse.sandbox.server import running_sources
from clearhouse.settings import load_settings

QUICK = HttpPolicy(
    attempts=2, wait_initial_seconds=0.001, wait_max_seconds=0.002, wait_jitter_seconds=0.001
)
DAY = dt.date(2024, 1, 15)
BROKEN_DAY, PAGE_DAY, DOWN_DAY, CHRISTMAS = (
    dt.date(2024, 1, 16), dt.date(2024, 1, 17), dt.date(2024, 1, 18), dt.date(2023, 12, 25)
)  # fmt: skip
SECRET = "a-key-that-nobody-may-read"
SALES_TIME = {"retailer_1": "order_date", "retailer_2": "date", "retailer_3": "timestamp"}
EACH = pytest.mark.parametrize("retailer", RETAILERS, ids=lambda retailer: retailer.name)


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    faults = {BROKEN_DAY: ("truncated_stream:1",), PAGE_DAY: ("html_page:9",), DOWN_DAY: ("down",)}
    options = RetailOptions(scale=0.02, faults=faults)
    with running_sources(dict.fromkeys(KEYS, options)) as urls:
        yield urls


def asked(retailer: Retailer, url: str, day: dt.date = DAY, key: str = "") -> bytes:
    async def ask() -> bytes:
        key_of = key or KEYS[retailer.name]
        async with RetailerClient(retailer, url, key_of, policy=QUICK) as client:
            await client.health()
            return await client.sales_of(day)

    return asyncio.run(ask())


def answer(of: Retailer, /, *, rows: int = 2, **changed: object) -> dict[str, object]:
    given = {"count": rows, "retailer": of.name, of.rows_under: [{"a": 1}] * rows}
    return {**given, **changed}


@EACH
def test_a_day_comes_whole_and_is_of_that_day(retailer: Retailer, urls: dict[str, str]) -> None:
    payload = asked(retailer, urls[retailer.name])

    told = json.loads(payload)
    assert told["count"] == len(told[retailer.rows_under]) > 0
    times = SALES_TIME[retailer.name]
    assert {row[times][:10] for row in told[retailer.rows_under]} == {str(DAY)}


@EACH
def test_a_day_without_sales_has_an_answer(retailer: Retailer, urls: dict[str, str]) -> None:
    told = json.loads(asked(retailer, urls[retailer.name], CHRISTMAS))
    assert (told["count"], told[retailer.rows_under]) == (0, [])


@EACH
def test_each_retailer_is_asked_by_its_own_call_and_key(retailer: Retailer) -> None:
    def script(request: Asked) -> Play:
        return json_play({} if request.path == "/api/health" else answer(retailer))

    with Playback(script) as server:
        asked(retailer, f"{server.url}/api", key=SECRET)
        health, sales = server.asked

    shown = {name: value for name, value in sales.headers.items() if SECRET in value}
    assert health.path == "/api/health"
    assert (sales.method, sales.path, sales.query, sales.body, shown) == {
        "retailer_1": (
            "GET", "/api/sales", "start_date=2024-01-15&end_date=2024-01-15", b"",
            {"Authorization": f"Bearer {SECRET}"},
        ),
        "retailer_2": (
            "GET", "/api/transactions", "from=2024-01-15&to=2024-01-15", b"",
            {"X-API-Key": SECRET},
        ),
        "retailer_3": (
            "POST", "/api/sales/query", "",
            b'{"dateFrom":"2024-01-15","dateTo":"2024-01-15"}', {"apikey": SECRET},
        ),
    }[retailer.name]  # fmt: skip


@EACH
def test_a_wrong_key_is_refused_at_once_and_told_without_the_key(
    retailer: Retailer, urls: dict[str, str]
) -> None:
    with pytest.raises(SourceError, match="401") as refused:
        asked(retailer, urls[retailer.name], key=SECRET)
    assert retailer.name in refused.value.message
    assert SECRET not in f"{refused.value!r} {refused.value.__cause__!r}"


@EACH
def test_another_retailer_behind_the_url_is_told(retailer: Retailer) -> None:
    other = answer(retailer, retailer="retailer_9")
    with (
        Playback([json_play(other)]) as server,
        pytest.raises(SourceError, match="is 'retailer_9': check the URL") as refused,
    ):
        asked(retailer, server.url)
    assert refused.value.code == "another_retailer"
    assert len(server.asked) == 2  # of which one asks for its health


@EACH
@pytest.mark.parametrize(
    "broken",
    [
        {"count": 3},
        {"count": "2"},
        {"count": None},
        {"retailer": None},
        {"data": None, "transactions": None, "results": None},
        {"data": {}, "transactions": {}, "results": {}},
    ],
    ids=str,
)
def test_an_answer_that_is_not_what_it_says_is_asked_for_again_and_refused(
    retailer: Retailer, broken: dict[str, object]
) -> None:
    short, healthy = json_play(answer(retailer, **broken)), json_play(answer(retailer))
    with Playback([json_play({}), short, healthy]) as server:
        assert json.loads(asked(retailer, server.url)) == answer(retailer)

    with (
        Playback([json_play({}), short]) as server,
        pytest.raises(SourceError) as refused,
    ):
        asked(retailer, server.url)
    assert refused.value.code == "source_answer_broken"
    assert len(server.asked) == 3


@EACH
@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"{", b"<html></html>", b"\xff", b"null", b'{"count": 0, "\xff": 1}',
        b'{"count": 0, "retailer": "\xff", "data": [], "transactions": [], "results": []}',
        b'{"count": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_answer_is_refused(retailer: Retailer, text: bytes) -> None:
    plays = [json_play({}), Play(text, content_type="application/json")]
    with Playback(plays) as server, pytest.raises(SourceError, match="no JSON with count"):
        asked(retailer, server.url)


@EACH
def test_a_stream_that_breaks_once_is_asked_for_again(
    retailer: Retailer, urls: dict[str, str]
) -> None:
    told = json.loads(asked(retailer, urls[retailer.name], BROKEN_DAY))
    assert told["count"] == len(told[retailer.rows_under])


def test_a_page_in_place_of_an_answer_fails_its_day_alone(urls: dict[str, str]) -> None:
    retailer = RETAILERS[0]
    connection = RetailerConnection(
        retailer, "test", "", lambda: urls[retailer.name], KEYS[retailer.name], QUICK
    )

    async def pull() -> list[Batch | Failure]:
        return [given async for given in connection.pull([DAY, PAGE_DAY, DOWN_DAY])]

    given = {each.book_date: each for each in asyncio.run(pull())}

    whole, page, down = given[DAY], given[PAGE_DAY], given[DOWN_DAY]
    assert isinstance(whole, Batch)
    assert whole.request == connection.requests([DAY])[DAY] == retailer.request(DAY)
    assert isinstance(page, Failure)
    assert isinstance(down, Failure)
    told = f"{page.error.message} {down.error.message}"
    assert retailer.name in told
    assert "<" not in told  # no page in a sentence


def test_the_sandbox_stands_in_for_the_retailers_that_are_not_set() -> None:
    settings = load_settings(
        _env_file=None, retailer_2_url="http://shop.example/v1", retailer_2_key=SECRET
    )
    notices = {}
    for source in SALES.sources:
        with source.connect(settings, {}) as connection:
            notices[source.name] = (connection.identity, connection.notice)
            assert SECRET not in repr(connection)
    assert notices["retailer_2"] == ("http://shop.example/v1", "")
    assert notices["retailer_1"][0] == "sandbox:42"
    assert "RETAILER_3_URL is not set" in notices["retailer_3"][1]


def test_a_url_without_a_key_and_faults_for_a_real_retailer_are_refused() -> None:
    source = SALES.sources[0]
    keyless = load_settings(_env_file=None, retailer_1_url="http://shop.example")
    with pytest.raises(SettingsError, match="RETAILER_1_KEY is not"), source.connect(keyless, {}):
        pass
    real = load_settings(
        _env_file=None, retailer_1_url="http://shop.example", retailer_1_key=SECRET
    )
    with (
        pytest.raises(UsageError, match="unset RETAILER_1_URL"),
        source.connect(real, {DAY: ("down",)}),
    ):
        pass


def test_a_check_asks_with_the_key(urls: dict[str, str]) -> None:
    for source in SALES.sources:
        name = source.name
        real = {f"{name}_url": urls[name], f"{name}_key": KEYS[name]}
        told = source.check(load_settings(_env_file=None, **real))
        assert told == f"{name} answers at {name.upper()}_URL"
        with pytest.raises(ClearhouseError, match="401"):
            source.check(load_settings(_env_file=None, **{**real, f"{name}_key": SECRET}))
        assert "sandbox stands in" in source.check(load_settings(_env_file=None))


def test_a_name_cut_within_a_character_does_not_make_an_answer_broken() -> None:
    name = rb'{"sku": "A", "product_name": "Tea \ud83d"}'
    answer = b'{"count": 1, "retailer": "retailer_1", "data": [' + name + b"]}"
    RETAILERS[0].check(answer)
    with pytest.raises(RetryableAnswer):
        RETAILERS[0].check(answer[:-1])
