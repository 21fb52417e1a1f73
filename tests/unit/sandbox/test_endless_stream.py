"""The endless stream, when a request does not hold both dates."""

import asyncio
import datetime as dt
import json

import httpx

from clearhouse.sandbox.simtom.app import create_app

START = "2024-01-01T23:59:58"


def live(**config):
    async def send():
        transport = httpx.ASGITransport(create_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://simtom") as client:
            return (await client.post("/stream/bnpl", json=config)).text

    text = asyncio.run(send())
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line]


def test_max_records_bounds_it_over_batches(monkeypatch):
    async def no_pause(_seconds):
        return

    monkeypatch.setattr("clearhouse.sandbox.simtom.content.anyio.sleep", no_pause)
    rows = live(max_records=1_050, rate_per_second=1_000, start_time=START)
    assert [r["_record_id"] for r in rows] == list(range(1_050))
    assert len({r["transaction_id"] for r in rows}) == 1_050


def test_times_go_on_from_the_start_at_the_rate_over_midnight():
    rows = live(max_records=5, rate_per_second=100, time_compression=100, start_time=START)
    first = dt.datetime.fromisoformat(START)
    assert [dt.datetime.fromisoformat(r["_timestamp"]) for r in rows] == [
        first + dt.timedelta(seconds=n) for n in range(5)
    ]


def test_one_date_alone_is_no_history():
    rows = live(start_date="2020-01-01", max_records=2, rate_per_second=1_000, start_time=START)
    assert {r["_timestamp"][:4] for r in rows} == {"2024"}


def test_the_same_request_gives_the_same_records():
    asked = {"max_records": 3, "rate_per_second": 1_000, "start_time": START}
    assert live(**asked) == live(**asked) != live(**asked, seed=7)


def test_it_ends_when_the_client_disconnects():
    """Straight through ASGI: the application returns, although the stream has no end."""
    sent = []
    disconnected = asyncio.Event()

    asked = iter([{"type": "http.request", "body": b'{"rate_per_second": 1000}'}])

    async def receive():
        for message in asked:
            return message
        await disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if len(sent) > 3:
            disconnected.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "POST",
        "path": "/stream/bnpl",
        "raw_path": b"/stream/bnpl",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    asyncio.run(asyncio.wait_for(create_app()(scope, receive, send), 20))
    assert b"data: " in sent[1]["body"]
