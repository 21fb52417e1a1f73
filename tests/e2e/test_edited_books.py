"""The journal of the books as people meet it: its head, what edits it finds, an auditor's view."""

import ctypes
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from toy_home import DAYS, Toy

from clearhouse.books.journal import Head
from clearhouse.core.errors import ClearhouseError, UsageError

FIRST, SECOND, THIRD = DAYS
BOOKS = ("books", "--domain", "toy")
AS_AN_AUDITOR = """
from clearhouse.cli.commands import execute
from clearhouse.domains import DOMAINS
DOMAINS["toy"] = "toy.domain:TOY"
execute()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Two days of the toy, the first of which is closed."""
    toy = Toy(tmp_path_factory.mktemp("toy") / "home")
    assert toy.run(FIRST, SECOND).exit_code == 0
    assert toy.command("close", "toy", "--date", FIRST).exit_code == 0
    return toy


@pytest.fixture
def toy(home: Toy, tmp_path: Path) -> Iterator[Toy]:
    """The same, with the books put back to what they were at the end."""
    kept = tmp_path / "kept"
    copy_books(home.home / "clearhouse.db", kept)
    yield home
    copy_books(kept, home.home / "clearhouse.db")


def copy_books(from_: Path, to: Path) -> None:
    """The file alone would not do: other connections may be open."""
    with closing(sqlite3.connect(from_)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def edit(toy: Toy, statement: str) -> None:
    with closing(sqlite3.connect(toy.home / "clearhouse.db", isolation_level=None)) as books:
        assert books.execute(statement).rowcount == 1


def head_in(text: str) -> Head:
    (line,) = [line for line in text.splitlines() if line.startswith("Journal: ")]
    return Head.parse(line.removeprefix("Journal: "))


def test_a_run_prints_a_head_that_later_books_extend(toy: Toy) -> None:
    ran = toy.run(FIRST, SECOND)
    head = head_in(ran.stdout)

    checked = toy.command(*BOOKS, "--head", head)

    assert checked.exit_code == 0, checked.output
    assert head_in(checked.stdout).length > head.length
    whole = json.loads(toy.command(*BOOKS, "--json").stdout)
    assert Head.parse(whole["journal"]).length > head.length
    assert whole["findings"] == []
    other = toy.command(*BOOKS, "--head", f"{head.length}:{'ab' * 32}")
    assert other.exit_code == 4
    assert f"does not extend the one with the head {head.length}:abab" in other.stdout
    assert isinstance(toy.command(*BOOKS, "--head", "12:ab").exception, UsageError)


def test_a_closed_day_leaves_a_head_beside_its_certificate(toy: Toy) -> None:
    (line,) = (toy.home / "certificates" / "heads.txt").read_text().splitlines()
    head, domain, day = line.split()
    assert (domain, day) == ("toy", str(FIRST))
    assert toy.command(*BOOKS, "--head", head).exit_code == 0
    assert toy.command("close", "toy", "--date", FIRST).exit_code == 0
    assert toy.command("close", "toy", "--date", SECOND).exit_code == 0
    lines = (toy.home / "certificates" / "heads.txt").read_text().splitlines()
    assert [each.split()[2] for each in lines] == [str(FIRST), str(FIRST), str(SECOND)]
    (toy.home / "certificates" / "heads.txt").write_text(line + "\n")
    (toy.home / "certificates" / "toy" / f"{SECOND}.json").unlink()


def test_edited_books_are_found_and_nothing_is_sealed_on_them(toy: Toy) -> None:
    sealed = (toy.home / "certificates" / "toy" / f"{FIRST}.json").read_bytes()
    last = "(SELECT max(seq) FROM books_current)"
    edit(toy, f"UPDATE books_event SET status = 'nonsense' WHERE seq = {last}")

    found = toy.command(*BOOKS)

    assert found.exit_code == 4, found.exception
    assert "status is nonsense and was recorded as balanced" in found.stdout
    for day in (FIRST, SECOND):
        refused = toy.command("close", "toy", "--date", day).exception
        assert isinstance(refused, ClearhouseError)
        assert refused.code == "books_edited"
    assert (toy.home / "certificates" / "toy" / f"{FIRST}.json").read_bytes() == sealed
    assert not (toy.home / "certificates" / "toy" / f"{SECOND}.json").exists()


def test_the_history_says_when_and_by_which_run(toy: Toy) -> None:
    ran = json.loads(toy.command("run", "toy", "--from", FIRST, "--to", SECOND, "--json").stdout)
    toy.command(*BOOKS, "--to", FIRST)
    toy.command("verify", "toy", "--from", SECOND, "--to", SECOND)

    shown = toy.command(*BOOKS, "--history")
    data = json.loads(toy.command(*BOOKS, "--history", "--json").stdout)["toy"]

    first, second = data["days"][:2]
    assert (first["book_date"], second["book_date"]) == (str(FIRST), str(SECOND))
    assert set(first) == {"book_date", "landed", "balanced", "audited", "closed"}
    assert set(second) >= {"book_date", "landed", "balanced", "verified"}
    assert "closed" not in second
    assert second["verified"]["at"] >= second["landed"]["at"]
    assert first["landed"]["run_id"] == first["balanced"]["run_id"] != ran["run_id"]
    assert first["landed"]["at"] <= first["balanced"]["at"] <= first["closed"]["at"]
    assert data["landed"]["records"] >= 80
    assert data["audited_within_days"]["1"]["records"] in (40, data["landed"]["records"])
    assert data["verified_within_days"]["1"]["records"] == data["landed"]["records"] - 40
    assert re.search(rf"{FIRST} .*?{first['closed']['run_id']}", shown.stdout, re.DOTALL)
    for look in ("Audited", "Verified"):
        told = rf"{look} within 7 days of landing: [\d.]+ % of \d+ records, "
        assert re.search(told, shown.stdout)


def without_the_right_to_write() -> None:
    """Also for root, whom the bits of a file's mode would not stop."""
    if os.geteuid() == 0:
        drop_from_bounding_set, override_modes = 24, 1
        ctypes.CDLL(None).prctl(drop_from_bounding_set, override_modes, 0, 0, 0)


def test_an_auditor_needs_no_right_to_write(toy: Toy, tmp_path: Path) -> None:
    everything = [toy.home, *toy.home.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything if not path.is_symlink()}
    content = {path: path.read_bytes() for path in modes if path.is_file()}

    def audit(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", AS_AN_AUDITOR, *BOOKS, *args],
            preexec_fn=without_the_right_to_write,
            env={**os.environ, "CLEARHOUSE_HOME": str(toy.home), "COLUMNS": "200",
                 "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    try:
        for path, mode in modes.items():
            path.chmod(mode & ~0o222)
        audited, missing = audit(), audit("--head", f"1:{'ab' * 32}", "--to", "2024-01-01")
    finally:
        for path, mode in modes.items():
            path.chmod(mode)

    assert audited.returncode == 0, audited.stdout
    assert "This home can't be written: this audit is not kept in the books." in audited.stdout
    assert "balanced" in audited.stdout
    assert missing.returncode == 4
    assert {path: path.read_bytes() for path in toy.home.rglob("*") if path in content} == content
