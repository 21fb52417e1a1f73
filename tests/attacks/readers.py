"""What readers open: pointers, views, and the files of served tables."""

from pathlib import Path

from attacks.attack import NotThereError, Told, attack, on
from attacks.groups import (
    ALL_HIDDEN,
    EARLIER,
    ENGINE_POINTERS,
    HIDDEN,
    LANDING,
    NO_MART,
    NO_READERS,
    POINTERS,
    READERS_CUT,
    SEALED_ANEW,
    UNREADABLE,
    UNREGISTERED,
    VIEWS,
)
from attacks.homes import Home
from attacks.recipes import CLOSED, HELD, NEVER, RELEASED, SEALED
from attacks.stores import asked_of_readers, cut, readers, rewrite_file
from attacks.warehouse import pointer
from clearhouse.pipeline.domain import Dataset


def _told(home: Home, day: object, *texts: str) -> tuple[str, ...]:
    head = f"{home.at.names.readers}, {day}: "
    return (head, "the pointer of what readers open is ", *texts)


@attack(POINTERS, "a pointer of readers deleted")
def _deleted(home: Home) -> Told:
    readers(home, f"DELETE FROM ops.publication WHERE book_date = DATE '{CLOSED}'")
    entry = home.at.entries[home.at.names.gold, CLOSED]
    return [
        _told(home, CLOSED, f"none, and the books say entry {entry[:12]}"),
        on(home.at.names.readers, CLOSED, "−1 record, −"),
        on(home.at.names.readers, CLOSED, "records more"),
    ]


@attack(POINTERS, "a pointer of readers to nothing")
def _to_nothing(home: Home) -> Told:
    sql = "UPDATE ops.publication SET entry_id = 'nonsense' WHERE book_date = "
    readers(home, f"{sql}DATE '{SEALED}'")
    return [_told(home, SEALED, "entry nonsense"), on(home.at.names.readers, SEALED, "−1 record")]


@attack(POINTERS, "a pointer of readers to the entry of another day")
def _to_another_day(home: Home) -> Told:
    other = home.at.entries[home.at.names.gold, SEALED]
    sql = f"UPDATE ops.publication SET entry_id = '{other}' WHERE book_date = "
    readers(home, f"{sql}DATE '{RELEASED}'")
    return [_told(home, RELEASED, f"entry {other[:12]}")]


@attack(POINTERS, "a pointer of readers to a held entry")
def _to_held(home: Home) -> Told:
    entry = home.at.entries[home.at.names.gold, HELD]
    readers(home, pointer(home, HELD, entry))
    return [_told(home, HELD, f"entry {entry[:12]}, and the books say none")]


@attack(POINTERS, "a pointer of readers for a day that never was")
def _never(home: Home) -> Told:
    readers(home, pointer(home, NEVER, "nonsense"))
    return [_told(home, NEVER, "entry nonsense, and the books say none")]


@attack(SEALED_ANEW, "all pointers of readers deleted")
def _all_deleted(home: Home) -> Told:
    readers(home, "DELETE FROM ops.publication")
    return [on(home.at.names.readers, d, "−1 record") for d in (CLOSED, SEALED, RELEASED)]


@attack(SEALED_ANEW, "a pointer of readers of no day")
def _of_null(home: Home) -> Told:
    dataset, entry = home.at.contract.id, home.at.entries[home.at.names.gold, CLOSED]
    readers(home, f"INSERT INTO ops.publication VALUES ('{dataset}', NULL, '{entry}')")
    told = f"what readers open has a pointer to entry {entry[:12]} of dataset {dataset}, day None"
    return [(f"{home.at.names.readers}, ", told)]


@attack(UNREADABLE, "the register of served files dropped")
def _no_register(home: Home) -> Told:
    readers(home, "DROP TABLE ops.served_file")
    return [(f"{home.at.names.readers}, ", "what readers open can't be read", "served_file")]


# --- views ---------------------------------------------------------------------------------------


def redefine(home: Home, view: str, sql: str) -> None:
    """Let a view be a query over what it was, called `shown`."""
    schema, _, name = view.partition(".")
    ((made,),) = asked_of_readers(
        home,
        f"SELECT sql FROM duckdb_views() WHERE schema_name = '{schema}' AND view_name = '{name}'",
    )
    body = made.partition(" AS ")[2].rstrip(";\n")
    readers(home, f"CREATE OR REPLACE VIEW {view} AS WITH shown AS ({body}) {sql}")


