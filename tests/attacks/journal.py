"""The tables of the books, and the journal that they are projections of."""

import json
from collections.abc import Callable
from typing import Any

from attacks.attack import COMMANDS, Told, attack, books_alone, on
from attacks.groups import NO_READERS
from attacks.homes import Home
from attacks.recipes import CLOSED, HELD, RELEASED, SEALED
from attacks.rows import CHANGES
from attacks.stores import database, rewrite, warehouse
from clearhouse.books.journal import Head, link
from clearhouse.books.model import digest

TABLES = "tables of the books"
CHAIN = "the chain of the journal"
OF_ENTRY = "(SELECT seq FROM books_current WHERE entry_id = ?)"


def _entry(home: Home, hop: str, day: object) -> tuple[str, str]:
    """An entry's id, and how the books name what is about it."""
    return home.at.entries[hop, day], f"({home.name}, {hop}, {day})"


@attack(TABLES, "a total edited")
def _total(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.gold, SEALED)
    where = f"seq = {OF_ENTRY} AND side = 'in' AND measure = 'records'"
    database(home, f"UPDATE books_total SET value = '99999' WHERE {where}", entry)
    return [("books_total", f"in, records {about} was edited: value is 99999", "recorded as")]


@attack(TABLES, "a total deleted")
def _no_total(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.gold, SEALED)
    where = f"seq = {OF_ENTRY} AND side = 'out' AND measure = 'records'"
    database(home, f"DELETE FROM books_total WHERE {where}", entry)
    return [("books_total", f"out, records {about} was deleted; recorded was: value ")]


@attack(TABLES, "an entry set to open, and its rows stolen")
def _opened(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.gold, RELEASED)
    database(home, f"UPDATE books_event SET status = 'open' WHERE seq = {OF_ENTRY}", entry)
    row = home.take(RELEASED)
    sql, told = CHANGES["deleted"](home, row)
    rewrite(home, "gold", RELEASED, sql)
    return [
        (f"{about} was edited: status is open and was recorded as balanced",),
        *(on(home.at.names.gold, RELEASED, *texts) for texts in told),
    ]


@attack(TABLES, "an entry set to failed, and its rows stolen")
def _failed(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.silver, CLOSED)
    database(home, f"UPDATE books_event SET status = 'failed' WHERE seq = {OF_ENTRY}", entry)
    row = home.take(CLOSED)
    sql, told = CHANGES["deleted"](home, row)
    rewrite(home, "silver", CLOSED, sql)
    return [
        (f"{about} was edited: status is failed and was recorded as balanced",),
        *(on(home.at.names.silver, CLOSED, *texts) for texts in told),
    ]


@attack(TABLES, "an event with another digest")
def _digest(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.silver, SEALED)
    database(home, f"UPDATE books_event SET digest_out = 'ab' WHERE seq = {OF_ENTRY}", entry)
    return [(f"{about} was edited: digest_out is ab and was recorded as ",)]


@attack(TABLES, "an entry in force exchanged for another")
def _current(home: Home) -> Told:
    hop = home.at.names.readers
    other = home.at.entries[home.at.names.gold, HELD]
    where = "hop = ? AND book_date = ?"
    edit = f"UPDATE books_current SET entry_id = ? WHERE {where}"
    database(home, edit, other, hop, str(SEALED))
    return [
        (f"books_current {home.name}, {hop}, {SEALED}", f"was edited: entry_id is {other[:20]}")
    ]


@attack(TABLES, "an entry made from something else")
def _input(home: Home) -> Told:
    entry, _ = _entry(home, home.at.names.readers, CLOSED)
    database(home, "UPDATE books_entry SET input_hash = 'x' WHERE entry_id = ?", entry)
    return [(f"books_entry {entry} was edited: input_hash is x and was recorded as ",)]


@attack(TABLES, "a verdict turned")
def _verdict(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.gold, HELD)
    turn = "UPDATE books_verdict SET passed = 1, failures = '[]' WHERE entry_id = ?"
    database(home, turn, entry)
    return [("books_verdict", f"{about} was edited: passed is 1 and was recorded as 0")]


