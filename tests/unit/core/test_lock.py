"""One run at a time in a home; the right to it is never left behind."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clearhouse.core.errors import StoreError
from clearhouse.core.lock import only_run

HOLDER = """
import sys
from pathlib import Path
from clearhouse.core.lock import only_run
with only_run(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_holder_is_gone_even_by_a_kill(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there yet"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreError, match="wait for it to end") as refused,
            only_run(home, wait_seconds=0),
        ):
            pytest.fail("two runs at once")
        with only_run(home, "another"):
            pass
        assert refused.value.code == "run_under_way"
        assert str(home) in refused.value.message
        with only_run(tmp_path / "another"):
            pass
        holder.kill()
        holder.wait()

    with only_run(home):
        pass


def test_a_run_that_fails_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_run(tmp_path):
        raise ZeroDivisionError
    with only_run(tmp_path):
        pass


def test_it_waits_for_another_run_and_says_so(tmp_path: Path) -> None:
    waits = threading.Event()

    def hold(held: threading.Event) -> None:
        with only_run(tmp_path):
            held.set()
            waits.wait(30)

    held = threading.Event()
    holder = threading.Thread(target=hold, args=(held,), daemon=True)
    holder.start()
    assert held.wait(10)
    with only_run(tmp_path, on_wait=waits.set):
        holder.join(10)
    assert waits.is_set()


def test_a_run_within_a_run_is_refused_and_does_not_wait_for_itself(tmp_path: Path) -> None:
    with only_run(tmp_path), pytest.raises(RuntimeError, match="itself"), only_run(tmp_path):
        pytest.fail("two runs at once")
