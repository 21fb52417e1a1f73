"""A server that can't be used is said in one sentence, and two hosts don't run at once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cli_session import CLEARHOUSE, clearhouse, complaints
from databases import Databases, opened
from toy_home import DAY, Toy

from clearhouse.books import Books
from clearhouse.books.decisions import Decisions
from clearhouse.books.journal import Journal
from clearhouse.core.errors import ServerError, StoreError
from clearhouse.core.urls import SecretUrl
from clearhouse.store.postgres import only_run
from stack.server import USER, Server, running

WEEK = ("--from", "2024-01-01", "--to", "2024-01-07")
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def databases(server: Server) -> Databases:
    return server.databases


def url_of(text: str) -> SecretUrl:
    return SecretUrl.parse(text, ("postgresql",))


def changed(url: str, **parts: object) -> str:
    return sa.make_url(url).set(**parts).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"password": "wr0ng"}, "refuses the user or the password: correct DATABASE_URL."),
        ({"username": "wr0ng"}, "refuses the user or the password: correct DATABASE_URL."),
        ({"database": "none"}, "is not there: make the database and its user, or correct"),
        ({"port": 1}, "does not answer: see that its server runs, and run this again."),
        ({"host": "host.invalid"}, "does not answer: see that its server runs"),
    ],
)
@pytest.mark.parametrize("command", [("run", "retail", *WEEK), ("books",), ("quarantine", "list")])
def test_a_store_that_can_not_be_opened_is_said_in_one_sentence(
    tmp_path, server: Server, parts: dict[str, object], why: str, command: tuple[str, ...]
) -> None:
    url = changed(server.url, **parts)
    answer = clearhouse(tmp_path, *command, DATABASE_URL=url, CLEARHOUSE_HOME=str(tmp_path / "h"))
    (line,) = complaints(answer)
    assert line.startswith("server_failed: The store postgresql://")
    assert why in line
    assert answer.returncode == 1
    for secret in (server.password, USER, "wr0ng"):
        assert secret not in answer.stdout + answer.stderr


@pytest.mark.parametrize("setting", ["DATABASE_URL", "ENGINE_URL"])
def test_a_database_that_can_not_hold_every_text_is_refused(
    tmp_path, server: Server, setting: str
) -> None:
    url = server.database(
        "latin", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    try:
        answer = clearhouse(tmp_path, "run", "retail", *WEEK, **{setting: url})
    finally:
        server.databases.edit(server.url, "DROP DATABASE latin")
    (line,) = complaints(answer)
    assert "keeps texts in the encoding LATIN1: make a database with the encoding UTF8" in line
    assert answer.returncode == 1


def test_without_the_driver_the_extra_to_install_is_named(tmp_path, server: Server) -> None:
    program = "import sys; sys.modules['psycopg'] = None; import clearhouse.__main__"
    answer = subprocess.run(
        [sys.executable, "-c", f"{program}; clearhouse.__main__.main()", "books"],
        env={"DATABASE_URL": server.url, "CLEARHOUSE_HOME": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("driver_missing: ")
    assert "pip install 'clearhouse[postgres]'" in line


def test_two_hosts_do_not_run_a_domain_at_once(databases: Databases) -> None:
    url, told = url_of(databases.bare()), threading.Event()
    with only_run(url, "toy"):
        with only_run(url, "another"), only_run(url_of(databases.bare()), "toy"):
            pass  # neither other domains nor other books wait
        with pytest.raises(StoreError) as refused, only_run(url, "toy", wait_seconds=0.5):
            pass
        assert refused.value.code == "run_under_way"
        assert refused.value.message == (
            f"Another run of toy, here or on another host, is still at work on {url.public} "
            "after 0.5 s: wait for it to end."
        )
        waiting = threading.Thread(target=enter, args=(url, told.set))
        waiting.start()
        assert told.wait(30)
        assert waiting.is_alive()
    waiting.join(30)
    assert not waiting.is_alive()


def enter(url: SecretUrl, on_wait) -> None:
    with only_run(url, "toy", on_wait=on_wait):
        pass


def test_a_run_on_another_host_waits_for_one_that_is_killed_and_no_longer(
    tmp_path, databases: Databases
) -> None:
    url = databases.bare()
    opened(url).dispose()
    program = (
        "import sys, time; sys.path.append('tests')\n"
        "from stack.test_postgres_store import only_run, url_of\n"
        "with only_run(url_of(sys.argv[1]), 'toy'):\n    print('in', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, url], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        other.kill()
    with only_run(url_of(url), "toy", wait_seconds=10):
        pass


def test_who_has_lost_the_right_writes_nothing_more(databases: Databases) -> None:
    url = databases.bare()
    engine = opened(url)
    decisions, head = Decisions(engine), Journal(engine).head()
    ends = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    with only_run(url_of(url), "toy"):
        databases.edit(url, ends)
        with only_run(url_of(url), "another"):
            pass
        with pytest.raises(ServerError) as refused:
            decisions.release("entry", "gate", ["few"], "a holiday", "run-1")
    assert refused.value.code == "lock_lost"
    assert Journal(engine).head() == head
    decisions.release("entry", "gate", ["few"], "a holiday", "run-2")
    assert Journal(engine).head().length == head.length + 1


@pytest.fixture
def own_server() -> Iterator[Server]:
    with running() as started:
        yield started


def test_a_server_that_is_killed_in_a_run_costs_the_run_and_nothing_else(
    tmp_path, own_server: Server
) -> None:
    toy = Toy(tmp_path / "home", changed(own_server.url, query={"connect_timeout": "2"}))
    toy.open().engine.close()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("clearhouse.pipeline.bronze.load_days", lambda *_: own_server.kill())
        answer = toy.run(DAY)
    assert isinstance(answer.exception, ServerError), answer.exception
    own_server.start()
    assert toy.run(DAY).exit_code == 0
    assert toy.open().journal.check() == []
    assert toy.visible() == {DAY: 40}


def test_a_command_in_a_process_of_its_own_says_no_more(tmp_path, server: Server) -> None:
    url = changed(server.url, password="wr0ng")
    answer = subprocess.run(
        [*CLEARHOUSE, "books"],
        env={"DATABASE_URL": url, "CLEARHOUSE_HOME": str(tmp_path), "LOG_LEVEL": "debug"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert USER not in answer.stderr
    assert "wr0ng" not in answer.stderr


EDITS = {
    "UPDATE books_verdict SET passed = NOT passed": "books_verdict 1 (bnpl, silver → gold, "
    "2024-03-09) was edited: passed is 1 and was recorded as 0",
    "UPDATE books_verdict SET judged_at = 'infinity'": "was edited: judged_at is ",
    "UPDATE books_entry SET book_date = '2024-03-11' WHERE hop <> 'gold → readers'": "was edited: "
    "book_date is 2024-03-11 and was recorded as 2024-03-09",
    "UPDATE books_total SET value = 'NaN' WHERE side = 'in' AND measure = 'hash'": "was edited: "
    "value is NaN and was recorded as 0",
    "INSERT INTO books_finding SELECT 99, domain, hop, book_date, finding, run_id, found_at FROM "
    "books_finding": "books_finding 99 was never recorded: ",
}


@pytest.mark.parametrize("statement", EDITS)
def test_what_is_edited_behind_the_books_back_is_named(
    databases: Databases, everything: str, statement: str
) -> None:
    url = databases.copy(everything)
    databases.edit(url, statement)
    (line,) = Journal(opened(url)).check()
    assert EDITS[statement] in line


@pytest.fixture(scope="module")
def everything(server: Server) -> str:
    from test_journal import record_everything

    url = server.databases.bare()
    engine = opened(url)
    record_everything(engine)
    engine.dispose()
    return url


def test_how_a_server_writes_times_and_orders_texts_makes_no_difference(
    databases: Databases, everything: str
) -> None:
    url = databases.copy(everything)
    name = sa.make_url(url).database
    before = Books(opened(everything)).current("bnpl")
    settings = {"timezone": "Asia/Tokyo", "datestyle": "German", "client_encoding": "LATIN1"}
    databases.edit(url, *(f"ALTER DATABASE {name} SET {k} = '{v}'" for k, v in settings.items()))

    engine = opened(url)

    assert Journal(engine).check() == []
    assert Books(engine).current("bnpl") == before
