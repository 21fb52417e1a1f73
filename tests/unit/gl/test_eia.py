"""The client of EIA, against the sandbox's server and against answers that are not right."""

import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playback import Play, Playback, json_play

from clearhouse.core.contract import Contract, type_records
from clearhouse.core.errors import SettingsError, SourceError
from clearhouse.core.http import HttpPolicy
from clearhouse.core.resources import resource
from clearhouse.gl.eia import POLICY, EiaClient, Question
from clearhouse.gl.eia_source import ROUTES, source_of
from clearhouse.pipeline.domain import Batch
from clearhouse.sandbox.eia.options import KEY, EiaOptions
from clearhouse.sandbox.server import running_sources
from clearhouse.settings import Settings, load_settings

QUICK = HttpPolicy(
    attempts=2, wait_initial_seconds=0.001, wait_max_seconds=0.002, wait_jitter_seconds=0.001
)
PETROLEUM, _ = ROUTES
DAY = dt.date(2024, 1, 12)
SECRET = "a-key-that-nobody-may-read"
ROW = {"period": "2024-01-02", "series": "RWTC", "value": "72.76"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_sources({"eia": EiaOptions()}) as urls:
        yield urls["eia"]


def asked(url: str, question: Question | None = None, key: str = KEY) -> bytes:
    async def ask() -> bytes:
        async with EiaClient(url, key, policy=QUICK) as client:
            return await client.rows(question or PETROLEUM.question(DAY))

    return asyncio.run(ask())


def settings(**more: object) -> Settings:
    return load_settings(_env_file=None, **more)


def answer(*rows: object, total: object = None, **more: object) -> dict[str, object]:
    return {
        "response": {"total": str(len(rows) if total is None else total), "data": [*rows], **more}
    }


def test_a_day_asks_for_itself_and_the_ten_days_before(url: str) -> None:
    response = json.loads(asked(url))["response"]
    periods = sorted({row["period"] for row in response["data"]})
    assert (periods[0], periods[-1]) == ("2024-01-02", "2024-01-11")
    assert {row["series"] for row in response["data"]} == {"RWTC", "RBRTE"}
    assert int(response["total"]) == len(response["data"])


def test_a_long_answer_is_put_together_of_its_pages(url: str) -> None:
    years = Question(PETROLEUM.path, PETROLEUM.series, dt.date(2000, 1, 1), dt.date(2024, 1, 1))
    rows = json.loads(asked(url, years))["response"]["data"]
    found = [(row["period"], row["series"]) for row in rows]
    assert len(rows) > 12_000
    assert found == sorted(set(found))


def test_prices_are_typed_to_the_last_digit_and_may_be_negative(url: str) -> None:
    contract = Contract.load(resource("contracts") / "gl" / "prices.yaml")
    week = Question(PETROLEUM.path, ("RWTC",), dt.date(2020, 4, 20), dt.date(2020, 4, 27))
    oil = type_records(asked(url, week), contract, "eia_petroleum")
    assert (oil.rejected, Decimal("-36.98") in oil.accepted["price"].to_pylist()) == ((), True)
    assert set(oil.reading["currency"].to_pylist()) == {"QUD"}
    assert -369_800 in oil.reading["amount_minor"].to_pylist()

    year = Question("natural-gas/pri/fut", ("RNGC1",), dt.date(2023, 1, 1), dt.date(2023, 12, 31))
    gas = type_records(asked(url, year), contract, "eia_natural_gas")
    assert gas.rejected == ()
    assert any(price % Decimal("0.01") for price in gas.accepted["price"].to_pylist())


def test_a_key_is_refused_in_one_sentence_that_does_not_hold_it(url: str) -> None:
    with pytest.raises(SourceError, match=r"status 403 \(API_KEY_INVALID") as refused:
        asked(url, key=SECRET)
    assert (refused.value.code, SECRET in str(refused.value)) == ("source_refused", False)
    echo = Play(json.dumps({"error": f"no such key: {SECRET}"}).encode(), status=400)
    with Playback([echo]) as server, pytest.raises(SourceError) as refused:
        asked(server.url, key=SECRET)
    assert "no such key: …" in str(refused.value)
    with pytest.raises(SettingsError, match="EIA_API_KEY"):
        connected(settings(eia_base_url="https://api.eia.example"))


def connected(config: Settings) -> None:
    with source_of(PETROLEUM).connect(config, {}):
        pass


def test_what_is_landed_and_said_of_a_pull_does_not_hold_the_key() -> None:
    repeating = {**answer(ROW), "request": {"params": {"api_key": SECRET}}}
    with Playback([json_play(repeating)]) as server:
        config = settings(eia_base_url=f"{server.url}/proxy", eia_api_key=SECRET)
        with source_of(PETROLEUM).connect(config, {}) as connection:

            async def pull() -> list[object]:
                return [each async for each in connection.pull([DAY])]

            (batch,) = asyncio.run(pull())
            told = (batch, connection, connection.requests([DAY]), connection.identity)
        (request,) = server.asked
    assert isinstance(batch, Batch)
    assert json.loads(batch.payload) == answer(ROW)
    assert SECRET not in f"{told}{batch.payload!r}"
    assert request.path == "/proxy/v2/petroleum/pri/spt/data/"
    assert f"api_key={SECRET}" in request.query


@pytest.mark.parametrize(
    "broken",
    [
        answer(ROW, total=2, warnings=[{"warning": "incomplete return"}]),
        answer(ROW, ROW, total=1),
        answer(ROW, total="many"),
        {"response": {"data": [ROW]}},
        {"error": "later"},
    ],
)
def test_an_answer_that_is_not_whole_is_asked_for_again(broken: object) -> None:
    with Playback([json_play(broken), json_play(answer(ROW))]) as server:
        assert json.loads(asked(server.url)) == answer(ROW)


@pytest.mark.parametrize(
    "text",
    [b'{"response": {"total": "1", "data": [{"per', b"\xff", b'{"response": ' + b"[" * 100_000],
    ids=["cut", "not UTF-8", "nested without end"],
)
def test_an_answer_that_can_not_be_read_is_refused(text: bytes) -> None:
    with Playback([Play(text)]) as server, pytest.raises(SourceError, match="broken answer"):
        asked(server.url)


def test_pages_of_two_states_are_not_put_together() -> None:
    full = answer(*[ROW] * 5_000, total=5_001)
    other = answer(ROW, ROW, total=5_002)
    plays = [json_play(full), json_play(other)]
    with Playback(plays) as server, pytest.raises(SourceError) as refused:
        asked(server.url)
    assert refused.value.code == "source_changed"


def test_both_sources_together_keep_to_the_limits_of_eia() -> None:
    requests_an_hour = len(ROUTES) * POLICY.requests_per_second * 3_600
    assert requests_an_hour < 9_000
