"""What is built on PostgreSQL is what is built on the embedded engine; readers are safe there."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from retail_home import retailers, settings_of, with_faults

from clearhouse.core.errors import ServerError, StoreError
from clearhouse.engines.postgres.connection import only_run
from stack.server import Server
from stack.two_engines import Home, TwoHomes

MONDAY = dt.date(2024, 1, 8)
DAYS = [MONDAY + dt.timedelta(days=n) for n in range(4)]
SMALL = {"BNPL_PATTERN": "source", "BNPL_BASE_DAILY_VOLUME": "150"}
FAULTS = {
    "bnpl": (("corrected", "duplicates"), "negative_amounts", ("late", "restated")),
    "retail": (("corrected", "duplicates"), "wrong_totals", ("late", "restated")),
}
READERS = {"bnpl": "marts.mart_bnpl_transactions", "retail": "marts.fact_sales"}


@pytest.fixture(scope="module")
def shops() -> Iterator[dict[str, str]]:
    """Settings of three retailers that stay up, with the faults of their days."""
    repeated, held, later = FAULTS["retail"]
    faults = {DAYS[1]: repeated, DAYS[2]: (held,), DAYS[3]: later}
    with retailers(with_faults(faults)) as urls:
        yield settings_of(urls)


@pytest.fixture(scope="module", params=["retail", "bnpl"])
def homes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    server: Server,
) -> TwoHomes:
    """Days with corrections and duplicates, one that is held, and one that changes earlier ones."""
    domain = request.param
    folder = tmp_path_factory.mktemp(domain)
    settings = SMALL if domain == "bnpl" else request.getfixturevalue("shops")
    url = server.database(domain)
    homes = TwoHomes(
        Home(folder / "embedded", domain, settings),
        Home(folder / "server", domain, {**settings, "ENGINE_URL": url}),
    )
    repeated, held, later = FAULTS[domain]
    asked = domain == "bnpl"  # the retailers' faults are in the retailers
    faults = [f"{DAYS[1]}={kind}" for kind in repeated] + [f"{DAYS[2]}={held}"]
    some = faults if asked else []
    codes = [r.exit_code for r in homes.both(lambda home: home.run(DAYS[0], DAYS[2], *some))]
    assert codes == [3, 3]
    more = [f"{DAYS[3]}={kind}" for kind in later] if asked else []
    codes = [r.exit_code for r in homes.both(lambda home: home.run(DAYS[3], DAYS[3], *more))]
    assert codes == [0, 0]
    return homes


def test_both_engines_hold_the_same(homes: TwoHomes) -> None:
    assert list(homes.differences()) == []
    embedded, server = homes.books()
    assert embedded == server


def test_a_released_day_is_seen_and_a_rollback_hides_it_again(homes: TwoHomes) -> None:
    domain = homes.server.domain
    released = homes.both(
        lambda home: home.command("release", domain, "--date", DAYS[2], "--reason", "seen")
    )
    assert [r.exit_code for r in released] == [0, 0]
    assert list(homes.differences()) == []

    undone = homes.both(
        lambda home: home.command("rollback", domain, "--to", 2, "--reason", "not so")
    )
    assert [r.exit_code for r in undone] == [0, 0]
    assert list(homes.differences()) == []
    run = homes.server.opened()
    assert DAYS[2] not in run.publications.pointers(run.dataset().id)
    run.engine.close()


def test_a_closed_day_has_the_same_seal(homes: TwoHomes) -> None:
    domain = homes.server.domain
    closed = homes.both(lambda home: home.command("close", domain, "--date", DAYS[0]))
    assert [r.exit_code for r in closed] == [0, 0], [r.output for r in closed]
    seals = [
        home.opened().certificates.get(domain, DAYS[0]).seal
        for home in (homes.embedded, homes.server)
    ]
    assert seals[0] == seals[1]


def test_verify_derives_the_same_on_the_embedded_engine(homes: TwoHomes) -> None:
    answer = homes.server.command("verify", homes.server.domain)
    assert answer.exit_code == 0, answer.output
    assert "0 differences" in answer.output


def test_rows_that_readers_cannot_be_shown_again_are_deleted(homes: TwoHomes) -> None:
    if homes.server.domain == "retail":
        pytest.skip("its days are not asked for otherwise")
    again = [r.exit_code for r in homes.both(lambda home: home.run(DAYS[1], DAYS[1]))]
    assert again == [0, 0]
    before = _entries(homes.server)

    for home in (homes.embedded, homes.server):
        forgets = replace(home, settings={**home.settings, "ROLLBACK_DAYS": "0"})
        assert forgets.run(DAYS[1], DAYS[1]).exit_code == 0

    assert 0 < _entries(homes.server) < before
    assert list(homes.differences()) == []


def test_a_stolen_row_is_named(homes: TwoHomes) -> None:
    from clearhouse.pipeline.close import audit_days
    from clearhouse.pipeline.tamper import tamper

    home = homes.server
    run = home.opened()
    kinds = ("steal",) if home.domain == "bnpl" else ("double", "change")
    for kind in kinds:
        assert tamper(run, kind, 1) == 1
        findings = audit_days(run).findings
        assert [named for f in findings for named in f.named], kind
        day = findings[0].entry.key.book_date
        run.engine.close()
        assert home.run(day, day).exit_code == 0
        assert not audit_days(run).findings
    run.engine.close()


def test_a_reader_may_read_what_is_published_and_nothing_else(
    homes: TwoHomes, server: Server
) -> None:
    domain = homes.server.domain
    run = homes.server.opened()
    gold, silver = run.dataset().declared.gold, run.dataset().declared.silver
    run.engine.close()
    with server.connected(domain) as connection:
        connection.execute("SET ROLE clearhouse_reader")
        hidden = f"""SELECT count(*) FROM {gold} WHERE _entry_id NOT IN (
            SELECT entry_id FROM ops.publication)"""
        assert connection.execute(hidden).fetchone() == (0,)
        assert connection.execute(f"SELECT count(*) > 0 FROM {READERS[domain]}").fetchone() == (
            True,
        )
        for refused in (
            f"SELECT 1 FROM {silver}",
            f"DELETE FROM {gold}",
            "UPDATE ops.publication SET entry_id = ''",
            "CREATE TABLE marts.mine (n int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)


def test_all_that_readers_may_read_is_described(homes: TwoHomes, server: Server) -> None:
    may_read = """SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm')
        AND relnamespace::regnamespace::text IN ('gold', 'marts', 'ops', 'silver', 'bronze')
        AND has_table_privilege('clearhouse_reader', oid, 'SELECT')"""
    silent = f"""SELECT oid::regclass::text FROM ({may_read}) AS found
        WHERE obj_description(oid, 'pg_class') IS NULL
        UNION ALL SELECT attrelid::regclass || '.' || attname FROM pg_attribute
        WHERE attrelid IN ({may_read}) AND attnum > 0 AND NOT attisdropped
            AND col_description(attrelid, attnum) IS NULL"""
    with server.connected(homes.server.domain) as connection:
        ((count,),) = connection.execute(f"SELECT count(*) FROM ({may_read}) AS found").fetchall()
        assert count >= 8
        assert connection.execute(silent).fetchall() == []


def test_one_run_of_a_domain_at_a_time_on_all_hosts(homes: TwoHomes) -> None:
    run = homes.server.opened()
    url = run.settings.engine_of(homes.server.domain)
    with only_run(url, "bnpl"):
        with only_run(url, "retail"):
            pass
        with pytest.raises(StoreError) as refused, only_run(url, "bnpl", wait_seconds=0):
            pass
    assert refused.value.code == "run_under_way"
    with only_run(url, "bnpl", wait_seconds=0):
        pass


def test_what_a_database_is_set_to_makes_no_difference(homes: TwoHomes, server: Server) -> None:
    database = homes.server.domain
    settings = {"search_path": "marts, gold", "quote_all_identifiers": "on", "row_security": "off"}
    before = homes.server.command("books")
    changes = [f"ALTER DATABASE {database} SET {name} = {to}" for name, to in settings.items()]
    server.databases.edit(server.url, *changes)
    try:
        after = homes.server.command("books")
    finally:
        server.databases.edit(server.url, f"ALTER DATABASE {database} RESET ALL")
    assert after.exit_code == before.exit_code, after.output


def test_a_server_that_is_down_is_said_in_one_sentence(homes: TwoHomes, server: Server) -> None:
    server.kill()
    try:
        answer = homes.server.command("books", "--domain", homes.server.domain)
        assert isinstance(answer.exception, ServerError)
        assert server.password not in str(answer.exception)
        assert "does not answer" in str(answer.exception)
    finally:
        server.start()


def _entries(home: Home) -> int:
    run = home.opened()
    gold = run.dataset().declared.gold
    found = run.engine.query(f"SELECT count(DISTINCT _entry_id) AS n FROM {gold}")
    run.engine.close()
    return int(found["n"][0].as_py())
