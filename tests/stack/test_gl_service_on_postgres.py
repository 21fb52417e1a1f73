"""The general ledger's service on PostgreSQL: the same answers, several workers, and kills."""

import json
import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from gl_service import Running, Time, journal, options, serving

from clearhouse.core.urls import SecretUrl
from stack.commands import Stack
from stack.gl_processes import Process, processes
from stack.server import Server

Body = dict[str, Any]


@pytest.fixture(scope="module")
def on_postgres(server: Server) -> Iterator[Running]:
    store = SecretUrl.parse(server.database("gl_same"), ("postgresql",))
    with serving(options(store=store)) as running:
        yield running


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(options(tmp_path_factory.mktemp("gl"), Time())) as running:
        yield running


def export(client: httpx.Client) -> list[Body]:
    answer = client.get("/v1/lines/export").raise_for_status()
    lines = [json.loads(text) for text in answer.text.splitlines()]
    assert len(lines) == int(answer.headers["X-Record-Count"])
    return lines


def test_both_stores_give_the_same_answers(on_postgres: Running, on_sqlite: Running) -> None:
    bad = journal(approved_by="USER-902", lines=[])
    for service in (on_postgres, on_sqlite):
        assert service.post(journal(), "one").status_code == 201
        assert service.post(journal(), "one").status_code == 200
        assert service.post(bad, "bad").status_code == 422
        closed = service.closer.post("/v1/periods/2026-04/close", json={})
        assert closed.json()["status"] == "closed"
    for path in (
        "/v1/lines?limit=1000",
        "/v1/lines?sort=-posting_date&limit=7",
        "/v1/lines?account_code=4100&sort=account_code&limit=9",
        "/v1/lines/export?format=csv",
        "/v1/journals?fiscal_period=2026-05&limit=50",
        "/v1/trial-balance?fiscal_period=2026-05",
        "/v1/accounts/5100/balance?at=2026-04-20",
        "/v1/periods",
        "/v1/periods/2026-04",
        "/get-gl-batch?limit=20",
        "/get-gl?start_date=2026-04-10&end_date=2026-04-12",
    ):
        first, second = on_postgres.reader.get(path), on_sqlite.reader.get(path)
        assert (first.status_code, first.text) == (200, second.text), path


