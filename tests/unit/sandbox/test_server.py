"""The server over HTTP, and as a process: it starts, it answers, it ends."""

import datetime as dt
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import httpx
import pytest

from clearhouse.core.errors import UsageError
from clearhouse.sandbox.options import SandboxError, SandboxOptions
from clearhouse.sandbox.server import from_json, running, serve

BAD = dt.date(2024, 1, 3)
ASK = {"start_date": "2024-01-02", "end_date": "2024-01-04", "base_daily_volume": 400}
DEAD_WITHIN_SECONDS = 20


def answers(url):
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname, where.port), timeout=1).close()
    except OSError:
        return False
    return True


def read_into(got, url):
    with httpx.stream("POST", f"{url}/stream/bnpl", json=ASK) as answer:
        for chunk in answer.iter_bytes():
            got += chunk


def test_an_answer_is_chunked_and_ends_without_a_terminator(serving):
    url = serving(simtom=SandboxOptions())["simtom"]
    answer = httpx.post(f"{url}/stream/bnpl", json=ASK)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text.count("data: ") == 1_200
    assert answer.text.endswith('"_generator": "BNPLGenerator"}\n\n')


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("cut_stream", 400 + 200 + 1), ("unended_stream", 800), ("connection_drop", 0)],
)
def test_a_dropped_connection_is_an_error_however_far_it_came(serving, pull, kind, sent):
    url = serving(simtom=SandboxOptions(faults={BAD: (f"{kind}:2",)}))["simtom"]
    for _ in range(2):
        got = bytearray()
        with pytest.raises(httpx.RemoteProtocolError):
            read_into(got, url)
        assert got.count(b"data: ") == sent
        assert got.endswith(b"}\n\n") == (kind == "unended_stream")
    whole = httpx.post(f"{url}/stream/bnpl", json=ASK).text
    assert whole == pull("2024-01-02", "2024-01-04", base_daily_volume=400)
    assert whole.encode().startswith(bytes(got))


def test_a_truncated_stream_ends_in_mid_record_as_if_it_were_whole(serving, pull):
    url = serving(simtom=SandboxOptions(faults={BAD: ("truncated_stream",)}))["simtom"]
    first, second = (httpx.post(f"{url}/stream/bnpl", json=ASK) for _ in range(2))
    assert first.text.count("data: ") == 400 + 200 + 1
    assert not first.text.endswith("}\n\n")
    assert second.text == pull("2024-01-02", "2024-01-04", base_daily_volume=400)
    assert second.text.startswith(first.text)


def test_an_endless_stream_does_not_keep_the_server_alive(serving):
    url = serving(simtom=SandboxOptions())["simtom"]
    with httpx.stream("POST", f"{url}/stream/bnpl", json={}) as answer:
        assert next(answer.iter_bytes()).startswith(b"data: ")


def test_running_serves_as_long_as_the_context_lives(pull):
    options = SandboxOptions(
        seed=-3, faults={BAD: ("half_volume",)}, pause_seconds=0.01, slow_seconds=0.0, hostile=True
    )
    with running(options) as url:
        text = httpx.post(f"{url}/stream/bnpl", json=ASK).text
    assert not answers(url)
    assert text == pull("2024-01-02", "2024-01-04", base_daily_volume=400, options=options)


def test_the_message_of_a_child_that_did_not_start_is_shown():
    with (
        pytest.raises(SandboxError, match="'no_such' is not a fault"),
        running(SandboxOptions(faults={BAD: ("no_such",)})),
    ):
        pytest.fail("it started")


def test_a_child_that_does_not_answer_in_time_is_ended():
    with pytest.raises(SandboxError, match="within 0"), running(SandboxOptions(), 0.0):
        pytest.fail("it started")


def test_the_child_ends_when_its_parent_is_killed():
    program = (
        "import time\n"
        "from clearhouse.sandbox.options import SandboxOptions\n"
        "from clearhouse.sandbox.server import running\n"
        "with running(SandboxOptions()) as url:\n"
        "    print(url, flush=True)\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    url = parent.stdout.readline().strip()
    assert answers(url)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    gone = threading.Event()
    tries = DEAD_WITHIN_SECONDS * 10
    assert any(not answers(url) or gone.wait(0.1) for _ in range(tries))


def test_a_port_in_use_and_an_unknown_source_are_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="choose another port"):
            serve(SandboxOptions(), port=taken.getsockname()[1])
    with pytest.raises(UsageError, match="choose from simtom"):
        from_json(b'{"no_such": {}}')
