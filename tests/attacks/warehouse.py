"""The small tables of the engine by which the pipeline talks, and the register of gold's files."""

import datetime as dt

from attacks.attack import Told, attack, on
from attacks.groups import EARLIER, ENGINE_POINTERS, HIDDEN, LANDING
from attacks.homes import Home
from attacks.recipes import CLOSED, HELD, NEVER, RELEASED, SEALED
from attacks.stores import warehouse


def pointer(home: Home, day: dt.date, value: str) -> str:
    """SQL that sets a pointer."""
    dataset = home.at.contract.id
    return f"INSERT INTO ops.publication VALUES ('{dataset}', DATE '{day}', '{value}')"


def _told(home: Home, day: dt.date, *texts: str) -> Told:
    return [on(home.at.names.readers, day, "the pointer of the engine is ", *texts)]


@attack(ENGINE_POINTERS, "a pointer of the engine deleted")
def _deleted(home: Home) -> Told:
    warehouse(home, f"DELETE FROM ops.publication WHERE book_date = DATE '{CLOSED}'")
    entry = home.at.entries[home.at.names.gold, CLOSED]
    return _told(home, CLOSED, f"none, and the books say entry {entry[:12]}")


@attack(ENGINE_POINTERS, "a pointer of the engine to nothing")
def _to_nothing(home: Home) -> Told:
    sql = "UPDATE ops.publication SET entry_id = 'nonsense' WHERE book_date = "
    warehouse(home, f"{sql}DATE '{SEALED}'")
    return _told(home, SEALED, "entry nonsense")


@attack(ENGINE_POINTERS, "a pointer of the engine to the entry of another day")
def _to_another_day(home: Home) -> Told:
    other = home.at.entries[home.at.names.gold, CLOSED]
    sql = f"UPDATE ops.publication SET entry_id = '{other}' WHERE book_date = "
    warehouse(home, f"{sql}DATE '{RELEASED}'")
    return _told(home, RELEASED, f"entry {other[:12]}")


@attack(ENGINE_POINTERS, "a pointer of the engine to a held entry")
def _to_held(home: Home) -> Told:
    entry = home.at.entries[home.at.names.gold, HELD]
    warehouse(home, pointer(home, HELD, entry))
    return _told(home, HELD, f"entry {entry[:12]}, and the books say none")


@attack(ENGINE_POINTERS, "a pointer of the engine for a day that never was")
def _never(home: Home) -> Told:
    warehouse(home, pointer(home, NEVER, "nonsense"))
    return _told(home, NEVER, "entry nonsense, and the books say none")


@attack(ENGINE_POINTERS, "a pointer of the engine to a held entry, under another dataset")
def _of_no_dataset(home: Home) -> Told:
    entry = home.at.entries[home.at.names.gold, HELD]
    warehouse(home, f"INSERT INTO ops.publication VALUES ('other', DATE '{HELD}', '{entry}')")
    told = f"the engine has a pointer to entry {entry[:12]} of dataset other, day {HELD}"
    return [(f"{home.at.names.readers}, ", told)]


@attack(ENGINE_POINTERS, "a publication of the engine that the books don't know")
def _ahead(home: Home) -> Told:
    warehouse(home, f"UPDATE ops.applied SET publication = 99 WHERE domain = '{home.name}'")
    return [(f"the engine holds publication 99 of {home.name}, and the last one in the books is",)]


@attack(HIDDEN, "what was built last of a day forgotten")
def _candidate(home: Home) -> Told:
    warehouse(home, f"DELETE FROM ops.candidate WHERE book_date = DATE '{CLOSED}'")
    return [on(home.at.names.gold, CLOSED, "−1 record")]


@attack(HIDDEN, "an entry taken out of the register of files")
def _unregistered(home: Home) -> Told:
    entry = home.at.entries[home.at.names.gold, SEALED]
    warehouse(home, f"DELETE FROM ops.entry_file WHERE entry_id = '{entry}'")
    return [(f"{home.at.names.readers}, ", f"the view {home.at.declared.gold}", "not what was")]


@attack(ENGINE_POINTERS, "an entry registered with no file")
def _registered_without(home: Home) -> Told:
    entry = home.at.entries[home.at.names.gold, HELD]
    warehouse(home, f"UPDATE ops.entry_file SET path = NULL WHERE entry_id = '{entry}'")
    return [(f"{home.at.names.readers}, ", f"the view {home.at.declared.gold}", "not what was")]


@attack(LANDING, "an entry registered with the file of another day")
def _registered_otherwise(home: Home) -> Told:
    entry = home.at.entries[home.at.names.gold, SEALED]
    sql = f"UPDATE ops.entry_file SET path = '{home.at.gold[CLOSED]}' WHERE entry_id = '{entry}'"
    warehouse(home, sql)
    return [(f"{home.at.names.readers}, ", f"the view {home.at.declared.gold}", "not what was")]


@attack(EARLIER, "the fact of the engine redefined")
def _fact(home: Home) -> Told:
    gold, row = home.at.declared.gold, home.take(SEALED)
    paths = ", ".join(f"'{path}'" for path in home.at.gold.values())
    warehouse(
        home,
        f"""CREATE OR REPLACE VIEW {gold} AS SELECT * FROM read_parquet([{paths}])
            WHERE _record_id <> '{row.record_id}'""",
    )
    return [on(home.at.names.gold, SEALED, f"−1 record, −{row.amount}: {row.name}")]