def test_pages_walk_through_postgres_in_any_order(on_postgres: Running) -> None:
    for sort in ("gl_entry_id", "-transaction_date", "account_code"):
        ids, cursor = [], {}
        while cursor is not None:
            asked = {"sort": sort, "limit": 50, **cursor}
            page = on_postgres.reader.get("/v1/lines", params=asked).raise_for_status().json()
            ids += [line["gl_entry_id"] for line in page["data"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        assert sorted(ids) == [line["gl_entry_id"] for line in export(on_postgres.reader)]


def post_all(workers: list[Process], count: int, name: str) -> list[int]:
    """Post through all workers at once; the statuses."""
    clients = [worker.client() for worker in workers]

    def post(number: int) -> int:
        headers = {"Idempotency-Key": f"{name}-{number}"}
        client = clients[number % len(clients)]
        return client.post("/v1/journals", json=journal(), headers=headers).status_code

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(post, range(count)))


def check(lines: list[Body]) -> None:
    """Ids increase, entries balance, and numbers have no gaps."""
    ids = [line["gl_entry_id"] for line in lines]
    assert ids == sorted(set(ids))
    assert len({line["line_id"] for line in lines}) == len(lines)
    sums: dict[str, int] = {}
    numbers: dict[str, set[int]] = {}
    for line in lines:
        cents = int(line["amount"].replace(".", ""))
        sums[line["journal_entry"]] = sums.get(line["journal_entry"], 0) + cents
        numbers.setdefault(line["fiscal_period"], set()).add(line["entry_number"])
    assert set(sums.values()) == {0}
    assert all(found == set(range(1, len(found) + 1)) for found in numbers.values())


def follow(worker: Process, count: int, found: list[Body]) -> None:
    with worker.client().stream("GET", "/v1/lines/stream", params={"after": 0}) as answer:
        for text in answer.iter_lines():
            found.append(json.loads(text))
            if len(found) >= count:
                return


def posted_and_followed(
    workers: list[Process], halfway: Callable[[], object] = lambda: None
) -> None:
    """Post through all workers while each is followed: all hear the same, and all there is."""
    wanted = len(export(workers[0].client())) + 200
    heard: list[list[Body]] = [[] for _ in workers]
    threads = [
        threading.Thread(target=follow, args=(worker, wanted, found))
        for worker, found in zip(workers, heard, strict=True)
    ]
    for thread in threads:
        thread.start()
    assert set(post_all(workers, 50, "before")) == {201}
    halfway()
    assert set(post_all(workers, 50, "after")) == {201}
    for thread in threads:
        thread.join(60)
    lines = export(workers[-1].client())
    assert all(found == lines[:wanted] for found in heard)
    check(lines)


def test_two_workers_serve_one_stream(server: Server) -> None:
    with processes(server.database("gl_two"), 2) as workers:
        posted_and_followed(workers)
        assert [worker.stop() for worker in workers] == [-signal.SIGTERM] * 2  # raised at its end


def test_two_workers_go_on_when_redis_is_killed(
    stack: Stack, server: Server, redis_url: str | None
) -> None:
    if redis_url is None:
        pytest.skip("this stack has no Redis")
    with processes(server.database("gl_two_with_redis"), 2, redis_url) as workers:
        posted_and_followed(workers, halfway=lambda: stack.kill("redis"))
    stack.up()


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_kills_lose_nothing_and_double_nothing(
    server: Server, tmp_path: Path, kind: str, every_write: bool
) -> None:
    on_server = kind == "postgresql"
    store = server.database("gl_killed") if on_server else f"sqlite:///{tmp_path}/gl.db"
    rng = random.Random(7)
    acknowledged: dict[str, str] = {}
    seen: dict[int, Body] = {}
    process = Process(store)
    ended = threading.Event()

    def post() -> None:
        client, number = process.client(), 0
        while not ended.is_set():
            key = f"kill-{number}"
            headers = {"Idempotency-Key": key}
            try:
                answer = client.post("/v1/journals", json=journal(), headers=headers)
            except httpx.TransportError:
                ended.wait(0.05)
                continue  # not known whether it was stored: asked again under the same key
            if answer.status_code in (200, 201):
                acknowledged[key] = answer.json()["journal_entry"]
                number += 1

    def listen() -> None:
        client = process.client("reader")
        while not ended.is_set():
            asked = {"after": max(seen, default=0)}
            try:
                with client.stream("GET", "/v1/lines/stream", params=asked, timeout=2) as answer:
                    for text in answer.iter_lines() if answer.status_code == 200 else ():
                        line = json.loads(text)
                        assert line["gl_entry_id"] not in seen
                        seen[line["gl_entry_id"]] = line
            except (httpx.TransportError, json.JSONDecodeError):
                ended.wait(0.05)

    threads = [threading.Thread(target=work) for work in (post, listen)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(30 if every_write else 4):
            if rng.random() < 0.8:
                process.wait()
            ended.wait(rng.uniform(0.2, 1.5))
            process.kill()
            process.start()
        process.wait()
        ended.wait(2)
        ended.set()
        for thread in threads:
            thread.join()
        process.kill()
        process.start()
        process.wait()
        lines = export(process.client("reader"))
    finally:
        ended.set()
        process.kill()
    check(lines)
    posted = [line["journal_entry"] for line in lines if line["created_by"] == "USER-902"]
    assert len(acknowledged) > 5
    assert set(acknowledged.values()) <= set(posted)
    assert len(set(posted)) <= len(acknowledged) + 1  # one whose answer nobody got
    assert len(posted) == 2 * len(set(posted))
    assert [seen[at] for at in sorted(seen)] == lines[: len(seen)]
