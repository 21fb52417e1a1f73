"""The service when streams are too many, and when its store or its feed does not work."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gl_service import Running, Time, options, serving

from clearhouse.gl.service import metrics, stream
from clearhouse.gl.service.reading import Lines
from clearhouse.gl.service.shared import Shared


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


def test_a_feed_that_fails_from_the_start_is_seen_by_when_it_should_have_begun(
    tmp_path: Path,
) -> None:
    metrics.LAST_RECORDED.set(0)
    with serving(options(tmp_path, Time(), days=5)) as service:
        shown = httpx.get(f"{service.url}/metrics").text
    found = re.search(r"^gl_last_recorded_timestamp_seconds (\S+)$", shown, re.MULTILINE)
    assert found
    assert float(found[1]) > 0


def test_a_service_whose_work_has_ended_by_a_defect_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks = threading.Event()

    async def listen(_shared: Shared, _woken: object) -> None:
        await asyncio.to_thread(breaks.wait)
        raise RuntimeError("a defect")

    monkeypatch.setattr(Shared, "listen", listen)
    with serving(options(tmp_path, Time(), days=5)) as service:
        breaks.set()
        deadline = time.monotonic() + 20
        while (answer := httpx.get(f"{service.url}/health/ready")).status_code == 200:
            assert time.monotonic() < deadline, "it is ready still"
            time.sleep(0.02)
        assert "defect" in answer.json()["detail"]
        assert httpx.get(f"{service.url}/health/live").status_code == 200
