"""`clearhouse gl serve`: it starts with nothing set, and stops at once though it is followed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from stack.commands import free_port


def test_the_command_serves_and_stops_while_it_is_followed(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    home = tmp_path / "home"
    child = subprocess.Popen(
        [sys.executable, "-m", "clearhouse", "gl", "serve", "--port", port],
        env={
            **os.environ,
            "CLEARHOUSE_HOME": str(home),
            "HISTORICAL_DAYS": "1",
            "GL_SCALE": "0.01",
            "STREAMING_INTERVAL_SECONDS": "0.2",
        },
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    try:
        deadline = time.monotonic() + 90
        while not is_ready(url):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        key = (home / "gl_service_keys").read_text().splitlines()[1].partition(":")[0]
        client = httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30)
        with client.stream("GET", "/v1/lines/stream") as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith('{"line_id"')
            child.send_signal(signal.SIGTERM)
            assert all(line.endswith("}") for line in lines)  # to its end, which is whole
        assert child.wait(20) in (0, -signal.SIGTERM)
        assert child.stderr is not None
        said = child.stderr.read().decode()
        assert key not in said
        assert "Traceback" not in said
    finally:
        child.kill()
        child.wait()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False
