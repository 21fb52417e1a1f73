import asyncio
import base64
import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest
from playback import Asked, Play, Playback, json_play

from clearhouse.core.answer import RetryableAnswer, read_bounded
from clearhouse.core.endpoint import Endpoint
from clearhouse.core.errors import SettingsError, SourceError
from clearhouse.core.http import HttpPolicy, ResilientClient
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


def test_a_reason_holds_nothing_that_a_terminal_obeys_or_a_database_refuses() -> None:
    error, _ = get([Play(b'{"detail": "go\\u001b[2J \\ud83d\\u0000 \\u00e9"}', status=404)])
    assert isinstance(error, SourceError)
    assert "404 (go\ufffd[2J \ufffd\ufffd é)" in error.message


def test_a_refusal_without_a_reason_or_with_a_very_long_one() -> None:
    for body in (b"<h1>no</h1>", b"x" * 200_000, b"[]", b""):
        error, _ = get([Play(body, status=404)])
        assert isinstance(error, SourceError)
        assert "with status 404: correct" in error.message


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
        ("Fri, 01 Mar 99999999999 12:00:00 GMT", None),
        ("Fri, 01 Mar 2024 12:00:00 +99999999999999999999", None),
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
    assert error.code == "source_too_slow"


def test_an_answer_that_drips_without_end_is_ended() -> None:
    policy = replace(QUICK, attempts=1, attempt_timeout_seconds=0.05)
    error, _ = get([Play(b"[", drips=True)], policy)
    assert isinstance(error, SourceError)
    assert error.code == "source_too_slow"
    assert "had not ended its answer to GET" in error.message


def test_all_attempts_share_one_budget_of_time() -> None:
    policy = replace(QUICK, attempts=1000, attempt_timeout_seconds=0.1, total_timeout_seconds=1)
    error, asked = get([Play(hang_seconds=30)], policy)
    assert isinstance(error, SourceError)
    assert error.code == "source_too_slow"
    assert 1 < len(asked) <= 10


def test_a_wait_longer_than_the_time_left_is_not_begun() -> None:
    policy = replace(QUICK, total_timeout_seconds=5)
    error, asked = get([Play(status=429, headers={"Retry-After": "60"})], policy)
    assert isinstance(error, SourceError)
    assert (error.code, len(asked)) == ("source_failed", 1)


def test_a_large_answer_may_take_longer() -> None:
    policy = replace(QUICK, attempt_timeout_seconds=0.001, total_timeout_seconds=0.001)

    async def ask(url: str) -> bytes:
        async with ResilientClient(url, name="shop", policy=policy) as client:
            return await client.exchange(
                "GET", "/x", consume=lambda r: read_bounded(r, 100), extra_seconds=30
            )

    with Playback([Play(b"late", hang_seconds=0.05)]) as server:
        assert asyncio.run(ask(server.url)) == b"late"


def test_a_source_that_never_ends_an_answer_opens_the_circuit() -> None:
    policy = replace(QUICK, attempts=1, circuit_failures=2, attempt_timeout_seconds=0.03)

    async def ask(url: str) -> list[str]:
        codes = []
        async with ResilientClient(url, name="shop", policy=policy) as client:
            for _ in range(3):
                with pytest.raises(SourceError) as caught:
                    await client.request_json("GET", "/")
                codes.append(caught.value.code)
        return codes

    with Playback([Play(b"[", drips=True)]) as server:
        slow, _, last = asyncio.run(ask(server.url))
    assert (slow, last) == ("source_too_slow", "source_unavailable")


def test_one_request_that_always_fails_opens_no_circuit_for_the_next() -> None:
    policy = replace(QUICK, concurrency=1)

    async def ask(url: str) -> object:
        async with ResilientClient(url, name="shop", policy=policy) as client:
            with pytest.raises(SourceError):
                await client.request_json("GET", "/bad")
            return await client.request_json("GET", "/good")

    with Playback(lambda asked: OK if asked.path == "/good" else Play(status=500)) as server:
        assert asyncio.run(ask(server.url)) == {"ok": True}


def test_an_answer_whose_end_is_told_by_closing_is_refused() -> None:
    error, asked = get([Play(OK.body, framing="none")])
    assert isinstance(error, SourceError)
    assert (error.code, len(asked)) == ("answer_without_end", 1)
    assert "without Content-Length and not chunked" in error.message
    answer, _ = get([Play(OK.body, framing="length")])
    assert answer == {"ok": True}


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


