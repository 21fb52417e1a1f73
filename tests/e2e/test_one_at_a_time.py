"""Every command that changes a home waits for the run that is at work there."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from toy_home import DAY, Toy

from clearhouse.cli import waiting
from clearhouse.core.errors import StoreError
from clearhouse.core.lock import only_run

DATE = ("--date", DAY)
WHY = ("--reason", "as agreed")


@pytest.mark.parametrize(
    "command",
    [
        ("run", "toy", "--from", DAY, "--to", DAY),
        ("demo", "toy", "--days", 1),
        ("step", "toy", "publish_quality_metrics", *DATE),
        ("release", "toy", *DATE, *WHY),
        ("close", "toy", *DATE),
        ("reopen", "toy", *DATE, *WHY),
        ("rollback", "toy", "--to", 1, *WHY),
        ("quarantine", "redrive", "--domain", "toy", *DATE),
        ("rebuild", "toy"),
        ("verify", "toy"),
    ],
    ids=lambda command: command[0] if command[0] != "quarantine" else "redrive",
)
def test_a_command_takes_the_lock_of_its_domain(
    command: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "only_run", partial(only_run, wait_seconds=0))
    toy = Toy(tmp_path)

    with only_run(tmp_path, "toy"), ThreadPoolExecutor(1) as another:
        answer = another.submit(toy.command, *command).result()

    assert isinstance(answer.exception, StoreError), answer.output
    assert answer.exception.code == "run_under_way"