@attack(TABLES, "a verdict deleted")
def _no_verdict(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.gold, CLOSED)
    database(home, "DELETE FROM books_verdict WHERE entry_id = ?", entry)
    gate = home.at.declared.business_gate.name
    return [("books_verdict", f"{about} was deleted; recorded was: ", f"gate {gate}, ")]


@attack(TABLES, "a release forged")
def _release(home: Home) -> Told:
    entry, about = _entry(home, home.at.names.gold, HELD)
    database(
        home,
        """INSERT INTO books_release (entry_id, gate, failures, reason, released_by, run_id,
            released_at) SELECT ?, gate, failures, 'forged', released_by, run_id, released_at
            FROM books_release LIMIT 1""",
        entry,
    )
    return [("books_release", f"{about} was never recorded: ", "reason forged")]


@attack(TABLES, "a release for another reason")
def _reason(home: Home) -> Told:
    database(home, "UPDATE books_release SET reason = 'other' WHERE reason = 'as agreed'")
    _, about = _entry(home, home.at.names.gold, RELEASED)
    return [(f"{about} was edited: reason is other and was recorded as as agreed",)]


@attack(TABLES, "a publication by another cause")
def _cause(home: Home) -> Told:
    database(home, "UPDATE books_publication SET cause = 'rollback' WHERE seq = 1")
    return [("books_publication 1 was edited: cause is rollback and was recorded as run",)]


@attack(TABLES, "a publication invented")
def _publication(home: Home) -> Told:
    database(
        home,
        """INSERT INTO books_publication SELECT 99, 'other', cause, reason, made_by, run_id, made_at
            FROM books_publication WHERE seq = 1""",
    )
    return [("books_publication 99 was never recorded: domain other",)]


@attack(TABLES, "a pointer of the books edited")
def _pointer(home: Home) -> Told:
    edit = "UPDATE books_pointer SET entry_id = 'x' WHERE publication = 1 AND book_date = ?"
    database(home, edit, str(CLOSED))
    return [(f"books_pointer 1, {home.at.contract.id}, {CLOSED} was edited: entry_id is x",)]


@attack(TABLES, "a pointer of the books deleted")
def _no_pointer(home: Home) -> Told:
    database(
        home, "DELETE FROM books_pointer WHERE publication = 2 AND book_date = ?", str(RELEASED)
    )
    told = f"books_pointer 2, {home.at.contract.id}, {RELEASED} "
    return [(told, "was deleted; recorded was: entry_id")]


def edit_certificate(home: Home, day: object) -> None:
    """Let a certificate in the books say something else."""
    edited = """replace(body, '"in"', '"on"')"""
    edit = f"UPDATE books_certificate SET body = {edited} WHERE book_date = ?"
    database(home, edit, str(day))


@attack(TABLES, "a certificate of the books edited")
def _certificate(home: Home) -> Told:
    edit_certificate(home, CLOSED)
    return [("books_certificate 1 was edited: body is ", '"on"', "and was recorded as ", '"in"')]


@attack(TABLES, "a certificate of the books deleted")
def _no_certificate(home: Home) -> Told:
    database(home, "DELETE FROM books_certificate WHERE book_date = ?", str(SEALED))
    return [("books_certificate 2 was deleted; recorded was: ", f"book_date {SEALED}, ")]


@attack(TABLES, "a reopening for another reason")
def _reopening(home: Home) -> Told:
    database(home, "UPDATE books_reopening SET reason = 'other'")
    return [("books_reopening 1 was edited: reason is other and was recorded as a wrong rate",)]


@attack(TABLES, "a reopening forged")
def _reopened(home: Home) -> Told:
    database(
        home,
        """INSERT INTO books_reopening (certificate, reason, reopened_by, run_id, reopened_at)
            SELECT 1, 'forged', reopened_by, run_id, reopened_at FROM books_reopening""",
    )
    return [("books_reopening 2 was never recorded: certificate 1, reason forged",)]


