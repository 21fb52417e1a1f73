import asyncio
import datetime as dt
import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

import pytest
from playback import SIMTOM, Asked, Play, Playback, json_play

from clearhouse.bnpl.api_client import (
    BNPLAPIClient,
    DayBatch,
    DayFailure,
    ServiceInfo,
    pieces_of_range,
    request_for,
)
from clearhouse.bnpl.data_patterns import DayAsk
from clearhouse.core.errors import SourceError, UsageError
from clearhouse.core.http import HttpPolicy
from clearhouse.core.window import Window

QUICK = HttpPolicy(
    attempts=2, wait_initial_seconds=0.001, wait_max_seconds=0.002, wait_jitter_seconds=0.001
)
THREE_DAYS = (SIMTOM / "three-days-seed-42.txt").read_bytes()
NOISE = (SIMTOM / "noise-and-drift.txt").read_bytes()
FIRST, SECOND, THIRD = (dt.date(2024, 1, day) for day in (1, 2, 3))


def texts(stream: bytes) -> list[bytes]:
    """The records' texts, found the slow and plain way."""
    return [line.removeprefix(b"data: ") for line in stream.split(b"\n") if line]


def stream(*records: bytes) -> bytes:
    return b"".join(b"data: %b\n\n" % record for record in records)


def daily(server: Playback, max_bytes: int = 1 << 20) -> DayBatch:
    async def ask() -> DayBatch:
        async with BNPLAPIClient(server.url, policy=QUICK, max_bytes=max_bytes) as client:
            return await client.get_daily_batch(FIRST, base_daily_volume=100, seed=42)

    return asyncio.run(ask())


def ranged(server: Playback, first: dt.date, last: dt.date) -> list[DayBatch]:
    async def ask() -> list[DayBatch]:
        async with BNPLAPIClient(server.url, policy=QUICK) as client:
            return await client.get_bnpl_data(first, last, base_daily_volume=100, seed=None)

    return asyncio.run(ask())


def connection(health: object, generators: object) -> ServiceInfo:
    async def ask(url: str) -> ServiceInfo:
        async with BNPLAPIClient(url, policy=QUICK) as client:
            return await client.test_connection()

    def script(asked: Asked) -> Play:
        return json_play({"/": health, "/generators": generators}[asked.path])

    with Playback(script) as server:
        return asyncio.run(ask(server.url))


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1346, 1 << 20])
def test_records_come_through_byte_for_byte_however_the_stream_is_cut_up(chunk_bytes: int) -> None:
    sent = NOISE if chunk_bytes < 100 else THREE_DAYS
    with Playback([Play(sent, chunk_bytes=chunk_bytes)]) as server:
        batch = daily(server)
    assert batch.payload.splitlines() == texts(sent)
    assert batch.payload.endswith(b"}\n")
    assert batch.records == len(texts(sent)) == (3 if sent is NOISE else 206)


def test_a_day_asks_for_all_that_matters_and_keeps_what_it_asked() -> None:
    with Playback([Play(THREE_DAYS)]) as server:
        batch = daily(server)
        assert (server.asked[0].method, server.asked[0].path) == ("POST", "/stream/bnpl")
        asked = server.asked[0].json
    assert asked == {
        "start_date": "2024-01-01",
        "end_date": "2024-01-01",
        "base_daily_volume": 100,
        "seed": 42,
    }
    assert batch.request == {"path": "/stream/bnpl", "json": asked}
    assert batch.request == request_for(FIRST, FIRST, 100, 42)
    assert batch.book_date == FIRST


@pytest.mark.parametrize(
    "odd",
    [
        b'{"text": "a\\r b\r"}',
        b'{"text": "data: x"}',
        b"not even json",
        '{"text": "\u2028 \u0085"}'.encode(),
        b"\xff\x00",
    ],
)
def test_what_stands_in_a_record_is_not_the_clients_business(odd: bytes) -> None:
    with Playback([Play(stream(b"{}", odd, b"{}"))]) as server:
        assert daily(server).payload == b"{}\n%b\n{}\n" % odd


