"""Each log line is for who reads it: JSON with run and window for programs, words for people."""

import json
from pathlib import Path

import pytest
import structlog

from clearhouse.cli.logs import set_up_logs
from clearhouse.core.telemetry import run_context, timed
from clearhouse.settings import load_settings


def log_a_run(home: Path, log_format: str) -> None:
    set_up_logs(
        load_settings(_env_file=None, clearhouse_home=home, log_level="info", log_format=log_format)
    )
    log = structlog.get_logger()
    with run_context("5f", "2024-01-01..2024-01-07"):
        log.debug("too small to tell")
        with timed("step", step="extract"):
            log.warning("day held", day="2024-01-03")
    log.error("afterwards")


def test_a_program_gets_every_event_with_its_run_and_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_a_run(tmp_path, "json")
    told = capsys.readouterr()

    held, step, after = map(json.loads, told.err.splitlines())
    assert told.out == ""
    assert held.items() >= {
        "event": "day held", "level": "warning", "day": "2024-01-03", "run_id": "5f",
        "window": "2024-01-01..2024-01-07",
    }.items()  # fmt: skip
    assert held["timestamp"].endswith("Z")
    assert (step["event"], step["step"], step["run_id"]) == ("step", "extract", "5f")
    assert step["seconds"] >= 0
    assert "run_id" not in after


def test_a_person_gets_what_the_command_does_not_tell_anyway(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_a_run(tmp_path, "console")
    told = capsys.readouterr()

    step, after = told.err.splitlines()
    assert told.out == ""
    assert "extract" in step
    assert "5f" not in step
    assert "afterwards" in after
    assert "{" not in told.err
