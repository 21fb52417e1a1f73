"""Settings, `doctor`, the log, and what is said when a place can't be used."""

import json
import re
from pathlib import Path

import pytest
import structlog
from cli_session import clearhouse, complaints

from clearhouse.cli.logs import not_told_twice, told_shortly
from clearhouse.cli.progress import seconds_left


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ENGINE_URL", "trino://host", "not supported"),
        ("LANDING_URL", "nonsense", "not a URL"),
        ("BNPL_API_URL", "ftp://x", "http://"),
        ("BNPL_CONCURRENCY", "0", "BNPL_CONCURRENCY"),
        ("REDIS_URL", "http://x", "redis://"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    answer = clearhouse(tmp_path, "settings", **{name: value})

    assert answer.returncode == 2
    (sentence,) = complaints(answer)
    assert told in sentence


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        ("demo", "CLEARHOUSE_HOME", "a_file"),
        ("books", "CLEARHOUSE_HOME", "a_file/below"),
        ("quarantine redrive --date 2024-01-01", "DATABASE_URL", "sqlite:///{here}/a_file/b.db"),
        ("trace x", "ENGINE_URL", "duckdb:///{here}"),
    ],
)
def test_a_place_that_cannot_be_used_is_named_with_its_setting(
    tmp_path: Path, command: str, name: str, value: str
) -> None:
    (tmp_path / "a_file").touch()
    answer = clearhouse(tmp_path, *command.split(), **{name: value.format(here=tmp_path)})
    (told,) = complaints(answer)

    assert answer.returncode == 2
    assert told.startswith(f"bad_settings: {name}: ")


@pytest.mark.parametrize(
    "command",
    [
        "trace \udcff",
        "quarantine show \udcff",
        "release bnpl --date 2024-01-01 --reason \udcff",
        f"quarantine list --limit {10**20}",
        f"demo bnpl --days 1 --steal {10**20}",
    ],
)
def test_what_no_store_can_be_asked_is_a_wrong_argument(tmp_path: Path, command: str) -> None:
    answer = clearhouse(tmp_path, *command.split(" "))

    assert answer.returncode == 2
    assert not (tmp_path / ".clearhouse").exists()


def test_a_store_that_is_no_database_ends_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "books.db").write_text("no database " * 99)
    answer = clearhouse(tmp_path, "books", DATABASE_URL=f"sqlite:///{tmp_path}/books.db")

    assert answer.returncode == 1
    assert "not a database" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_settings_never_show_a_secret(tmp_path: Path) -> None:
    secrets = {
        "SLACK_WEBHOOK_URL": "https://hooks.example/services/T0/B0/s3cret",
        "BNPL_API_URL": "https://user:s3cret@simtom.example/?token=s3cret",
    }
    answer = clearhouse(tmp_path, "settings", "--json", **secrets)

    assert answer.returncode == 0
    assert "s3cret" not in answer.stdout


def test_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    well = clearhouse(tmp_path, "doctor", "--json")
    ill = clearhouse(tmp_path, "doctor", BNPL_API_URL="http://127.0.0.1:9")

    assert well.returncode == 0
    assert all(check["ok"] for check in json.loads(well.stdout))
    assert ill.returncode == 1
    assert "simtom" in ill.stdout


def test_doctor_names_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "a_file").touch()
    answer = clearhouse(tmp_path, "doctor", "--json", CLEARHOUSE_HOME="a_file")
    checks = {check["check"]: check for check in json.loads(answer.stdout)}

    assert answer.returncode == 1
    assert not checks["home"]["ok"]
    assert checks["home"]["detail"].startswith("CLEARHOUSE_HOME: ")
    assert checks["project files"]["ok"]


@pytest.mark.parametrize("columns", ["80", "200"])
def test_settings_are_whole_at_every_width(tmp_path: Path, columns: str) -> None:
    told = clearhouse(tmp_path, "settings", COLUMNS=columns).stdout
    values = json.loads(clearhouse(tmp_path, "settings", "--json").stdout)

    assert [name for name in values if not re.search(rf"^{name}\b", told, re.MULTILINE)] == []
    assert str(tmp_path / ".clearhouse" / "warehouse" / "{domain}.duckdb") in told


def test_a_log_line_in_a_terminal_is_short_and_repeats_nothing() -> None:
    retry = {
        "event": "stamina.retry_scheduled", "caused_by": "ConnectError('refused')",
        "wait_for": 1.294, "level": "warning", "run_id": "5f", "args": (),
    }  # fmt: skip
    other = {"event": "alert not delivered", "status_code": 500, "run_id": "5f", "window": "w"}

    assert told_shortly(None, "warning", retry) == {
        "level": "warning", "event": "ConnectError('refused'): trying again in 1.3 s"
    }  # fmt: skip
    assert told_shortly(None, "error", other) == {
        "event": "alert not delivered",
        "status_code": 500,
    }
    with pytest.raises(structlog.DropEvent):
        not_told_twice(None, "error", {"event": "day_stopped"})


@pytest.mark.parametrize(
    ("done", "days", "seconds", "left"),
    [(0, 10, 60.0, None), (5, 10, 1.0, None), (5, 10, 20.0, 20.0), (10, 10, 20.0, None)],
)
def test_the_rest_is_reckoned_from_the_pace_so_far(
    done: int, days: int, seconds: float, left: float | None
) -> None:
    assert seconds_left(done, days, seconds) == left
