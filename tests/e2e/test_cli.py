"""The command line as a person and a program use it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CLEARHOUSE = [sys.executable, "-m", "clearhouse"]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo of one day in it."""
    folder = tmp_path_factory.mktemp("cli")
    answer = clearhouse(folder, "demo", "--days", "1")
    assert answer.returncode == 0, answer.stderr
    (folder / "demo.txt").write_text(answer.stdout)
    return folder


def clearhouse(folder: Path, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("BNPL_", "CLEARHOUSE_"))}
    return subprocess.run(
        [*CLEARHOUSE, *args],
        cwd=folder,
        env={**clean, "COLUMNS": "200", **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def shell(folder: Path, command: str) -> str:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def books(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads(clearhouse(folder, "books", "--json").stdout))


def test_the_printed_one_liner_reproduces_the_printed_hash(home: Path) -> None:
    text = (home / "demo.txt").read_text()
    printed = re.search(r"has the hash (\d+)", text)
    (command,) = [line.strip() for line in text.splitlines() if "read_parquet" in line]

    assert printed
    assert shell(home, command).strip() == printed.group(1)


def test_books_as_json_balance_by_arithmetic(home: Path) -> None:
    entries = books(home)

    assert [e["status"] for e in entries] == ["balanced"] * 5
    for entry in entries[1:]:
        others = [totals for side, totals in entry["totals"].items() if side != "in"]
        for measure, value in entry["totals"]["in"].items():
            assert value == sum(totals.get(measure, 0) for totals in others)


def test_the_commands_of_a_certificate_give_its_figures(home: Path) -> None:
    closed = json.loads(clearhouse(home, "close", "bnpl", "--date", "2024-01-01", "--json").stdout)
    figures = {e["hop"]: e["totals"] for e in closed["certificate"]["hops"]}
    out = figures["landing → bronze"]["out"]

    for told in closed["commands"]:
        answer = shell(home, re.sub(r"^(\S*duckdb) ", r"\1 -noheader -list ", told["command"]))
        expected = {
            "landing: records": str(out["records"]),
            "landing: amount in cents": str(out["minor:USD"]),
        }.get(told["figure"], f"{out['records']}|{out['hash']}|{out['minor:USD']}")
        assert answer.strip() == expected
    assert (
        shell(home, "sha256sum .clearhouse/certificates/bnpl/*.json").split()[0] == closed["seal"]
    )


def test_a_stolen_row_ends_with_4_and_its_name(home: Path) -> None:
    answer = clearhouse(home, "demo", "--days", "1", "--steal", "1")

    assert answer.returncode == 4
    assert re.search(
        r"silver → gold, 2024-01-01: −1 record, −\d+\.\d\d USD: txn_\w+", answer.stdout
    )
    assert clearhouse(home, "books").returncode == 4
    assert clearhouse(home, "demo", "--days", "1").returncode == 0


def test_trace_shows_one_record_in_every_store(home: Path) -> None:
    (found,) = json.loads(clearhouse(home, "trace", "txn_20240101000007", "--json").stdout)

    raw = json.loads(found["raw"])
    amount = float(raw["amount"])
    assert raw["transaction_id"] == "txn_20240101000007"
    assert [float(found[s]["amount"]) for s in ("bronze", "silver")] == [amount, amount]
    assert float(found["gold"][0]["amount"]) == amount
    assert found["is_visible"]
    assert "txn_20240101000007" in clearhouse(home, "trace", "txn_20240101000007").stdout


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["run", "bnpl", "--from", "2024-13-01", "--to", "2024-01-02"], 2, "YYYY-MM-DD"),
        (["run", "bnpl", "--from", "2024-01-02", "--to", "2024-01-01"], 2, "swap the dates"),
        (["run", "nope", "--from", "2024-01-01", "--to", "2024-01-01"], 2, "There is no domain"),
        (["step", "bnpl", "nope", "--date", "2024-01-01"], 2, "extract_daily_batch"),
        (["release", "bnpl", "--date", "2024-01-01", "--reason", "x"], 2, "not held"),
        (["close", "bnpl", "--date", "2023-01-01"], 1, "nothing is entered"),
        (["trace", "nope"], 2, "No record"),
        (["quarantine", "show", "nope"], 2, "quarantine"),
        (["quarantine", "list"], 0, "empty"),
        (["demo", "--fault", "2024-01-01=nope"], 2, "nope"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_a_wrong_call_gets_one_sentence_and_its_code(
    home: Path, args: list[str], code: int, told: str
) -> None:
    answer = clearhouse(home, *args)

    assert answer.returncode == code, answer.stderr
    assert told in answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ENGINE_URL", "trino://host", "not supported by this version"),
        ("LANDING_URL", "nonsense", "not a URL"),
        ("BNPL_API_URL", "ftp://x", "http://"),
        ("BNPL_CONCURRENCY", "0", "BNPL_CONCURRENCY"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    answer = clearhouse(tmp_path, "settings", **{name: value})

    assert answer.returncode == 2
    assert told in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


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
