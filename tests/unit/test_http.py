import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from playback import Asked, Play, Playback, json_play

from clearhouse.core.errors import SettingsError, SourceError
from clearhouse.core.http import (
    HttpPolicy,
    ResilientClient,
    RetryableAnswer,
    read_bounded,
)
from clearhouse.core.retry_after import parse_retry_after

QUICK = HttpPolicy(
    attempts=3, wait_initial_seconds=0.001, wait_max_seconds=0.002, wait_jitter_seconds=0.001
)
OK = json_play({"ok": True})


def get(
    script: Sequence[Play] | Callable[[Asked], Play], policy: HttpPolicy = QUICK, path: str = "/x"
) -> tuple[object, list[Asked]]:
    """One GET against a server with this script: the answer or the error, and what was asked."""

    async def ask(url: str) -> object:
        async with ResilientClient(url, name="shop", policy=policy) as client:
            try:
                return await client.request_json("GET", path, params={"api_key": "s3cret"})
            except SourceError as error:
                return error

    with Playback(script) as server:
        return asyncio.run(ask(server.url)), server.asked


@pytest.mark.parametrize(
    "failing",
    [
        Play(status=503),
        Play(status=429, headers={"Retry-After": "0"}),
        Play(status=408),
        Play(b'{"ok": tr', final_chunk=False),
        Play(b"<html>sorry</html>"),
    ],
    ids=["503", "429", "408", "cut", "not JSON"],
)
def test_a_passing_failure_is_tried_again(failing: Play) -> None:
    answer, asked = get([failing, failing, OK])
    assert answer == {"ok": True}
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        (Play(status=503), "source_failed"),
        (Play(b"{", final_chunk=False), "source_failed"),
        (Play(b"<html>sorry</html>"), "source_answer_broken"),
    ],
    ids=["503", "cut", "not JSON"],
)
def test_a_lasting_failure_ends_as_one_sentence_without_the_query(failing: Play, code: str) -> None:
    error, asked = get([failing])
    assert isinstance(error, SourceError)
    assert error.code == code
    assert len(asked) == QUICK.attempts
    assert "/x?… " in error.message
    assert "(tried 3 times)" in error.message
    assert error.message.startswith("shop ")
    assert "s3cret" not in error.message
    assert error.__cause__ is None


def test_a_refusal_is_not_repeated_and_gives_the_sources_reason_but_not_our_input() -> None:
    detail = [{"loc": ["body", "end_date"], "msg": "too far", "input": "s3cret"}]
    refusal = Play(json_play({"detail": detail}).body, status=422)
    error, asked = get([refusal])
    assert isinstance(error, SourceError)
    assert (error.code, len(asked)) == ("source_refused", 1)
    assert "422 (body.end_date: too far)" in error.message
    assert "s3cret" not in error.message


def test_a_refusal_without_a_reason_or_with_a_very_long_one() -> None:
    for body in (b"<h1>no</h1>", b"x" * 200_000, b"[]", b""):
        error, _ = get([Play(body, status=404)])
        assert isinstance(error, SourceError)
        assert "with status 404: mend" in error.message


