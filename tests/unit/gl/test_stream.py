"""The live stream: every client gets every line once, and one that does not read is dropped."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from clearhouse.gl.service import stream
from clearhouse.gl.service.shared import Shared
from clearhouse.gl.service.stream import SlowClientError, Tail


class Ids:
    """A store of which only ids are looked at."""

    def __init__(self) -> None:
        self.count = 0

    def last(self) -> int:
        return self.count

    def in_pieces(self, _of: Any, after: int, until: int, size: int) -> Iterator[pa.Table]:
        ids = range(after + 1, min(until, after + size) + 1)
        yield pa.table({"gl_entry_id": pa.array(ids, pa.int64())})


def numbers(table: pa.Table) -> bytes:
    return b"".join(b"%d\n" % each for each in table["gl_entry_id"].to_pylist())


def with_tail(work: Callable[[Ids, Tail], Awaitable[None]], start: int = 0) -> None:
    """Work with the tail of a store that holds so many lines already."""

    async def run() -> None:
        store = Ids()
        store.count = start
        tail = Tail(store, Shared(None, 0, "ledger"), start)  # type: ignore[arg-type]
        running = asyncio.create_task(tail.run())
        try:
            await asyncio.wait_for(work(store, tail), 20)
        finally:
            running.cancel()
            await asyncio.wait([running])

    asyncio.run(run())


async def add(store: Ids, tail: Tail, count: int) -> None:
    for _ in range(count):
        store.count += 1
        tail.wake()
        while tail._position < store.count:
            await asyncio.sleep(0)


async def heard(tail: Tail, after: int | None, until: int) -> list[int]:
    found: list[int] = []
    async with contextlib.aclosing(tail.follow(after, numbers)) as follows:
        async for part in follows:
            found += map(int, part.split())
            if found[-1] >= until:
                break
    return found


@pytest.mark.parametrize("after", [None, 0, 3, 5_000])
def test_who_resumes_gets_each_line_after_the_last_one_once(after: int | None) -> None:
    async def work(store: Ids, tail: Tail) -> None:
        clients = [asyncio.create_task(heard(tail, after, 5_050)) for _ in range(3)]
        await asyncio.sleep(0.01)
        await add(store, tail, 50)
        first = 5_000 if after is None else after
        for client in clients:
            assert await client == list(range(first + 1, 5_051))

    with_tail(work, start=5_000)


def test_a_client_that_does_not_read_is_dropped_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "_MOST_PIECES_WAITING", 8)

    async def work(store: Ids, tail: Tail) -> None:
        slow = tail.follow(None, numbers)
        first = asyncio.create_task(anext(slow))
        await asyncio.sleep(0.01)
        quick = asyncio.create_task(heard(tail, 0, 40))
        await asyncio.sleep(0.01)
        await add(store, tail, 1)
        assert await first == b"1\n"
        await add(store, tail, 39)
        assert await quick == list(range(1, 41))
        with pytest.raises(SlowClientError):
            await anext(slow)
        assert tail._clients == set()
        assert await heard(tail, 1, 40) == list(range(2, 41))  # it resumes

    with_tail(work)


def test_when_the_service_stops_streams_end() -> None:
    async def work(_store: Ids, tail: Tail) -> None:
        client = asyncio.create_task(heard(tail, None, 1))
        await asyncio.sleep(0.01)
        tail.close()
        assert await client == []

    with_tail(work)