def _differs(home: Home, view: str) -> tuple[str, ...]:
    return (f"{home.at.names.readers}, ", "the view ", view, "not what was built")


@attack(VIEWS, "a mart that leaves out a row")
def _leaves_out(home: Home) -> Told:
    view, row = home.at.declared.readers, home.take(CLOSED)
    redefine(home, view, f"SELECT * FROM shown WHERE _record_id <> '{row.record_id}'")
    told = f"−1 record, −{row.amount}: {row.name}"
    return [on(home.at.names.readers, CLOSED, told), _differs(home, view)]


@attack(VIEWS, "a mart that shows a row twice")
def _shows_twice(home: Home) -> Told:
    view, row = home.at.declared.readers, home.take(SEALED)
    again = (
        f"SELECT * FROM shown UNION ALL SELECT * FROM shown WHERE _record_id = '{row.record_id}'"
    )
    redefine(home, view, again)
    return [on(home.at.names.readers, SEALED, f"+1 record, +{row.amount}: {row.name}")]


@attack(VIEWS, "a mart with another amount")
def _other_amount(home: Home) -> Told:
    view, row, amount = home.at.declared.readers, home.take(RELEASED), home.at.contract.amount.name
    more = f"CASE WHEN _record_id = '{row.record_id}' THEN {amount} + 1 ELSE {amount} END"
    redefine(home, view, f"SELECT * REPLACE ({more} AS {amount}) FROM shown")
    return [on(home.at.names.readers, RELEASED, f"{row.name}: {row.amount} became ")]


@attack(VIEWS, "a mart with rows of a day that never was")
def _of_no_day(home: Home) -> Told:
    view, row = home.at.declared.readers, home.take(RELEASED)
    invented = f"""SELECT * FROM shown UNION ALL SELECT * REPLACE (
        DATE '{NEVER}' AS _book_date, 'never' AS _record_id, _record_key || '-never' AS _record_key)
        FROM shown WHERE _record_id = '{row.record_id}'"""
    redefine(home, view, invented)
    return [on(home.at.names.readers, NEVER, f"+1 record, +{row.amount}: {row.name}-never")]


@attack(VIEWS, "a mart that shows a held row")
def _shows_held(home: Home) -> Told:
    view, row, gold = home.at.declared.readers, home.take(HELD), home.at.gold[HELD]
    held = f"""SELECT * FROM shown UNION ALL BY NAME SELECT * FROM
        read_parquet('{gold}', hive_partitioning = false) WHERE _record_id = '{row.record_id}'"""
    redefine(home, view, held)
    return [on(home.at.names.readers, HELD, f"+1 record, +{row.amount}: {row.name}")]


@attack(VIEWS, "another view that leaves out rows")
def _other_view(home: Home) -> Told:
    if not home.at.declared.views:
        raise NotThereError("the domain shows readers no other view")
    view = home.at.declared.views[0]
    redefine(home, view, "SELECT * FROM shown WHERE false")
    return [_differs(home, view)]


@attack(VIEWS, "a mart of another dataset that leaves out rows")
def _of_another_dataset(home: Home) -> Told:
    others = [each for each in home.domain.datasets if each != home.at.declared]
    if not others:
        raise NotThereError("the domain has one dataset")
    view, hop = others[0].readers, home.hops(others[0]).readers
    ((key,),) = asked_of_readers(
        home, f"SELECT _record_key FROM {view} WHERE _book_date = DATE '{CLOSED}' LIMIT 1"
    )
    redefine(home, view, f"SELECT * FROM shown WHERE _record_key <> '{key}'")
    return [
        on(hop, CLOSED, "−1 record", key),
        (f"{hop}, ", "the view ", view, "not what was built"),
    ]


@attack(VIEWS, "the fact of readers with another text")
def _fact(home: Home) -> Told:
    column, gold = home.at.column or home.at.contract.currency.name, home.at.declared.gold
    redefine(home, gold, f"SELECT * REPLACE ('other' AS {column}) FROM shown")
    return [_differs(home, gold)]


