"""`serve payments`: the services under one supervisor, which leaves none of them behind."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_session import clearhouse
from payment_services import is_ready, settings_of, until

from clearhouse.payments.flow import measure
from clearhouse.payments.opening import opened
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


@dataclass(frozen=True)
class Served:
    """`serve payments --sandbox` that runs, and where its gateway and its loops are."""

    process: subprocess.Popen[bytes]
    ports: tuple[int, ...]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    def until_ready(self) -> None:
        for each in self.ports:
            until(lambda each=each: is_ready(f"http://127.0.0.1:{each}"))

    def end(self, ending: signal.Signals) -> int:
        self.process.send_signal(ending)
        return self.process.wait(60)


def serve(home: Path, *options: str) -> Served:
    port, normalizer, worker = free_port(), free_port(), free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "clearhouse", "serve", "payments", "--sandbox", *options),
            *("--port", str(port), "--inference-port", str(free_port())),
            *("--normalizer-port", str(normalizer), "--worker-port", str(worker)),
        ],
        env={**os.environ, "CLEARHOUSE_HOME": str(home)},
        stderr=(home / "said").open("wb"),
    )
    return Served(process, (port, normalizer, worker))


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_services_end_with_their_supervisor(tmp_path: Path, ending: signal.Signals) -> None:
    served = serve(tmp_path)
    try:
        served.until_ready()
        started = children_of(served.process.pid)
        assert len(started) == 5  # and the APIs of the providers
    finally:
        code = served.end(ending)
    until(lambda: not any(is_alive(pid) for pid in started))
    assert code == (0 if ending is signal.SIGTERM else -signal.SIGKILL)


def test_the_apis_beside_know_the_month_that_is_named(tmp_path: Path) -> None:
    month = ("--seed", "6", "--count", "300", "--today", "2026-11-01")
    home = {"CLEARHOUSE_HOME": str(tmp_path)}
    served = serve(tmp_path, *month)
    try:
        served.until_ready()
        sent = clearhouse(tmp_path, "payments", "simulate", "--to", served.url, *month, **home)
        assert sent.returncode == 0, sent.stderr
        with opened(settings_of(home)) as (log, store):
            until(lambda: measure(log, store.engine).is_settled)
        checked = clearhouse(tmp_path, "payments", "check", *month, **home)
        asked = dict(re.findall(r"(STRIPE_API_\w+)=(\S+)", (tmp_path / "said").read_text()))
        listed = clearhouse(tmp_path, "payments", "gaps", **home, **asked)
    finally:
        served.end(signal.SIGTERM)
    # Of another month, the APIs have no object that thin events name.
    assert checked.stdout.splitlines()[-1] == "All agree."
    assert listed.stdout.startswith("0 events of Stripe since "), listed.stderr
