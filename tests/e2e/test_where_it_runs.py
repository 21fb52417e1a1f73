"""One run where much is hostile: the path of its home, the shell's variables, and its encoding.

Its source, its proxies and its webhook have secrets, one of its days is held and one request is
refused; what it said and wrote is then looked through.
"""

import datetime as dt
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import pytest
from cli_session import Answer, clearhouse, in_a_process

FIRST, SECOND = dt.date(2024, 1, 2), dt.date(2024, 1, 3)
DAYS = ("--from", str(FIRST), "--to", str(SECOND))
PASSWORD = "s3cret/w#rd?is%40"
ESCAPED = quote(PASSWORD, safe="")
HOSTILE = {
    "DBT_TARGET": "prod",
    "DBT_ENGINE_TARGET": "prod",
    "DBT_EMPTY": "true",
    "DBT_PROFILES_DIR": "/nowhere",
    "DBT_ENGINE_LOG_PATH": "/nowhere",
    "GX_HOME": "/nowhere",
    "GX_CLOUD_MODE": "true",
    "PYICEBERG_MAX_WORKERS": "none",
    "PYICEBERG_CATALOG__CLEARHOUSE__URI": "sqlite:////nowhere.db",
    "PYTHONIOENCODING": "ascii",
    "BNPL_SEED": "",
    "BNPL_BASE_DAILY_VOLUME": "150",
    "NO_PROXY": "127.0.0.1,localhost",
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://ann:{ESCAPED}@127.0.0.1"),
}


@dataclass
class Place:
    """A folder with a home in it, and all that commands said there."""

    folder: Path
    source: str
    said: list[Answer] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "hé@ llo" / "home"

    def run(self, *args: str, url: str = "", **variables: str) -> Answer:
        """A command in a process of its own, which meets all that is hostile here."""
        return self._noted(in_a_process(self.folder, *args, **self._variables(url, variables)))

    def ask(self, *args: str, url: str = "", **variables: str) -> Answer:
        """The same in this process: it came through its imports before."""
        return self._noted(clearhouse(self.folder, *args, **self._variables(url, variables)))

    def _noted(self, answer: Answer) -> Answer:
        self.said.append(answer)
        return answer

    def _variables(self, url: str, more: dict[str, str]) -> dict[str, str]:
        address = urlsplit(self.source)
        secret = f"http://ann:{PASSWORD}@{address.netloc}/#{ESCAPED}"
        hook = f"{self.source}/services/{ESCAPED}"
        return {
            **HOSTILE,
            "HOME": str(self.folder),
            "CLEARHOUSE_HOME": str(self.home),
            "BNPL_API_URL": url or secret,
            "SLACK_WEBHOOK_URL": hook,
            **more,
        }

    def files(self, home: Path) -> dict[str, bytes]:
        return {
            str(file.relative_to(home)): file.read_bytes()
            for file in home.rglob("*")
            if file.is_file()
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, simtom_with: Callable[..., str]) -> Place:
    """A run of two days, one of them held."""
    folder = tmp_path_factory.mktemp("place")
    (folder / ".pyiceberg.yaml").write_text("max-workers: none\n")
    place = Place(folder, simtom_with({SECOND: ("half_volume",)}))
    answer = place.run("run", "bnpl", *DAYS, "--json")
    assert answer.returncode == 3, answer.stderr
    return place


def test_all_of_it_is_under_the_home_and_readers_see_the_day(place: Place) -> None:
    assert {path.name for path in place.folder.iterdir()} == {".pyiceberg.yaml", "hé@ llo"}
    assert {path.name for path in place.home.parent.iterdir()} == {"home"}
    assert list((place.home / "bronze").rglob(f"_book_date={FIRST}/*.parquet"))
    steps = json.loads(place.said[0].stdout)["steps"]
    assert steps["publish_quality_metrics"]["done"] == [str(FIRST)]


def test_a_new_password_or_spelling_is_the_same_source(place: Place) -> None:
    port = urlsplit(place.source).port
    answer = place.run("step", "bnpl", "extract_daily_batch", "--date", str(FIRST), "--json",
                       url=f"http://bob:other@LOCALHOST:{port}/")  # fmt: skip

    assert answer.returncode == 0
    assert json.loads(answer.stdout)["steps"]["extract_daily_batch"]["skipped"] == [str(FIRST)]


def test_a_locked_catalog_is_named_as_what_it_is(place: Place) -> None:
    with sqlite3.connect(place.home / "catalog.db") as holder:
        holder.execute("BEGIN EXCLUSIVE")
        answer = place.run("books")
        holder.rollback()

    assert answer.returncode == 1
    told = answer.stderr.splitlines()[-1].replace("?", "é")
    assert f"{place.home / 'catalog.db'} is locked" in told


def test_a_copy_is_refused_until_it_is_rebuilt_and_never_touches_the_original(place: Place) -> None:
    copy = place.folder / "amount=1"  # a name like that of a partition
    shutil.copytree(place.home, copy)
    before = place.files(place.home)
    refused = place.ask("run", "bnpl", *DAYS, CLEARHOUSE_HOME=str(copy))
    rebuilt = place.ask("rebuild", "bnpl", CLEARHOUSE_HOME=str(copy))
    books = place.ask("books", CLEARHOUSE_HOME=str(copy))

    assert refused.returncode == 2
    assert "clearhouse rebuild" in refused.stderr
    assert (rebuilt.returncode, books.returncode) == (3, 3), rebuilt.stderr
    assert place.files(place.home) == before


def test_no_secret_is_on_disk_or_was_said(place: Place) -> None:
    """Last in the file: it looks through what all other tests made."""
    assert place.ask("settings").returncode == 0
    refusing = f"http://ann:{PASSWORD}@{urlsplit(place.source).netloc}/nowhere?key={ESCAPED}"
    february = ("--from", "2024-02-01", "--to", "2024-02-01")
    refused = place.run("run", "bnpl", *february, url=refusing, LOG_LEVEL="debug")
    unreached = place.ask("doctor", url=f"http://ann:{PASSWORD}@127.0.0.1:9")
    assert [refused.returncode, unreached.returncode] == [1, 1]
    forms = {"s3cret", PASSWORD, ESCAPED, unquote(PASSWORD), "w#rd", "w%23rd"}

    said = "".join(answer.stdout + answer.stderr for answer in place.said)
    assert "Traceback" not in said
    for form in forms:
        assert form not in said
        holders = [n for n, b in place.files(place.folder).items() if os.fsencode(form) in b]
        assert holders == []
