"""`serve payments`: the services under one supervisor, which leaves none of them behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from payment_services import is_ready, until

from clearhouse.sandbox.server import free_port


def children_of(pid: int) -> set[int]:
    """Processes whose parent this is."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for each in listed for child in each.read_text().split()}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_services_end_with_their_supervisor(tmp_path: Path, ending: signal.Signals) -> None:
    port, normalizer, worker = free_port(), free_port(), free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "clearhouse", "serve", "payments", "--sandbox"),
            *("--port", str(port), "--inference-port", str(free_port())),
            *("--normalizer-port", str(normalizer), "--worker-port", str(worker)),
        ],
        env={**os.environ, "CLEARHOUSE_HOME": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        for each in (port, normalizer, worker):
            until(lambda each=each: is_ready(f"http://127.0.0.1:{each}"))
        started = children_of(process.pid)
        assert len(started) == 5  # and the APIs of the providers
    finally:
        process.send_signal(ending)
        code = process.wait(60)
    until(lambda: not any(is_alive(pid) for pid in started))
    assert code == (0 if ending is signal.SIGTERM else -signal.SIGKILL)
