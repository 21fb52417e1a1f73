"""The command line as a person and a program use it."""

import contextlib
import datetime as dt
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cli_session import CLEARHOUSE, clearhouse

from clearhouse.bnpl.domain import BNPL
from clearhouse.bnpl.source import SIMTOM
from clearhouse.cli.commands import execute
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.pipeline.pull import close_landing
from clearhouse.pipeline.trace import trace
from clearhouse.settings import load_settings

BIN = Path(sys.executable).parent
FIRST, SECOND = dt.date(2024, 1, 1), dt.date(2024, 1, 2)
REASON = "The shop [was] down until noon"
TYPED = " The shop [was]\ndown until noon"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo of one day in it."""
    folder = tmp_path_factory.mktemp("cli")
    answer = clearhouse(folder, "demo", "bnpl", "--days", "1")
    assert answer.returncode == 0, answer.stderr
    (folder / "demo.txt").write_text(answer.stdout)
    return folder


@dataclass
class SecondDay:
    """A day of half the volume, with a few more lines, that was held and then released.

    Attributes:
        said: what each command on the way to its publication answered.
        books_while_held: what `books` answered before it was released.
        corrected: an id whose second version arrived on the same day.
        repeated: an id of the first day that arrived again with the same bytes.
        restated: an id of the first day that arrived again with another amount.
    """

    home: Path
    said: list[subprocess.CompletedProcess[str]] = field(default_factory=list)
    books_while_held: subprocess.CompletedProcess[str] | None = None
    corrected: str = ""
    repeated: str = ""
    restated: str = ""

    def open(self) -> Run:
        settings = load_settings(_env_file=None, clearhouse_home=self.home / ".clearhouse")
        return open_run(BNPL, settings)


@pytest.fixture(scope="module")
def second_day(home: Path) -> SecondDay:
    found = SecondDay(home)
    pull = ["step", "bnpl", "extract_daily_batch", "--date", str(SECOND)]
    assert clearhouse(home, *pull, "--fault", f"{SECOND}=half_volume").returncode == 0
    land_more(found)
    found.said.append(clearhouse(home, "quarantine", "redrive", "--date", str(SECOND)))
    found.books_while_held = clearhouse(home, "books", "--from", str(SECOND))
    while found.said[-1].returncode == 3 and len(found.said) < 4:
        found.said.append(clearhouse(home, *told_release(found.said[-1].stderr)))
    assert found.said[-1].returncode == 0, found.said[-1]
    return found


def land_more(day: SecondDay) -> None:
    """Land a correction, a repeated and a restated line of the first day, and two broken ones."""
    bnpl = day.open()
    first, second = (
        [json.loads(line) for line in bnpl.landing.read(landed).splitlines()[:9]]
        for (landed,) in (bnpl.landing.objects(SIMTOM, d) for d in (FIRST, SECOND))
    )
    (landed,) = bnpl.landing.objects(SIMTOM, FIRST)
    repeated = bnpl.landing.read(landed).splitlines()[3]
    lines = [
        json.dumps({**second[1], "amount": second[1]["amount"] + 1}).encode(),
        repeated,
        json.dumps({**first[5], "amount": first[5]["amount"] + 1}).encode(),
        json.dumps({**second[2], "transaction_id": "txn_broken", "amount": 7.125}).encode(),
        json.dumps({**second[3], "installment_count": 6.5}).encode(),
    ]
    bnpl.landing.put(SIMTOM, SECOND, b"\n".join(lines) + b"\n", {"by": "hand"})
    close_landing(bnpl, bnpl.dataset(), SIMTOM, [SECOND])
    bnpl.engine.close()
    day.corrected, day.repeated, day.restated = (
        row["transaction_id"] for row in (second[1], first[3], first[5])
    )


def told_release(answer: str) -> list[str]:
    """The arguments of the release command that an answer tells, with our reason as we type it."""
    (line,) = [line for line in answer.splitlines() if " release " in line]
    return [TYPED if arg == "…" else arg for arg in shlex.split(line)[1:]]


def shell(folder: Path, command: str) -> str:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.fixture(scope="module")
def entries(second_day: SecondDay) -> list[dict[str, Any]]:
    """What the books say as JSON once the second day is published."""
    answer = clearhouse(second_day.home, "books", "--domain", "bnpl", "--json").stdout
    return list(json.loads(answer)["entries"])


def test_the_printed_one_liner_reproduces_the_printed_hash(home: Path) -> None:
    text = (home / "demo.txt").read_text()
    printed = re.search(r"has the hash (\d+)", text)
    (command,) = [line.strip() for line in text.splitlines() if "read_parquet" in line]

    assert printed
    assert shell(home, command).strip() == printed.group(1)


def test_books_as_json_balance_by_arithmetic(entries: list[dict[str, Any]]) -> None:
    assert [e["status"] for e in entries] == ["balanced"] * 10
    for entry in (e for e in entries if "in" in e["totals"]):
        others = [totals for side, totals in entry["totals"].items() if side != "in"]
        for measure, value in entry["totals"]["in"].items():
            assert value == sum(totals.get(measure, 0) for totals in others)


def test_the_commands_of_a_certificate_give_its_figures(home: Path) -> None:
    told_to_people = clearhouse(home, "close", "bnpl", "--date", "2024-01-01").stdout
    closed = json.loads(clearhouse(home, "close", "bnpl", "--date", "2024-01-01", "--json").stdout)
    certified = {e["hop"]: e["totals"] for e in closed["certificate"]["hops"]}

    assert closed["seal"] in told_to_people
    assert [told["figure"] for told in closed["commands"]] == [
        "landing → bronze: in",
        "landing → bronze: out",
        "silver → gold: out",
    ]
    for told in closed["commands"]:
        assert told["command"] in told_to_people
        hop, _, side = told["figure"].partition(": ")
        lines = shell(home, told["command"]).split()[1:]
        found = {measure: int(value) for measure, value in (line.split("|") for line in lines)}
        assert {"hash": certified[hop][side]["hash"], **found} == certified[hop][side]
    assert (
        shell(home, "sha256sum .clearhouse/certificates/bnpl/*.json").split()[0] == closed["seal"]
    )
    reopened = clearhouse(home, "reopen", "bnpl", "--date", "2024-01-01", "--reason", "x", "--json")
    assert json.loads(reopened.stdout) == [{"book_date": "2024-01-01", "seal": closed["seal"]}]


def test_a_closed_day_is_pulled_again_only_when_it_is_reopened(home: Path) -> None:
    day = ["bnpl", "--date", str(FIRST)]
    assert clearhouse(home, "close", *day).returncode == 0
    refused = clearhouse(home, "step", "bnpl", "extract_daily_batch", *day[1:], "--refresh")
    reopened = clearhouse(home, "reopen", *day, "--reason", "The lender sent it again")
    again = clearhouse(home, "reopen", *day, "--reason", "x")

    assert refused.returncode == 1
    assert f"clearhouse reopen bnpl --date {FIRST}" in refused.stderr
    assert reopened.returncode == 0, reopened.stderr
    assert f"{FIRST}: open again" in reopened.stdout
    assert len(list(home.glob(f".clearhouse/certificates/bnpl/reopened/{FIRST}-*.json"))) == 1
    assert (again.returncode, "is not closed" in again.stderr) == (1, True)


def test_a_stolen_row_ends_with_4_and_its_name(home: Path) -> None:
    answer = clearhouse(home, "demo", "--days", "1", "--webhooks", "1000", "--steal", "1")

    assert answer.returncode == 4
    assert re.search(
        r"silver → gold, 2024-01-01: −1 record, −\d+\.\d\d USD: txn_\w+", answer.stdout
    )
    assert clearhouse(home, "books").returncode == 4
    assert clearhouse(home, "demo", "bnpl", "--days", "1").returncode == 0


def test_the_hinted_trace_shows_one_record_in_every_store(home: Path) -> None:
    (hinted,) = re.findall(r"clearhouse trace (txn_\w+)", (home / "demo.txt").read_text())
    (found,) = json.loads(clearhouse(home, "trace", hinted, "--json").stdout)

    raw = json.loads(found["raw"])
    amount = float(raw["amount"])
    assert raw["transaction_id"] == hinted
    assert [float(found[s]["amount"]) for s in ("bronze", "silver")] == [amount, amount]
    assert float(found["gold"][0]["amount"]) == amount
    assert found["is_visible"]


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["run", "bnpl", "--from", "2024-13-01", "--to", "2024-01-02"], 2, "YYYY-MM-DD"),
        (["run", "bnpl", "--from", "2024-01-02", "--to", "2024-01-01"], 2, "swap the dates"),
        (["run", "nope", "--from", "2024-01-01", "--to", "2024-01-01"], 2, "There is no domain"),
        (["step", "bnpl", "nope", "--date", "2024-01-01"], 2, "extract_daily_batch"),
        (["release", "bnpl", "--date", "2024-01-01", "--reason", "x"], 1, "not held"),
        (["release", "bnpl", "--date", "2024-01-01", "--reason", " "], 2, "needs a reason"),
        (["books", "--from", "2024-01-02", "--to", "2024-01-01"], 2, "swap the dates"),
        (["books", "--from", "2030-01-01"], 0, "no entries from 2030-01-01"),
        (["books", "--to", "2020-01-01"], 0, "the books hold"),
        (["quarantine", "redrive"], 2, "--date, or --id with --set"),
        (["quarantine", "redrive", "--id", "x", "--set", "y"], 2, "NAME=VALUE"),
        (["close", "bnpl", "--date", "2023-01-01"], 1, "nothing is entered"),
        (["close", "bnpl", "--date", "2999-12-31"], 1, "is not over"),
        (["trace", "nope"], 2, "No record"),
        (["quarantine", "show", "nope"], 2, "quarantine"),
        (["quarantine", "list", "--date", "2024-01-01"], 0, "empty"),
        (["demo", "--fault", "2024-01-01=nope"], 2, "nope"),
        (["sandbox", "serve", "--fault", "2024-01-01=nope"], 2, "nope"),
        (["sandbox", "serve", "--volume", "nope"], 2, "asked or formula"),
        (["sandbox", "serve", "retailer_9"], 2, "choose from simtom, retailer_1"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_a_wrong_call_gets_one_sentence_and_its_code(
    home: Path,
    args: list[str],
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, by what the `clearhouse` command calls: a process each takes long."""
    monkeypatch.chdir(home)
    for name in [name for name in os.environ if name.startswith(("BNPL_", "CLEARHOUSE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["clearhouse", *args])

    with pytest.raises(SystemExit) as ended:
        execute()

    answer = "".join(capsys.readouterr())
    assert ended.value.code == code, answer
    assert told in answer
    assert "Traceback" not in answer


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_books_fit_a_terminal(second_day: SecondDay, columns: str) -> None:
    answer = clearhouse(second_day.home, "books", "--domain", "bnpl", COLUMNS=columns)
    tables = [line for line in answer.stdout.splitlines() if "→" in line and "released" not in line]
    heads = [line.split() for line in answer.stdout.splitlines() if " hop " in f" {line} "]

    assert len(tables) == 10 + 5 - 1
    assert max(map(len, tables)) <= int(columns)
    assert heads[1] == ["hop", "in", "out", "dup.", "sup.", "rej.", "amount", "out", "apart"]
    digits = re.findall(r"\d{6,}…?", "\n".join(tables[:5]))
    assert {len(d) for d in digits} == ({7} if columns == "80" else {22})


def test_a_held_day_tells_the_command_that_releases_it(second_day: SecondDay) -> None:
    held, *_, last = second_day.said

    assert re.search(rf"{SECOND} held by \w+: net_rows: \S+ is less than the \S+ exp", held.stderr)
    assert told_release(held.stderr)[1:4] == ["bnpl", "--date", str(SECOND)]
    refresh = held.stderr.index(f"run bnpl --from {SECOND} --to {SECOND} --refresh")
    assert refresh < held.stderr.index("release bnpl")
    assert f"{SECOND} is released" in last.stdout


def test_the_books_say_why_a_day_is_held(second_day: SecondDay) -> None:
    answer = second_day.books_while_held

    assert answer is not None
    assert answer.returncode == 3
    assert f"{SECOND}, landing → bronze: held by raw_schema_gate: net_rows: " in answer.stdout
    assert told_release(answer.stdout) == told_release(second_day.said[0].stderr)


def test_the_reason_of_a_release_is_shown(
    second_day: SecondDay, entries: list[dict[str, Any]]
) -> None:
    entry_of = {(e["book_date"], e["hop"]): e for e in entries}
    of_the_day = ("books", "--domain", "bnpl", "--from", str(SECOND))
    told = clearhouse(second_day.home, *of_the_day).stdout

    released = entry_of[str(SECOND), "landing → bronze"]["released"]
    assert released == {"raw_schema_gate": REASON}
    assert "released" not in entry_of[str(FIRST), "landing → bronze"]
    assert f"{SECOND}, landing → bronze: released past raw_schema_gate: {REASON}" in told


def test_trace_says_why_readers_do_not_see_a_version(second_day: SecondDay) -> None:
    bnpl = second_day.open()

    for wanted in (second_day.corrected, second_day.restated):
        older, newer = trace(bnpl, wanted)
        assert (older.is_visible, newer.is_visible) == (False, True)
        assert older.superseded_by == {"record_id": newer.record_id, "book_date": str(SECOND)}
    first, again = trace(bnpl, second_day.repeated)
    assert (first.is_visible, again.is_visible) == (True, False)
    assert (again.hidden_because, again.first_arrived_on) == ("duplicate", FIRST)
    assert again.entries[1]["released"] == {"raw_schema_gate": REASON}


def test_trace_lists_entries_in_the_order_of_the_hops(home: Path) -> None:
    pull = ["step", "bnpl", "extract_daily_batch", "--date", str(FIRST), "--refresh"]
    pulled = clearhouse(home, *pull)
    assert pulled.returncode == 0  # the first hop is now the last one entered
    assert "Traceback" not in pulled.stderr
    run = SecondDay(home).open()
    (found,) = trace(run, "txn_20240101000007")

    run.engine.close()
    hops = [entry["hop"].split()[0] for entry in found.entries]
    assert hops == ["source", "landing", "bronze", "silver", "gold"]


def test_trace_is_told_in_words(second_day: SecondDay) -> None:
    corrected = clearhouse(second_day.home, "trace", second_day.corrected).stdout
    repeated = clearhouse(second_day.home, "trace", second_day.repeated).stdout

    newer = re.findall(r"record (\w{32}) ─", corrected)[1]
    assert f"superseded by record {newer}, which arrived on {SECOND}" in corrected
    assert f"landing → bronze: released past raw_schema_gate: {REASON}" in corrected
    assert f"not visible: the same bytes had arrived on {FIRST}" in repeated


def test_quarantine_is_listed_shown_and_mended(second_day: SecondDay) -> None:
    home = second_day.home
    listed = clearhouse(home, "quarantine", "list", COLUMNS="80").stdout
    rows = json.loads(clearhouse(home, "quarantine", "list", "--json").stdout)
    broken = next(row for row in rows if row["record_key"].endswith("txn_broken"))
    shown = clearhouse(home, "quarantine", "show", "txn_broken").stdout
    traced = clearhouse(home, "trace", "txn_broken").stdout
    mend = ["quarantine", "redrive", "--id", broken["record_id"], "--set"]
    worse = clearhouse(home, *mend, "amount=7.126")
    mended = clearhouse(home, *mend, "amount=7.13")

    assert [row["record_id"] in listed for row in rows] == [True, True]
    assert max(map(len, listed.splitlines())) <= 80
    assert "7.125 is not an exact amount" in shown
    assert "amount: money_malformed: 7.125 is not" in traced
    assert "6.5 is not a whole number" in json.dumps(rows)
    assert worse.returncode == 2
    assert f"landed as a later version of {SECOND}" in mended.stdout
    assert f"{SECOND}: 2 rows were in quarantine, 2 are now." in mended.stdout


def test_in_a_terminal_a_bar_is_shown_and_no_json(home: Path) -> None:
    """A terminal is what `pty` gives: standard error is one, and so is standard output."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("BNPL_", "CLEARHOUSE_"))}
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*CLEARHOUSE, "step", "bnpl", "validate_raw_schema", "--date", str(FIRST)],
        cwd=home, env={**clean, "COLUMNS": "80", "TERM": "xterm"},
        stdin=follower, stdout=follower, stderr=follower,
    ) as process:  # fmt: skip
        os.close(follower)
        told = b""
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(leader, 65_536):
                told += part
        os.close(leader)

    assert process.returncode == 0
    assert re.search(r"validate_raw_schema .*1 day .*1 (unchanged|done)", told.decode())
    assert "{" not in told.decode()