@attack(TABLES, "an audit with another count of findings")
def _audit(home: Home) -> Told:
    database(home, "UPDATE books_audit SET findings = 7")
    return [("books_audit 1 was edited: findings is 7 and was recorded as 0",)]


@attack(TABLES, "a finding invented")
def _finding(home: Home) -> Told:
    database(
        home,
        """INSERT INTO books_finding (domain, hop, finding, run_id, found_at)
            SELECT domain, 'a hop', 'a lie', run_id, at FROM books_audit""",
    )
    return [("books_finding 1 was never recorded: ", "finding a lie")]


@attack(TABLES, "a day that was not verified said to be")
def _verified(home: Home) -> Told:
    database(home, "UPDATE books_verified SET findings = NULL WHERE book_date = ?", str(HELD))
    return [(f"books_verified {home.name}, {HELD}", "findings is nothing and was recorded as 0")]


@attack(NO_READERS, "the entries of a closed day deleted and its stores emptied")
def _no_day(home: Home) -> Told:
    entries = [e for (_, day), e in home.at.entries.items() if day == CLOSED]
    marks = ", ".join("?" * len(entries))
    database(home, f"DELETE FROM books_entry WHERE entry_id IN ({marks})", *entries)
    database(home, f"DELETE FROM books_current WHERE entry_id IN ({marks})", *entries)
    warehouse(home, f"DELETE FROM {home.at.declared.silver} WHERE _book_date = DATE '{CLOSED}'")
    rewrite(home, "gold", CLOSED, "SELECT * FROM rows WHERE false")
    gold = home.at.entries[home.at.names.gold, CLOSED]
    told = f"{home.at.names.gold}, book_date {CLOSED}"
    return [
        (f"books_entry {gold} was deleted; recorded was: ", told),
        (f"books_current {home.name}, {home.at.names.gold}, {CLOSED}", "was deleted"),
    ]


@attack("nonsense", "a date of the books set to nonsense")
def _nonsense(home: Home) -> Told:
    database(home, "UPDATE books_certificate SET book_date = 'nonsense' WHERE seq = 1")
    return [
        ("books_certificate 1 was edited: book_date is nonsense and was recorded as ",),
        ("no store was measured, since the books can't be read as they are",),
    ]


@attack("an entry gone", "an entry in force deleted")
def _no_entry(home: Home) -> Told:
    entry, _ = _entry(home, home.at.names.gold, SEALED)
    database(home, "DELETE FROM books_entry WHERE entry_id = ?", entry)
    return [(f"books_entry {entry} was deleted; recorded was: ", f"book_date {SEALED}")]


# --- the journal ---------------------------------------------------------------------------------


@attack(CHAIN, "a row of the journal edited")
def _edited(home: Home) -> Told:
    database(home, "UPDATE books_journal SET body = body || ' ' WHERE seq = 3")
    return [("journal row 3 (", "is not what was recorded: its hash is another")]


@attack(CHAIN, "a row of the journal deleted")
def _deleted(home: Home) -> Told:
    database(home, "DELETE FROM books_journal WHERE seq = 5")
    return [("journal row 6 ", "does not follow row 4: the chain is broken")]


@attack(CHAIN, "a row of the journal appended to another")
def _appended(home: Home) -> Told:
    body, prev = "{}", "ab" * 32
    ((last,),) = database(home, "SELECT max(seq) FROM books_journal")
    database(
        home,
        "INSERT INTO books_journal (seq, kind, body, prev, hash) VALUES (?, 'audit', ?, ?, ?)",
        last + 1, body, prev, link(prev, "audit", digest(body)),
    )  # fmt: skip
    return [(f"journal row {last + 1} (audit) does not follow row {last}",)]


@attack("no text", "a row of the journal that is no text")
def _no_text(home: Home) -> Told:
    database(home, "UPDATE books_journal SET body = CAST(body AS BLOB) WHERE seq = 3")
    return [("journal row 3 (", "is not what was recorded: its hash is another")]