def test_blank_lines_between_records_mean_nothing() -> None:
    with Playback([Play(b"\n\ndata: {}\n\n\n\n\ndata: []\n\n\n")]) as server:
        batch = daily(server)
    assert (batch.payload, batch.records) == (b"{}\n[]\n", 2)


@pytest.mark.parametrize("chunk_bytes", [1, 4096])
@pytest.mark.parametrize(
    "changed",
    [
        lambda sent: sent.replace(b"\n", b"\r\n"),
        lambda sent: b"\xef\xbb\xbf" + sent,
        lambda sent: b": hello\n\n" + sent.replace(b"\n\n", b"\n\n: keep-alive\n\n"),
        lambda sent: sent.replace(b"}\n\n", b"}\n: within\n\n"),
        lambda sent: sent.replace(b"data: ", b"data:"),
        lambda sent: b"\xef\xbb\xbf: all\r\n" + sent.replace(b": {", b":{").replace(b"\n", b"\r\n"),
    ],
    ids=["CR LF", "byte order mark", "comments", "comments within", "no space", "all at once"],
)
def test_every_legal_form_of_the_stream_gives_the_same_bytes(
    changed: Callable[[bytes], bytes], chunk_bytes: int
) -> None:
    records = [b'{"a": 1}', b'{"text": ": no comment"}', b'{"text": "data:x \\r\\n"}']
    with Playback([Play(changed(stream(*records)), chunk_bytes=chunk_bytes)]) as server:
        batch = daily(server)
    assert (batch.payload, batch.records) == (b"\n".join(records) + b"\n", 3)


@pytest.mark.parametrize("body", [b"", b"\n\n", b": no sales today\r\n\r\n"])
def test_a_day_without_records_is_a_batch(body: bytes) -> None:
    with Playback([Play(body)]) as server:
        batch = daily(server)
        assert len(server.asked) == 1
    assert (batch.payload, batch.records) == (b"", 0)


BROKEN = {
    "cut in a record": (Play(THREE_DAYS[:-700]), "in the middle of a record"),
    "cut before the blank line": (Play(THREE_DAYS[:-1]), "in the middle of a record"),
    "no final chunk": (Play(THREE_DAYS, final_chunk=False), "RemoteProtocolError"),
    "an HTML page": (Play(b"<html></html>", content_type="text/html"), "an HTML page"),
    "HTML called text": (Play(b"\n<!DOCTYPE html>\n\n"), "an HTML page"),
    "an alien line": (Play(stream(b"{}") + b"event: x\n\n" + stream(b"{}")), "'data:'"),
    "an alien first line": (Play(b"hello\n\n" + stream(b"{}")), "not begin with a record"),
    "two lines in one": (Play(b"data: {}\ndata: {}\n\n"), "'data:'"),
    "an error": (Play(b'{"detail": "quota exceeded"}'), r"says \(quota exceeded\)"),
    "an error after records": (Play(stream(b"{}") + b'{"error": "out of memory"}'), "of memory"),
    "an empty record": (Play(stream(b"{}", b"", b"{}")), "a record of it is empty"),
}


