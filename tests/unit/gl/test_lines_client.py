"""The client of the ledger's service: an answer is whole, or it is refused with the reason."""

import asyncio
import datetime as dt

import httpx
import pytest

from clearhouse.core.errors import SourceError
from clearhouse.core.http import HttpPolicy
from clearhouse.gl.lines import connect
from clearhouse.gl.lines_client import LinesClient
from clearhouse.settings import load_settings

DAY = dt.date(2024, 1, 31)
KEY = "a-secret-key"
NDJSON = {"Content-Type": "application/x-ndjson"}


def asked(response: httpx.Response, *, follows: bool = False) -> bytes:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return response

    async def ask() -> bytes:
        transport = httpx.MockTransport(answer)
        policy = HttpPolicy(attempts=1)
        async with LinesClient("http://gl", KEY, policy=policy, transport=transport) as client:
            return await client.lines_of(DAY, follows=follows)

    try:
        return asyncio.run(ask())
    finally:
        (request,) = seen
        assert request.headers["X-API-Key"] == KEY
        assert str(request.url) == "http://gl/v1/lines/export?recorded_on=2024-01-31&format=ndjson"


def lines(content: bytes, count: str | None) -> httpx.Response:
    counted = {} if count is None else {"X-Record-Count": count}
    length = {"Content-Length": str(len(content))}
    return httpx.Response(200, content=content, headers={**NDJSON, **length, **counted})


def test_the_lines_of_a_day_are_given_as_they_came() -> None:
    assert asked(lines(b'{"a":1}\n{"a":2}\n', "2")) == b'{"a":1}\n{"a":2}\n'
    assert asked(lines(b"", "0")) == b""


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (lines(b'{"a":1}\n', "2"), "it says that it has 2 lines and has 1"),
        (lines(b"", "1"), "it says that it has 1 lines and has 0"),
        (lines(b'{"a":1}\n{"a"', "2"), "it ends within a line"),
        (lines(b'{"a":1}\n', None), "does not say how many lines"),
        (lines(b'{"a":1}\n', "one"), "does not say how many lines"),
        (httpx.Response(200, html="<p>sorry</p>"), "it is text/html"),
        (httpx.Response(401, json={"detail": "Send your key."}), "status 401 (Send your key.)"),
        (httpx.Response(403, json={"detail": "No scope read."}), "status 403 (No scope read.)"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused(response: httpx.Response, told: str) -> None:
    with pytest.raises(SourceError) as refused:
        asked(response)
    assert told in refused.value.message
    assert KEY not in refused.value.message


def test_a_day_that_is_still_recorded_on_is_followed_and_not_kept_as_a_whole_one() -> None:
    def answer(through: str) -> httpx.Response:
        response = lines(b'{"a":1}\n', "1")
        response.headers["X-Whole-Through"] = through
        return response

    with pytest.raises(SourceError, match="still records on 2024-01-31") as caught:
        asked(answer("2024-01-30"))
    assert caught.value.code == "day_not_over"
    assert asked(answer("2024-01-30"), follows=True) == b'{"a":1}\n'
    assert asked(answer("2024-01-31")) == b'{"a":1}\n'


def test_how_many_days_are_asked_for_at_once_is_not_that_of_another_domain() -> None:
    given = {"bnpl_concurrency": 1, "gl_api_url": "http://gl", "gl_api_key": KEY}
    with connect(load_settings(_env_file=None, **given), {}) as connection:
        assert connection.policy.concurrency == HttpPolicy().concurrency > 1