@attack("two rows of a key", "a total put before the one that was recorded")
def _two_totals(home: Home) -> Told:
    ((first,),) = database(home, "SELECT min(seq) FROM books_total")
    database(home, "ALTER TABLE books_total RENAME TO kept")
    edited = f"SELECT seq, side, measure, '7' AS value FROM kept WHERE seq = {first}"
    database(home, f"CREATE TABLE books_total AS {edited} UNION ALL SELECT * FROM kept")
    database(home, "DROP TABLE kept")
    return [(f"books_total {first}, out, records (", "was never recorded: value 7")]


@attack("the end of the journal", "the last rows of the journal deleted")
def _end(home: Home) -> Told:
    database(home, "DELETE FROM books_journal WHERE kind IN ('verified', 'audit')")
    return [
        ("books_audit 1 was never recorded: ",),
        (f"books_verified {home.name}, {CLOSED}", "was never recorded: "),
    ]


@attack("no journal", "the journal emptied")
def _emptied(home: Home) -> Told:
    database(home, "DELETE FROM books_journal")
    return [("the journal is empty, and the books are not: its rows were deleted",)]


Body = dict[str, Any]


def rechain(home: Home, change: Callable[[str, Body], Body | None]) -> None:
    """Write the journal anew, as if its rows had always been so; None: without one."""
    rows = database(home, "SELECT kind, body FROM books_journal ORDER BY seq")
    database(home, "DELETE FROM books_journal")
    head = Head()
    for kind, body in rows:
        changed = change(kind, json.loads(body))
        if changed is not None:
            text = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            made = link(head.hash, kind, digest(text))
            row = (head.length + 1, kind, text, head.hash, made)
            database(home, "INSERT INTO books_journal VALUES (?, ?, ?, ?, ?)", *row)
            head = Head(head.length + 1, made)


def _another_reason(home: Home) -> None:
    def change(kind: str, body: Body) -> Body:
        if kind == "release":
            body["books_release"]["reason"] = ["other"]
        return body

    database(home, "UPDATE books_release SET reason = 'other'")
    rechain(home, change)


def heads(home: Home) -> list[str]:
    """The lines of the heads that were kept when days were closed."""
    return (home.path / "certificates" / "heads.txt").read_text().splitlines()


def keep_heads_anew(home: Home) -> None:
    """Write these lines anew, with the heads that today's journal had then."""
    hashes = dict(database(home, "SELECT seq, hash FROM books_journal"))
    lines = (line.partition(" ") for line in heads(home))
    anew = [(head.split(":")[0], rest) for head, _, rest in lines]
    text = "".join(f"{n}:{hashes[int(n)]} {rest}\n" for n, rest in anew if int(n) in hashes)
    (home.path / "certificates" / "heads.txt").write_text(text, encoding="utf-8")


@attack("rewritten", "the journal and the books rewritten")
def _rewritten(home: Home) -> Told:
    first = heads(home)[0]
    _another_reason(home)
    return [("does not extend the one whose head was kept in ", first)]


def with_head(home: Home) -> tuple[object, ...]:
    """`books` by who kept the head of the home as it was made."""
    return (*books_alone(home), "--head", home.head)


def not_extended(home: Home) -> tuple[str, ...]:
    """What he is told."""
    return (f"does not extend the one with the head {home.head}: ", "are gone or were rewritten")


@attack("rewritten with heads", "the journal, the books and the kept heads rewritten")
def _with_heads(home: Home) -> Told:
    _another_reason(home)
    keep_heads_anew(home)
    return [not_extended(home)]


COMMANDS["rewritten with heads"] = with_head


@attack("an older copy", "the books set back to an older copy")
def _older(home: Home) -> Told:
    (home.path / "clearhouse.db").write_bytes(home.first_books)
    return [
        (f"readers see publication 2 of {home.name}, and the last one in the books is 1",),
        (f"the engine holds publication 2 of {home.name}, and the last one in the books is 1",),
        ("does not extend the one whose head was kept in ", heads(home)[0]),
    ]


for _group in (
    CHAIN,
    "no text",
    "two rows of a key",
    "the end of the journal",
    "no journal",
    "rewritten",
    "an older copy",
):
    COMMANDS[_group] = books_alone