@pytest.mark.parametrize(("play", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_stream_is_asked_for_again(play: Play, says: str) -> None:
    with Playback([play, Play(THREE_DAYS)]) as server:
        assert daily(server).records == 206
    with Playback([play]) as server:
        with pytest.raises(SourceError, match=says):
            daily(server)
        assert len(server.asked) == QUICK.attempts


def test_an_endless_stream_ends() -> None:
    with Playback([Play(THREE_DAYS * 10)]) as server:
        with pytest.raises(SourceError) as caught:
            daily(server, max_bytes=len(THREE_DAYS))
        assert len(server.asked) == 1
    assert caught.value.code == "answer_too_large"


def test_a_large_volume_makes_room_for_a_large_answer() -> None:
    async def ask(url: str) -> int:
        async with BNPLAPIClient(url, policy=QUICK, max_bytes=1) as client:
            batch = await client.get_daily_batch(FIRST, base_daily_volume=100, seed=1)
            return batch.records

    with Playback([Play(THREE_DAYS)]) as server:
        assert asyncio.run(ask(server.url)) == 206


def test_a_day_that_memory_can_not_hold_is_refused_before_asking() -> None:
    async def ask(url: str) -> list[DayBatch | DayFailure]:
        async with BNPLAPIClient(url, policy=QUICK) as client:
            asks = [DayAsk(FIRST, 10_000_000, 1)]
            return [item async for item in client.get_daily_batches(asks)]

    with Playback([Play(THREE_DAYS)]) as server:
        [failure] = asyncio.run(ask(server.url))
        assert server.asked == []
    assert isinstance(failure, DayFailure)
    assert "set BNPL_BASE_DAILY_VOLUME to at most" in failure.error.message


@pytest.mark.parametrize(
    ("volume", "lengths"),
    [(100, [365, 365, 1]), (1_000, [95] * 7 + [66]), (200_000, [1] * 731)],
)
def test_a_range_is_asked_for_in_pieces_that_fit_an_answer(volume: int, lengths: list[int]) -> None:
    two_years = Window.parse("2023-01-01", "2024-12-31")
    pieces = list(pieces_of_range(two_years, volume))
    assert [len(piece) for piece in pieces] == lengths
    assert [day for piece in pieces for day in piece] == list(two_years)


def test_each_piece_of_a_range_is_a_request_and_says_so() -> None:
    def script(asked: Asked) -> Play:
        stamp = asked.json["end_date"] + "T10:00:00"
        return Play(stream(json.dumps({"_timestamp": stamp}).encode()))

    last = FIRST + dt.timedelta(days=400)
    with Playback(script) as server:
        batches = ranged(server, FIRST, last)
        asked = [(a.json["start_date"], a.json["end_date"], a.json["seed"]) for a in server.asked]
    assert asked == [("2024-01-01", "2024-12-30", None), ("2024-12-31", "2025-02-04", None)]
    assert [b.book_date for b in batches] == list(Window(FIRST, last))
    full = {b.book_date.isoformat(): b.request["json"] for b in batches if b.records}
    assert {day: asked["end_date"] for day, asked in full.items()} == {
        "2024-12-30": "2024-12-30",
        "2025-02-04": "2025-02-04",
    }


def test_one_slow_day_does_not_hide_the_others_though_asked_one_at_a_time() -> None:
    policy = replace(QUICK, concurrency=1, attempt_timeout_seconds=2, total_timeout_seconds=2)

    def script(asked: Asked) -> Play:
        return Play(stream(b"{}"), drips=asked.json["start_date"] == "2024-01-01")

    async def ask(url: str) -> list[DayBatch | DayFailure]:
        async with BNPLAPIClient(url, policy=policy) as client:
            asks = [DayAsk(day, 1, 42) for day in (FIRST, SECOND, THIRD)]
            return [item async for item in client.get_daily_batches(asks)]

    with Playback(script) as server:
        slow, *others = asyncio.run(ask(server.url))
        assert server.most_at_once == 1
    assert isinstance(slow, DayFailure)
    assert slow.error.code == "source_too_slow"
    assert [item.records for item in others if isinstance(item, DayBatch)] == [1, 1]


def test_a_range_is_split_by_the_records_dates() -> None:
    with Playback([Play(THREE_DAYS)]) as server:
        batches = ranged(server, FIRST, THIRD)
        assert [asked.json["end_date"] for asked in server.asked] == ["2024-01-03"]
    assert [(batch.book_date, batch.records) for batch in batches] == [
        (FIRST, 16),
        (SECOND, 99),
        (THIRD, 91),
    ]
    assert b"".join(batch.payload for batch in batches).splitlines() == texts(THREE_DAYS)
    assert all(batch.request == request_for(FIRST, THIRD, 100, None) for batch in batches)


def test_records_of_a_range_keep_their_order_and_strays_have_a_place() -> None:
    def record(number: int, timestamp: str) -> bytes:
        return json.dumps({"n": number, "_timestamp": timestamp}).encode()

    sent = [
        record(0, "2024-01-03T00:00:01"),
        record(1, "2024-01-01T10:00:00"),
        record(2, "2023-06-01T10:00:00"),
        record(3, "2024-13-01T10:00:00"),
        record(4, "2031-01-01T10:00:00"),
        record(5, "2024-01-03T00:00:00"),
        b'{"n": 6}',
    ]
    with Playback([Play(stream(*sent))]) as server:
        batches = ranged(server, FIRST, THIRD)
    numbers = [[json.loads(line)["n"] for line in b.payload.splitlines()] for b in batches]
    assert numbers == [[1, 2, 3, 6], [], [0, 4, 5]]
    assert [batch.records for batch in batches] == [4, 0, 3]


def test_an_empty_range_has_empty_days_and_an_inverted_one_is_a_mistake() -> None:
    with Playback([Play()]) as server:
        batches = ranged(server, FIRST, SECOND)
        with pytest.raises(UsageError):
            ranged(server, SECOND, FIRST)
        assert len(server.asked) == 1
    assert [batch.payload for batch in batches] == [b"", b""]


def test_many_days_come_side_by_side_and_a_failed_one_is_only_itself() -> None:
    days = [FIRST + dt.timedelta(days=number) for number in range(12)]
    bad = {days[0].isoformat(), days[5].isoformat()}

    def script(asked: Asked) -> Play:
        day = asked.json["start_date"]
        body = THREE_DAYS[:-9] if day in bad else stream(json.dumps({"day": day}).encode())
        return Play(body, hang_seconds=0.01)

    async def ask(url: str) -> list[DayBatch | DayFailure]:
        async with BNPLAPIClient(url, policy=QUICK) as client:
            asks = (DayAsk(day, 100, 42) for day in days)
            return [item async for item in client.get_daily_batches(asks)]

    with Playback(script) as server:
        items = asyncio.run(ask(server.url))
        assert 2 <= server.most_at_once <= QUICK.concurrency
    batches = {item.book_date: item.payload for item in items if isinstance(item, DayBatch)}
    failures = {item.day.isoformat(): item.error for item in items if isinstance(item, DayFailure)}
    assert len(items) == 12
    assert failures.keys() == bad
    assert all("in the middle of a record" in error.message for error in failures.values())
    for day, payload in batches.items():
        assert json.loads(payload) == {"day": day.isoformat()}


def test_leaving_early_asks_for_no_more() -> None:
    async def ask(url: str) -> None:
        async with BNPLAPIClient(url, policy=HttpPolicy(concurrency=2)) as client:
            asks = (DayAsk(FIRST, 1, seed) for seed in range(100))
            async with aclosing(client.get_daily_batches(asks)) as items:
                async for _ in items:
                    break

    with Playback([Play()]) as server:
        asyncio.run(ask(server.url))
        assert len(server.asked) <= 4


def test_a_simtom_says_who_it_is() -> None:
    health = {"status": "healthy", "version": "0.1.0", "generators_available": 1}
    generator = {"name": "bnpl", "description": "", "config_schema": {}}
    assert connection(health, [generator]) == ServiceInfo("healthy", "0.1.0", ("bnpl",))
    with pytest.raises(SourceError, match=r"no generator 'bnpl' \(it has ecommerce\)"):
        connection(health, [generator | {"name": "ecommerce"}])
    with pytest.raises(SourceError, match="no simtom: check BNPL_API_URL"):
        connection({"hello": "world"}, [])
    with pytest.raises(SourceError, match="no simtom: check BNPL_API_URL"):
        connection([], [])
