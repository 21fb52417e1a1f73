"""Lists of lines by date, account and well over HTTP: their first pages, and pages deep in them.

A list is walked on from a page, as one who scrolls does; no page is asked for twice. Beside the
service, the plain way over the same store (`benchmarks.parts.ledger_peer`) gives the same lines.
"""

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from benchmarks.jobs import BenchmarkError, Done, Job, Task
from benchmarks.parts.ledger_process import HEADERS, peer, service, store_of
from benchmarks.parts.served import Server

PAGE_LINES = 30
DEEP_PAGE = 10_000  # of the 10,600 or so that a year has
PAGES = 50
"""Of each list."""
_AT_ONCE = 4
_MOST_LINES = 1_000  # of a page, on the way to a deep one
_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class Walk:
    """A list, walked on from a page.

    Attributes:
        asked: its order and filter.
        page: the first that is asked for, from 1.
        pages: how many are.
    """

    asked: dict[str, str]
    page: int
    pages: int


class _Line(msgspec.Struct):
    line_id: str


class _Page(msgspec.Struct):
    data: list[_Line]
    next_cursor: str | None


_Bodies = list[bytes]
_T = TypeVar("_T")


def first(job: Job, stack: ExitStack) -> Task:
    """The first pages, from the service."""
    return _from_service(job, stack, is_deep=False)


def deep(job: Job, stack: ExitStack) -> Task:
    """Pages from DEEP_PAGE on, from the service."""
    return _from_service(job, stack, is_deep=True)


def orm_first(job: Job, stack: ExitStack) -> Task:
    """The first pages, the plain way."""
    return _plainly(job, stack, is_deep=False)


def orm_deep(job: Job, stack: ExitStack) -> Task:
    """Pages from DEEP_PAGE on, the plain way."""
    return _plainly(job, stack, is_deep=True)


def _from_service(job: Job, stack: ExitStack, *, is_deep: bool) -> Task:
    walks = _walks(store_of(job), is_deep)
    server = service(job, stack)
    before = _cursors(store_of(job), server, walks)

    def bodies(walk: Walk) -> _Bodies:
        cursor, found = before[str(walk)], []
        with closing(_connected(server)) as connection:
            for _ in range(walk.pages):
                found.append(_asked_for(connection, walk, PAGE_LINES, cursor))
                cursor = msgspec.json.decode(found[-1], type=_Page).next_cursor
        return found

    return _task(
        walks, bodies, lambda body: msgspec.json.decode(body, type=_Page).data, _where(is_deep)
    )


def _plainly(job: Job, stack: ExitStack, *, is_deep: bool) -> Task:
    walks = _walks(store_of(job), is_deep)
    server = peer(job, stack)

    def bodies(walk: Walk) -> _Bodies:
        with closing(_connected(server)) as connection:
            return [
                _get(connection, "/lines", {**walk.asked, "page": page, "limit": PAGE_LINES})
                for page in range(walk.page, walk.page + walk.pages)
            ]

    return _task(
        walks, bodies, lambda body: msgspec.json.decode(body, type=list[_Line]), _where(is_deep)
    )


def _walks(store: Path, is_deep: bool) -> list[Walk]:
    """By date, by account, and of the accounts and wells that have most lines.

    What has fewer pages than DEEP_PAGE is walked to its end.
    """
    with closing(sqlite3.connect(store)) as connection:
        ((all_lines,),) = connection.execute("SELECT count(*) FROM gl_line").fetchall()
        lists = [
            ({"sort": s}, all_lines) for s in ("transaction_date", "-posting_date", "account_code")
        ]
        for name in ("account_code", "well_id"):
            largest = connection.execute(
                f"SELECT {name}, count(*) FROM gl_line WHERE {name} IS NOT NULL "
                "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2"
            )
            lists += [({name: value}, lines) for value, lines in largest]
    walks = []
    for asked, lines in lists:
        full_pages = lines // PAGE_LINES
        pages = min(PAGES, full_pages)
        last_begin = full_pages - pages + 1
        walks.append(Walk(asked, min(DEEP_PAGE, last_begin) if is_deep else 1, pages))
    return walks


def _task(
    walks: Sequence[Walk],
    bodies: Callable[[Walk], _Bodies],
    lines: Callable[[bytes], list[_Line]],
    where: str,
) -> Task:
    found: list[bytes] = []

    def run() -> Done:
        found.extend(body for walked in _each(walks, bodies) for body in walked)
        return Done(len(found), sum(map(len, found)))

    def content() -> dict[str, str]:
        ids = ",".join(line.line_id for body in found for line in lines(body))
        return {f"lines of {where} pages": sha256(ids.encode()).hexdigest()}

    return Task(run, content)


def _where(is_deep: bool) -> str:
    return "deep" if is_deep else "first"


def _each(walks: Sequence[Walk], work: Callable[[Walk], _T]) -> list[_T]:
    """Some at once, in order."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(work, walks))


def _cursors(store: Path, server: Server, walks: Sequence[Walk]) -> dict[str, str | None]:
    """By walk: the cursor with which it begins. The way there is long, and gone once for all."""
    file = store.with_name("cursors.json")
    known = msgspec.json.decode(file.read_bytes()) if file.exists() else {}
    new = [walk for walk in walks if str(walk) not in known]
    found = _each(new, lambda walk: _cursor(server, walk))
    known.update(zip(map(str, new), found, strict=True))
    file.write_bytes(msgspec.json.encode(known))
    return known


def _cursor(server: Server, walk: Walk) -> str | None:
    """Of the page before that with which a walk begins: None for the list's beginning."""
    cursor, skipped = None, (walk.page - 1) * PAGE_LINES
    with closing(_connected(server)) as connection:
        while skipped:
            limit = min(skipped, _MOST_LINES)
            body = _asked_for(connection, walk, limit, cursor)
            cursor, skipped = msgspec.json.decode(body, type=_Page).next_cursor, skipped - limit
    return cursor


def _asked_for(connection: HTTPConnection, walk: Walk, limit: int, cursor: str | None) -> bytes:
    following = {"cursor": cursor} if cursor else {}
    return _get(connection, "/v1/lines", {**walk.asked, "limit": limit, **following})


def _connected(server: Server) -> HTTPConnection:
    return HTTPConnection(server.host, server.port, timeout=_TIMEOUT_SECONDS)


def _get(connection: HTTPConnection, path: str, asked: dict[str, object]) -> bytes:
    connection.request("GET", f"{path}?{urlencode(asked)}", headers=HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise BenchmarkError(f"{path} answers {answer.status}: {body[:300]!r}")
    return body
