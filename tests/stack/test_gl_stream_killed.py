"""The general ledger from its workers to the books: workers, ingester and server are killed.

Workers serve one ledger, journals are posted, and the day is followed. When it is over, it is
pulled whole: the books then have each line of the ledger once, and each journal that was accepted.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from gl_service import KEYS, NOW, journal

from clearhouse.gl.service.service import utc_now
from stack.gl_processes import Process, processes
from stack.server import Server

SEED = 20260512
DAY_SECONDS = 86_400
DAY = f"{NOW:%Y-%m-%d}"
DONE, FAILED = 0, 1
Answer = dict[str, Any]


class Ingester:
    """Runs commands against the first worker; its stores are on the server."""

    def __init__(self, folder: Path, server: Server, url: str) -> None:
        self._log = folder / "log"
        self._database = server.database("gl_books")
        self._variables = {
            "CLEARHOUSE_HOME": str(folder / "home"),
            "GL_API_URL": url,
            "GL_API_KEY": KEYS["reader"],
            "ENGINE_URL": self._database,
            "DATABASE_URL": self._database,
        }
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("gl_ingester.py")), self._database],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str, seconds_to_live: float | None = None) -> Answer:
        """The code that a command ends with, or the signal by which it was killed."""
        assert self._process.stdin
        assert self._process.stdout
        order = {"arguments": arguments, "variables": self._variables, "log": str(self._log)}
        life = {"seconds_to_live": seconds_to_live} if seconds_to_live else {}
        self._process.stdin.write(json.dumps(order | life) + "\n")
        self._process.stdin.flush()
        answer: Answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    def follow(self, seconds_to_live: float | None = None) -> Answer:
        """`step gl ingest_gl_stream` of the day."""
        step = ("step", "gl", "ingest_gl_stream", "--date", DAY)
        return self.command(*step, seconds_to_live=seconds_to_live)

    @property
    def said(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


class Poster:
    """Posts journals through all workers, each under its key until it is accepted."""

    def __init__(self, workers: list[Process]) -> None:
        self.accepted: dict[str, str] = {}
        self._clients = [worker.client() for worker in workers]
        self._ended = threading.Event()

    def run(self) -> None:
        number = turn = 0
        while not self._ended.wait(0.05):
            headers = {"Idempotency-Key": f"streamed-{number}"}
            client, turn = self._clients[turn % len(self._clients)], turn + 1
            try:
                answer = client.post("/v1/journals", json=journal(), headers=headers)
            except httpx.TransportError:
                continue  # not known whether it was stored
            assert answer.status_code in (200, 201, 503), answer.text
            if answer.status_code != 503:
                self.accepted[f"streamed-{number}"] = answer.json()["journal_entry"]
                number += 1

    @contextmanager
    def posting(self) -> Iterator[None]:
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(self.run)
            try:
                yield
            finally:
                self._ended.set()
            work.result()


def kill(kind: str, chance: random.Random, workers: list[Process], server: Server) -> None:
    """SIGKILL to a worker or the server, which is started again."""
    if kind == "postgres":
        server.kill()
        server.start()
        return
    worker = chance.choice(workers)
    worker.kill()
    worker.start()


def follow(ingester: Ingester, ended: threading.Event, killed: Counter[str]) -> None:
    """Follow the day again and again; every other time it is killed, unless it is done before."""
    chance = random.Random(SEED + 1)
    for number in itertools.count():
        if ended.is_set():
            return
        answer = ingester.follow(None if number % 2 else chance.uniform(0.2, 6))
        killed["ingester"] += answer == {"signal": 9}
        assert answer == {"signal": 9} or answer["exit_code"] in (DONE, FAILED), ingester.said


def follow_while_killing(
    count: int, ingester: Ingester, workers: list[Process], server: Server
) -> None:
    """Follow the day while one or the other is killed, each at least once."""
    print(f"seed {SEED}")
    chance, killed, ended = random.Random(SEED), Counter[str](), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow, ingester, ended, killed)
        try:
            while killed.total() < count or set(+killed) != {"ingester", "worker", "postgres"}:
                ended.wait(chance.uniform(0.2, 4))
                assert not following.done(), following.result()
                kind = chance.choice(("worker", "postgres"))
                kill(kind, chance, workers, server)
                killed[kind] += 1
        finally:
            ended.set()
        following.result()
    print(f"killed {dict(killed)}")


def test_whatever_is_killed_the_books_have_each_line_of_the_ledger_once(
    tmp_path: Path, server: Server, redis_url: str | None, every_write: bool
) -> None:
    today = (NOW - utc_now()).total_seconds()
    with processes(server.database("gl_followed"), 2, redis_url, today) as workers:
        ingester, poster = Ingester(tmp_path, server, workers[0].url), Poster(workers)
        with poster.posting():
            follow_while_killing(30 if every_write else 4, ingester, workers, server)
        for worker in workers:
            worker.wait()
        early = ingester.command("step", "gl", "ingest_gl", "--date", DAY)
        for worker in workers:
            worker.kill()
            worker.ahead = today + DAY_SECONDS
            worker.start()
            worker.wait()
        for command in (f"run gl --from {DAY} --to {DAY}", "books --domain gl", "gl check"):
            assert ingester.command(*command.split()) == {"exit_code": DONE}, ingester.said
        asked = {"recorded_on": DAY}
        recorded = workers[1].client("reader").get("/v1/lines/export", params=asked)
        ingester.end()
    assert early == {"exit_code": FAILED}, ingester.said
    assert f"still records on {DAY}" in ingester.said
    ledger = sorted(
        (line["line_id"], line["amount"]) for line in map(json.loads, recorded.text.splitlines())
    )
    assert len(ledger) == int(recorded.headers["X-Record-Count"])
    with server.connected("gl_books") as connection:
        read = connection.execute(
            "SELECT line_id, amount, journal_entry, created_by FROM marts.journal_lines "
            f"WHERE _book_date = '{DAY}' ORDER BY line_id"
        ).fetchall()
    assert [(name, f"{amount:.2f}") for name, amount, _, _ in read] == ledger
    assert sum(amount for _, amount, _, _ in read) == 0
    posted = Counter(entry for _, _, entry, by in read if by == "USER-902")
    assert set(posted.values()) == {2}
    assert len(set(poster.accepted.values())) == len(poster.accepted) > 5
    assert set(poster.accepted.values()) <= set(posted)
    assert len(posted) <= len(poster.accepted) + 1  # one whose answer nobody got