def test_the_source_says_when_to_come_back_but_not_for_ever() -> None:
    impatient = HttpPolicy(attempts=2, retry_after_max_seconds=0.01, wait_jitter_seconds=0.001)
    answer, _ = get([Play(status=503, headers={"Retry-After": "86400"}), OK], impatient)
    assert answer == {"ok": True}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Fri, 01 Mar 2024 12:00:30 GMT", 30.0),
        ("Fri, 01 Mar 2024 12:00:30 -0000", 30.0),
        ("Fri, 01 Mar 2024 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_both_forms_of_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC)) == seconds


def test_a_date_to_come_back_is_one_of_the_sources_clock() -> None:
    clock_ahead = {"Date": "Thu, 01 Jan 2099 12:00:00 GMT"}
    told = {**clock_ahead, "Retry-After": "Thu, 01 Jan 2099 12:00:00 GMT"}
    answers = iter([httpx.Response(503, headers=told), httpx.Response(200, json={"ok": True})])
    transport = httpx.MockTransport(lambda request: next(answers))

    async def ask() -> object:
        async with ResilientClient(
            "http://shop", name="shop", policy=QUICK, transport=transport
        ) as client:
            return await asyncio.wait_for(client.request_json("GET", "/"), timeout=30)

    assert asyncio.run(ask()) == {"ok": True}


def test_json_numbers_never_become_floats() -> None:
    answer, _ = get([Play(b'{"amount": 185.66843, "n": 3}')])
    assert answer == {"amount": Decimal("185.66843"), "n": 3}


def test_silence_longer_than_the_limit_is_a_failure() -> None:
    policy = HttpPolicy(attempts=2, read_timeout_seconds=0.05, wait_initial_seconds=0.001)
    error, asked = get([Play(hang_seconds=30)], policy)
    assert isinstance(error, SourceError)
    assert "ReadTimeout" in error.message
    assert len(asked) == 2


def test_a_whole_attempt_has_a_limit_too() -> None:
    policy = HttpPolicy(attempts=1, attempt_timeout_seconds=0.05)
    error, _ = get([Play(hang_seconds=30)], policy)
    assert isinstance(error, SourceError)
    assert "TimeoutError" in error.message


def test_no_one_there() -> None:
    with Playback([OK]) as server:
        gone = server.url

    async def ask() -> None:
        async with ResilientClient(gone, name="shop", policy=QUICK) as client:
            await client.request_json("GET", "/")

    with pytest.raises(SourceError, match="can't be reached") as caught:
        asyncio.run(ask())
    assert caught.value.code == "source_unreachable"


def test_an_outage_opens_the_circuit_and_the_source_is_left_alone() -> None:
    policy = HttpPolicy(attempts=1, circuit_failures=3, circuit_reset_seconds=3600)

    async def ask(url: str) -> list[str]:
        codes = []
        async with ResilientClient(url, name="shop", policy=policy) as client:
            for _ in range(5):
                with pytest.raises(SourceError) as caught:
                    await client.request_json("GET", "/")
                codes.append(caught.value.code)
        return codes

    with Playback([Play(status=500)]) as server:
        assert asyncio.run(ask(server.url)) == ["source_failed"] * 3 + ["source_unavailable"] * 2
        assert len(server.asked) == 3


def test_a_hiccup_that_every_request_meets_opens_no_circuit() -> None:
    side_by_side = 24
    policy = replace(QUICK, attempts=2, concurrency=side_by_side)
    met: set[str] = set()

    def once_each(asked: Asked) -> Play:
        first = asked.path not in met
        met.add(asked.path)
        return Play(status=503) if first else OK

    async def ask(url: str) -> list[object]:
        async with ResilientClient(url, name="shop", policy=policy) as client:
            pulls = (client.request_json("GET", f"/{number}") for number in range(side_by_side))
            return await asyncio.gather(*pulls)

    with Playback(once_each) as server:
        assert asyncio.run(ask(server.url)) == [{"ok": True}] * side_by_side


def test_a_source_that_is_up_again_is_asked_again() -> None:
    policy = HttpPolicy(attempts=1, circuit_failures=1, circuit_reset_seconds=0.000_001)

    async def ask(url: str) -> object:
        async with ResilientClient(url, name="shop", policy=policy) as client:
            with pytest.raises(SourceError):
                await client.request_json("GET", "/")
            await asyncio.sleep(0.01)
            return await client.request_json("GET", "/")

    with Playback([Play(status=500), OK]) as server:
        assert asyncio.run(ask(server.url)) == {"ok": True}


@pytest.mark.parametrize("bad", [Play(b"<html>"), Play(status=404), Play(b"{", final_chunk=False)])
def test_bad_answers_never_open_the_circuit(bad: Play) -> None:
    policy = HttpPolicy(
        attempts=2, circuit_failures=2, circuit_reset_seconds=3600, wait_initial_seconds=0.001,
        wait_jitter_seconds=0.001,
    )  # fmt: skip

    async def ask(url: str) -> object:
        async with ResilientClient(url, name="shop", policy=policy) as client:
            for _ in range(3):
                with pytest.raises(SourceError):
                    await client.request_json("GET", "/bad")
            return await client.request_json("GET", "/good")

    with Playback(lambda asked: OK if asked.path == "/good" else bad) as server:
        assert asyncio.run(ask(server.url)) == {"ok": True}


def test_requests_side_by_side_are_bounded() -> None:
    policy = HttpPolicy(concurrency=2)

    async def ask(url: str) -> None:
        async with ResilientClient(url, name="shop", policy=policy) as client:
            await asyncio.gather(*(client.request_json("GET", "/") for _ in range(8)))

    with Playback([Play(OK.body, hang_seconds=0.02)]) as server:
        asyncio.run(ask(server.url))
        assert len(server.asked) == 8
        assert server.most_at_once == 2


def test_a_slow_rate_spaces_requests_out() -> None:
    policy = HttpPolicy(requests_per_second=0.5)

    async def ask() -> float:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
        async with ResilientClient(
            "http://shop", name="shop", policy=policy, transport=transport
        ) as client:
            await client.request_json("GET", "/")
            with pytest.raises(TimeoutError):  # the next one is due in 2 s
                await asyncio.wait_for(client.request_json("GET", "/"), 0.05)

    asyncio.run(ask())


def test_the_reader_of_a_stream_can_call_it_broken_and_its_own_faults_are_its_own() -> None:
    readings: list[bytes] = []

    async def consume(response: httpx.Response) -> bytes:
        readings.append(await read_bounded(response, 100))
        if len(readings) < 3:
            raise RetryableAnswer("it is a draft")
        return readings[-1]

    async def clumsy(response: httpx.Response) -> bytes:
        raise ZeroDivisionError

    async def ask(url: str) -> bytes:
        async with ResilientClient(url, name="shop", policy=QUICK) as client:
            result = await client.exchange("POST", "/x", json={"a": 1}, consume=consume)
            with pytest.raises(ZeroDivisionError):
                await client.exchange("POST", "/x", consume=clumsy)
        return result

    with Playback([Play(b"one"), Play(b"two"), Play(b"three")]) as server:
        assert asyncio.run(ask(server.url)) == b"three"
        assert readings == [b"one", b"two", b"three"]
        assert [asked.json for asked in server.asked[:3]] == [{"a": 1}] * 3
        assert len(server.asked) == 4


def test_too_long_an_answer_is_given_up_at_once() -> None:
    policy = HttpPolicy(max_json_bytes=1000, wait_initial_seconds=0.001)
    error, asked = get([Play(b"[" + b"1," * 100_000)], policy)
    assert isinstance(error, SourceError)
    assert (error.code, len(asked)) == ("answer_too_large", 1)
    assert "s3cret" not in error.message


def test_keys_stay_out_of_messages_and_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer, asked = get([Play(status=503), OK])
    assert answer == {"ok": True}
    assert asked[0].query == "api_key=s3cret"
    assert "s3cret" not in caplog.text

    async def ask(url: str) -> None:
        headers = {"X-Key": "s3cret\n"}  # a line end that came with a key file
        async with ResilientClient(url, name="shop", policy=QUICK, headers=headers) as client:
            await client.request_json("GET", "/")

    with Playback([OK]) as server, pytest.raises(SourceError) as caught:
        asyncio.run(ask(server.url.replace("//", "//user:s3cret@")))
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    "url", ["", "shop.example", "ftp://shop", "http://", "http://shop:port", "file:///x"]
)
def test_a_url_that_is_none_is_a_setting_to_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="The URL set for shop"):
        ResilientClient(url, name="shop")


def test_a_policy_that_could_never_ask_is_refused() -> None:
    with pytest.raises(SettingsError, match="concurrency is 0"):
        HttpPolicy(concurrency=0)
