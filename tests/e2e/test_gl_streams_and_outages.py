"""Streams when there are too many of them, and when the store does not answer."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gl_service import Running, Time, options, serving

from clearhouse.gl.service import stream
from clearhouse.gl.service.reading import Lines


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Running]:
    with serving(options(tmp_path, Time(), days=5)) as running:
        yield running


@pytest.mark.parametrize("path", ["/v1/lines/stream", "/get-gl"])
def test_a_stream_too_many_is_refused_before_it_begins(
    service: Running, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_MOST_CLIENTS", 0)
    with service.reader.stream("GET", path) as answer:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        answer.read()
        assert answer.json()["code"] == "too_many_streams"


def test_the_original_s_stream_waits_for_the_store_alone(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = threading.Event(), threading.Event()

    def never(*_: object) -> int:
        asked.set()
        answers.wait(20)
        return 0

    def follow() -> None:
        with httpx.stream("GET", f"{service.url}/get-gl", timeout=60) as answer:
            next(answer.iter_bytes())

    for name in ("count", "count_results"):
        monkeypatch.setattr(Lines, name, never)
    client = threading.Thread(target=follow)
    client.start()
    try:
        assert asked.wait(20)
        assert httpx.get(f"{service.url}/health/live", timeout=5).status_code == 200
    finally:
        answers.set()
        client.join()
