"""The general ledger on PostgreSQL: statements and findings are those of the embedded engine."""

import datetime as dt
from collections.abc import Iterator

import pytest
from gl_home import service

from stack.server import Server
from stack.two_engines import Home, TwoHomes

FIRST, HELD, EVE, NEW, LAST = (
    dt.date(2024, *day) for day in ((1, 29), (1, 30), (1, 31), (2, 1), (2, 5))
)
FAULTS = {HELD: ("unapproved",), NEW: ("duplicates", "duplicate_invoice")}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[TwoHomes]:
    """The end of a month with a day that is held, then late entries that mend it."""
    folder = tmp_path_factory.mktemp("gl")
    with service(FAULTS) as settings:
        homes = TwoHomes(
            Home(folder / "embedded", "gl", settings),
            Home(folder / "server", "gl", {**settings, "ENGINE_URL_GL": server.database("ledger")}),
        )
        for first, last, code in ((FIRST, EVE, 3), (NEW, LAST, 0)):
            ran = homes.both(lambda home, f=first, t=last: home.run(f, t))  # type: ignore[misc]
            assert [each.exit_code for each in ran] == [code, code], [e.output for e in ran]
        yield homes


def test_both_engines_hold_the_same(homes: TwoHomes) -> None:
    assert list(homes.differences()) == []
    embedded, server = homes.books()
    assert embedded == server


def test_the_same_entries_are_found_to_be_wrong(homes: TwoHomes) -> None:
    checked = homes.both(lambda home: home.command("gl", "check", "--json"))
    assert checked[0].stdout == checked[1].stdout
    for kind in ("unapproved", "duplicate_invoice"):
        assert f'"kind": "{kind}"' in checked[1].stdout


def test_verify_derives_the_same_from_landing(homes: TwoHomes) -> None:
    verified = homes.server.command("verify", "gl")
    assert (verified.exit_code, "0 differences" in verified.output) == (0, True), verified.output