@pytest.mark.parametrize("key", ["sécret", "s3cret\u00a0", "s3cret\n", " s3cret", "s3\ncret"])
def test_a_key_that_http_cant_carry_is_refused_without_being_told(key: str) -> None:
    url = "http://user:s3cret@127.0.0.1:1"
    with pytest.raises(SettingsError, match="can't be sent as X-Key") as refused:
        ResilientClient(url, name="shop", headers={"X-Key": key})
    assert "cret" not in refused.value.message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop",
        "http://",
        "http://shop:port",
        "file:///x",
        "http://shop:70000",
        f"http://{'a' * 64}.example",
    ],
)
def test_a_url_that_is_none_is_a_setting_to_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="The URL set for shop"):
        ResilientClient(url, name="shop")


def test_user_and_password_of_the_url_are_sent_as_basic_authentication_and_never_shown() -> None:
    async def ask(url: str) -> SourceError:
        async with ResilientClient(url, name="shop", policy=QUICK) as client:
            with pytest.raises(SourceError) as caught:
                await client.request_json("GET", "/x")
            return caught.value

    with Playback([Play(status=403)]) as server:
        url = server.url.replace("//", "//us%40er:s3%2Fcret%23%3F@")
        error = asyncio.run(ask(f"{url}/base?token=s3cret"))
        asked = server.asked[0]
    sent = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic "))
    assert sent == b"us@er:s3/cret#?"
    assert (asked.path, asked.query) == ("/base/x", "token=s3cret")
    assert "/base/x" in error.message
    assert not any(part in error.message for part in ("cret", "us@er", "us%40er"))


@pytest.mark.parametrize("password", ["s3/cret", "12/s3cret", "s3#cret", "12#s3cret", "12?s3cret"])
def test_a_password_that_ends_the_host_early_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(SettingsError, match="/ as %2F") as caught:
        ResilientClient(f"http://user:{password}@shop", name="shop")
    assert "cret" not in caught.value.message


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets HTTP_PROXY, and no other variable of proxies."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return lambda url: monkeypatch.setenv("HTTP_PROXY", url)


def from_shop(url: str) -> object:
    async def ask() -> object:
        async with ResilientClient(url, name="shop", policy=replace(QUICK, attempts=1)) as client:
            return await client.request_json("GET", "/x")

    return asyncio.run(ask())


def test_a_loopback_host_is_never_asked_through_a_proxy(proxied: Callable[[str], None]) -> None:
    proxied("http://127.0.0.1:9")
    with Playback([OK]) as server:
        assert from_shop(server.url) == {"ok": True}
        assert from_shop(server.url.replace("127.0.0.1", "localhost")) == {"ok": True}


def test_other_hosts_are_asked_through_the_proxy_and_a_failing_one_is_named(
    proxied: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Playback([OK, Play(status=407)]) as proxy:
        address = proxy.url.replace("//", "//user:s3cret@")
        proxied(address)
        assert from_shop("http://shop.example") == {"ok": True}
        assert proxy.asked[0].path == "http://shop.example/x"
        with pytest.raises(SourceError, match="407") as refused:
            from_shop("http://shop.example")
    with pytest.raises(SourceError, match="check the proxy") as gone:
        from_shop("http://shop.example")
    for error in (refused.value, gone.value):
        assert f"through the proxy {proxy.url} (HTTP_PROXY)" in error.message
        assert "s3cret" not in error.message
    monkeypatch.setenv("NO_PROXY", "shop.example")
    assert Endpoint.parse("http://shop.example", "shop").proxy is None


@pytest.mark.parametrize("proxy", ["socks5://h:1", "http://h:port", "http://h:99999", "://"])
def test_a_proxy_that_can_not_be_used_is_a_setting_to_mend(
    proxied: Callable[[str], None], proxy: str
) -> None:
    proxied(proxy)
    with pytest.raises(SettingsError, match="The proxy in HTTP_PROXY is not usable"):
        from_shop("http://shop.example")


def test_a_policy_that_could_never_ask_is_refused() -> None:
    with pytest.raises(SettingsError, match="concurrency is 0"):
        HttpPolicy(concurrency=0)