@attack(VIEWS, "a derived table that is another query")
def _derived(home: Home) -> Told:
    table = next((d.served for d in home.at.declared.derived if not d.is_internal), "")
    if not table:
        raise NotThereError("the domain derives no table that readers see")
    redefine(home, table, "SELECT * FROM shown UNION ALL SELECT * FROM shown")
    return [_differs(home, table)]


@attack(UNREGISTERED, "a derived table that is another query, and out of the register")
def _unregistered(home: Home) -> Told:
    told = _derived(home)
    table = next(d.served for d in home.at.declared.derived if not d.is_internal)
    readers(home, f"DELETE FROM ops.served_file WHERE relation = '{table}'")
    return told


@attack(ENGINE_POINTERS, "a mart that is a table in place of a view")
def _is_table(home: Home) -> Told:
    view = home.at.declared.readers
    readers(
        home,
        f"CREATE TABLE ops.kept AS SELECT * FROM {view}",
        f"DROP VIEW {view}",
        f"CREATE TABLE {view} AS SELECT * FROM ops.kept",
        "DROP TABLE ops.kept",
    )
    return [_differs(home, view)]


@attack(NO_MART, "a mart dropped")
def _dropped(home: Home) -> Told:
    view = home.at.declared.readers
    readers(home, f"DROP VIEW {view}")
    return [on(home.at.names.readers, CLOSED, "−1 record"), _differs(home, view)]


# --- files ---------------------------------------------------------------------------------------


@attack(EARLIER, "readers shown an earlier publication")
def _earlier(home: Home) -> Told:
    (home.path / "published.duckdb").write_bytes(home.first_publication)
    return [
        ("readers see publication 1, and the books say that 2 was made",),
        on(home.at.names.readers, RELEASED, "−1 record"),
    ]


@attack(LANDING, "a publication of readers that the books don't know")
def _ahead(home: Home) -> Told:
    readers(home, f"UPDATE ops.served SET publication = 99 WHERE domain = '{home.name}'")
    return [(f"readers see publication 99 of {home.name}, and the last one in the books is 2",)]


@attack(NO_READERS, "what readers open deleted")
def _gone(home: Home) -> Told:
    (home.path / "published.duckdb").unlink()
    return [
        ("readers see publication 0, and the books say that 2 was made",),
        on(home.at.names.readers, SEALED, "−1 record"),
    ]


@attack(READERS_CUT, "what readers open cut off")
def _cut(home: Home) -> Told:
    cut(home.path / "published.duckdb")
    return [on(home.at.names.readers, CLOSED, "published.duckdb can't be opened")]


def served_files(home: Home, table: str) -> list[Path]:
    """The files that readers are shown of a table."""
    found = asked_of_readers(
        home, f"SELECT path FROM ops.served_file WHERE relation = '{table}' ORDER BY ALL"
    )
    return [Path(path) for (path,) in found]


def hidden(declared: Dataset) -> str:
    """The table of a dataset's records that readers must not see."""
    return f"gold.{declared.hidden}"


def hiding(home: Home) -> Dataset:
    """The first dataset of the domain of which records are hidden: not each has such ones."""
    return next(
        each
        for each in home.domain.datasets
        if asked_of_readers(home, f"SELECT 1 FROM {hidden(each)} LIMIT 1")
    )


@attack(HIDDEN, "a record added to those that are hidden")
def _hidden_too(home: Home) -> Told:
    row = home.take(CLOSED)
    (path,) = served_files(home, hidden(home.at.declared))
    rewrite_file(
        path,
        f"""SELECT * FROM rows UNION ALL BY NAME SELECT '{row.record_id}' AS _record_id,
            '{row.record_key}' AS _record_key, DATE '{CLOSED}' AS _book_date""",
    )
    return [on(home.at.names.readers, CLOSED, f"−1 record, −{row.amount}: {row.name}")]


@attack(ALL_HIDDEN, "no record hidden")
def _none_hidden(home: Home) -> Told:
    declared = hiding(home)
    (path,) = served_files(home, hidden(declared))
    ((record_id, day, key),) = asked_of_readers(
        home, f"SELECT _record_id, _book_date, _record_key FROM {hidden(declared)} LIMIT 1"
    )
    assert record_id
    rewrite_file(path, "SELECT * FROM rows WHERE false")
    return [on(home.hops(declared).readers, day, "+1 record", home.called(key))]
