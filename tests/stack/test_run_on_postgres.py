"""A whole life of the toy with its books on a server comes to what it comes to with a file."""

import datetime as dt
import json
import os
import re
from typing import Any

import pytest
import sqlalchemy as sa
from databases import opened
from toy_home import DAYS, Toy

from clearhouse.books.schema import journal_table
from stack.server import Server

UNREADABLE, NEGATIVE, HEALTHY = DAYS
HELD = 3


def live(toy: Toy) -> None:
    """A day with rejected tickets, one that is held, and a healthy one; all is made good."""
    faults = [f"{UNREADABLE}=unreadable", f"{NEGATIVE}=negative"]
    options = [part for fault in faults for part in ("--fault", fault)]
    ran = toy.command("run", "toy", "--from", DAYS[0], "--to", DAYS[-1], *options)
    assert ran.exit_code == HELD, (ran.exception, ran.stderr)
    done(toy, "release", "toy", "--date", NEGATIVE, "--reason", "refunds")
    (first, *_) = answered(toy, "quarantine", "list", "--domain", "toy")
    ticket = ["--id", first["record_id"], "--set", "price=4.50", "--domain", "toy"]
    done(toy, "quarantine", "redrive", *ticket)
    done(toy, "rollback", "toy", "--to", 1, "--reason", "a trial")
    again = toy.run(*DAYS)
    assert again.exit_code == 0, (again.exception, again.output)
    for day in DAYS:
        done(toy, "close", "toy", "--date", day)
    done(toy, "reopen", "toy", "--date", HEALTHY, "--reason", "a wrong rate")
    done(toy, "close", "toy", "--date", HEALTHY)
    done(toy, "verify", "toy", "--from", DAYS[0], "--to", DAYS[-1])
    done(toy, "books", "--domain", "toy")


def done(toy: Toy, *command: object) -> str:
    answer = toy.command(*command)
    assert answer.exit_code == 0, (command, answer.exception, answer.output)
    return answer.stdout


def answered(toy: Toy, *command: object) -> Any:
    return json.loads(done(toy, *command, "--json"))


def told(toy: Toy) -> dict[str, Any]:
    """What the books say, but for times and what follows from them."""
    run = toy.open()
    books = run.books.current("toy")
    history = answered(toy, "books", "--domain", "toy", "--history")
    return {
        "entries": [(e.key, e.entry_id, e.status, e.totals, e.digests) for e in books],
        "events": [
            [(e.status, e.totals) for e in run.books.history("toy", hop.name, day)]
            for hop in run.hops
            for day in DAYS
        ],
        "certificates": list(run.certificates.closed("toy").values()),
        "reopened": run.certificates.reopened("toy"),
        "decisions": run.decisions.of_many([entry.entry_id for entry in books]),
        "published": run.publications.pointers("toy.tickets"),
        "publications": [(p.cause, p.reason, p.changes) for p in run.publications.history("toy")],
        "quarantined": run.quarantine.of_days("toy.tickets"),
        "journal": kinds_of(run.journal.engine),
        "edited": run.journal.check(),
        "history": re.sub(r'"(at|run_id)": "[^"]+"', "", json.dumps(history)),
    }


def kinds_of(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        ordered = sa.select(journal_table.c.kind).order_by(journal_table.c.seq)
        return list(connection.scalars(ordered))


@pytest.fixture(scope="module")
def on_server(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    toy = Toy(tmp_path_factory.mktemp("server") / "home", server.databases.bare())
    live(toy)
    return toy


def test_a_domain_lives_as_it_does_with_its_books_in_a_file(
    on_server: Toy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    in_file = Toy(tmp_path_factory.mktemp("file") / "home")
    live(in_file)
    should, is_ = told(in_file), told(on_server)
    assert not (on_server.home / "clearhouse.db").exists()
    for what, value in should.items():
        assert is_[what] == value, what
    assert should["edited"] == []
    assert len(should["certificates"]) == len(DAYS)
    assert (on_server.visible(), on_server.read("FROM marts.mart_toy_takings ORDER BY ALL")) == (
        in_file.visible(), in_file.read("FROM marts.mart_toy_takings ORDER BY ALL"),
    )  # fmt: skip


def test_figures_of_rejected_rows_are_asked_of_the_server_without_naming_a_secret(
    on_server: Toy, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = answered(on_server, "close", "toy", "--date", UNREADABLE)
    commands = {c["figure"]: c["command"] for c in closed["commands"]}
    (figure,) = [name for name in commands if name.endswith("rejected")]
    monkeypatch.setenv("DATABASE_URL", on_server.database_url)
    (hop,) = [h for h in closed["certificate"]["hops"] if f"{h['hop']}: rejected" == figure]
    figures = on_server.figures(commands[figure])
    assert figures["records"] == int(hop["totals"]["rejected"]["records"]) > 0
    assert server.password not in json.dumps(closed)


def test_nothing_that_is_kept_or_said_holds_the_password(on_server: Toy, server: Server) -> None:
    said = done(on_server, "settings") + done(on_server, "doctor")
    assert f"postgresql://***@127.0.0.1:{server.port}/" in said
    assert server.password not in said
    for folder, _, names in os.walk(on_server.home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:  # noqa: PTH118, PTH123
                assert server.password.encode() not in file.read(), (folder, name)
    with opened(on_server.database_url).connect() as connection:
        for name in sa.inspect(connection).get_table_names():
            rows = connection.exec_driver_sql(f"SELECT * FROM {name}").all()
            assert server.password not in str(rows), name


def test_an_auditor_without_rights_to_the_home_or_the_books_sees_that_they_hold(
    on_server: Toy, server: Server
) -> None:
    from toy.domain import TOY

    from clearhouse.pipeline.close import audit_days
    from clearhouse.pipeline.opening import opened_to_read
    from clearhouse.settings import load_settings

    name = sa.make_url(on_server.database_url).database
    url = server.analyst_of(str(name))
    settings = load_settings(_env_file=None, clearhouse_home=on_server.home, database_url=url)
    head = on_server.open().journal.head()
    with opened_to_read(TOY, settings) as run:
        assert audit_days(run, DAYS).findings == ()
    assert on_server.open().journal.head() == head


def test_a_time_is_told_as_it_is_in_utc(on_server: Toy) -> None:
    run = on_server.open()
    at = run.publications.history("toy")[-1].made_at
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    assert dt.timedelta(0) < now - at < dt.timedelta(minutes=30)
