"""The server as a process: it starts, it answers, it ends."""

import datetime as dt
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from queue import Queue
from urllib.parse import urlsplit

import httpx
import pytest

from clearhouse.sandbox.__main__ import main
from clearhouse.sandbox.options import SandboxError, SandboxOptions
from clearhouse.sandbox.server import command, running, serve

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


@pytest.fixture
def serving():
    """Starts `serve` in a thread of this process; ended by closing the pipe it watches."""
    pipes = []

    def start(options):
        read, write = os.pipe()
        urls = Queue()
        server = threading.Thread(
            target=serve,
            args=(options,),
            kwargs={"on_ready": urls.put, "until": os.fdopen(read, "rb")},
        )
        pipes.append((write, server))
        server.start()
        return urls.get(timeout=30)

    yield start
    for write, server in pipes:
        os.close(write)
        server.join(timeout=30)
        assert not server.is_alive()


def test_an_answer_is_chunked_and_ends_without_a_terminator(serving):
    url = serving(SandboxOptions())
    answer = httpx.post(f"{url}/stream/bnpl", json=ASK)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text.count("data: ") == 1_200
    assert answer.text.endswith('"_generator": "BNPLGenerator"}\n\n')


def test_a_cut_stream_breaks_off_in_mid_record_and_then_is_whole(serving, pull):
    url = serving(SandboxOptions(faults={BAD: ("cut_stream:2",)}))
    for _ in range(2):
        got = bytearray()
        with pytest.raises(httpx.RemoteProtocolError):
            read_into(got, url)
        assert got.count(b"data: ") == 400 + 200 + 1  # the last one is cut
        assert not got.endswith(b"}\n\n")
    whole = httpx.post(f"{url}/stream/bnpl", json=ASK).text
    assert whole == pull("2024-01-02", "2024-01-04", base_daily_volume=400)
    assert whole.encode().startswith(bytes(got))


@pytest.mark.parametrize(("kind", "sent"), [("unended_stream", 800), ("cut_stream", 601)])
def test_a_dropped_connection_is_an_error_however_far_it_came(serving, kind, sent):
    url = serving(SandboxOptions(faults={BAD: (kind,)}))
    got = bytearray()
    with pytest.raises(httpx.RemoteProtocolError):
        read_into(got, url)
    assert got.count(b"data: ") == sent
    assert got.endswith(b"}\n\n") == (kind == "unended_stream")
    assert httpx.post(f"{url}/stream/bnpl", json=ASK).text.count("data: ") == 1_200


def test_a_truncated_stream_ends_in_mid_record_as_if_it_were_whole(serving, pull):
    url = serving(SandboxOptions(faults={BAD: ("truncated_stream",)}))
    first, second = (httpx.post(f"{url}/stream/bnpl", json=ASK) for _ in range(2))
    assert first.text.count("data: ") == 400 + 200 + 1
    assert not first.text.endswith("}\n\n")
    assert second.text == pull("2024-01-02", "2024-01-04", base_daily_volume=400)
    assert second.text.startswith(first.text)


def test_unavailable_asks_to_come_back_and_then_answers(serving):
    url = serving(SandboxOptions(faults={BAD: ("unavailable",)}, retry_after_seconds=3))
    first = httpx.post(f"{url}/stream/bnpl", json=ASK)
    assert (first.status_code, first.headers["retry-after"]) == (503, "3")
    assert httpx.post(f"{url}/stream/bnpl", json=ASK).status_code == 200


def test_running_serves_as_long_as_the_context_lives(pull):
    options = SandboxOptions(
        seed=-3, faults={BAD: ("half_volume",)}, pause_seconds=0.01, slow_seconds=0.0, hostile=True
    )
    with running(options) as url:
        text = httpx.post(f"{url}/stream/bnpl", json=ASK).text
    assert not answers(url)
    assert text == pull("2024-01-02", "2024-01-04", base_daily_volume=400, options=options)


def test_an_endless_stream_does_not_hold_it(pull):
    with running(SandboxOptions()) as url, httpx.stream("POST", f"{url}/stream/bnpl", json={}) as s:
        assert next(s.iter_bytes()).startswith(b"data: ")
    assert not answers(url)


def test_what_kept_it_from_starting_is_said():
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


def test_the_command_line_serves_until_its_input_ends(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    words = command(SandboxOptions(faults={BAD: ("cut_stream:2",)}))
    assert main(words[words.index("--until-stdin-ends") :]) == 0
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")


def test_the_command_line_says_what_is_wrong(capsys):
    assert main(["--fault", "2024-01-03=no_such"]) == 2
    assert "choose from" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "choose another port" in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "--fault DATE=KIND" in capsys.readouterr().out
