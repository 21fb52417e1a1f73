"""Certificates: the files beside the books, the kept heads, and proofs of records."""

import hashlib
import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from programs import loaded

from attacks.attack import COMMANDS, Judged, Told, attack, books, books_alone
from attacks.groups import SEALED_ANEW
from attacks.homes import Home
from attacks.journal import (
    Body,
    edit_certificate,
    heads,
    keep_heads_anew,
    not_extended,
    rechain,
    with_head,
)
from attacks.recipes import CLOSED, HELD, RELEASED, SEALED
from attacks.rows import CHANGES
from attacks.stores import database, rewrite

FILES = "files of certificates"
PROOFS = "proofs"
REFUSED = ("close over an edited certificate", "prove over changed gold", PROOFS)


def _file(home: Home, day: object) -> Path:
    return home.path / "certificates" / home.name / f"{day}.json"


@attack(FILES, "a file of a certificate edited")
def _edited(home: Home) -> Told:
    path = _file(home, CLOSED)
    path.write_text(path.read_text().replace('"in"', '"on"'))
    return [(f"{path} is not the certificate that the books hold: one of them was edited",)]


@attack(FILES, "a file of a certificate deleted")
def _deleted(home: Home) -> Told:
    path = _file(home, SEALED)
    path.unlink()
    return [(f"the certificate {path} is missing",)]


@attack(FILES, "a certificate put beside those of closed days")
def _invented(home: Home) -> Told:
    path = _file(home, HELD)
    path.write_bytes((home.copy / _file(home, SEALED).relative_to(home.path)).read_bytes())
    return [(f"{path} is no certificate of a closed day",)]


@attack(FILES, "a certificate put among those of reopened days")
def _invented_reopening(home: Home) -> Told:
    path = _file(home, RELEASED).parent / "reopened" / f"{CLOSED}-aaaaaaaaaaaa.json"
    path.write_bytes((home.copy / _file(home, CLOSED).relative_to(home.path)).read_bytes())
    return [(f"{path} is no certificate of a closed day",)]


@attack(FILES, "the certificate of a reopened day deleted")
def _reopened(home: Home) -> Told:
    (path,) = _file(home, RELEASED).parent.glob(f"reopened/{RELEASED}-*.json")
    path.unlink()
    return [(f"the certificate {path} is missing",)]


@attack(FILES, "a kept head torn")
def _torn(home: Home) -> Told:
    path, (first, *others) = home.path / "certificates" / "heads.txt", heads(home)
    torn = first[:20]
    path.write_text("\n".join([torn, *others]) + "\n")
    return [("does not extend the one whose head was kept in ", f"({torn})")]


@attack("a head", "a head kept of a longer journal")
def _longer(home: Home) -> Told:
    path = home.path / "certificates" / "heads.txt"
    longer = f"99:{'ab' * 32} {home.name} {SEALED}"
    path.write_text(path.read_text() + longer + "\n")
    return [("does not extend the one whose head was kept in ", f"({longer})")]


@attack("no heads", "the kept heads deleted")
def _no_heads(home: Home) -> Told:
    path = home.path / "certificates" / "heads.txt"
    path.unlink()
    return [(f"{path} has no head of the closing of {day}",) for day in (CLOSED, SEALED)]


@attack("the last certificate", "the last certificate removed, and the journal rewritten")
def _last(home: Home) -> Told:
    def without(kind: str, body: Body) -> Body | None:
        is_it = kind == "certificate" and body["books_certificate"]["book_date"] == [str(SEALED)]
        return None if is_it else body

    database(home, "DELETE FROM books_certificate WHERE book_date = ?", str(SEALED))
    _file(home, SEALED).unlink()
    rechain(home, without)
    keep_heads_anew(home)
    return [not_extended(home)]


@attack("no certificate", "all certificates removed, and the journal rewritten")
def _none(home: Home) -> Told:
    database(home, "DELETE FROM books_certificate")
    database(home, "DELETE FROM books_reopening")
    for path in (home.path / "certificates").rglob("*.*"):
        path.unlink()
    rechain(home, lambda kind, body: body if kind not in ("certificate", "reopening") else None)
    return [not_extended(home)]


@attack(SEALED_ANEW, "all certificates sealed anew with other sums, and the journal rewritten")
def _sealed_anew(home: Home) -> Told:
    sealed: dict[str, tuple[str, str]] = {}
    previous = None
    rows = database(home, "SELECT book_date, body FROM books_certificate ORDER BY book_date")
    for day, body in rows:
        content = json.loads(body)
        for hop in content["hops"]:
            hop["totals"]["out"]["records"] += 1
        text = json.dumps(
            content | {"previous": previous},
            ensure_ascii=False, sort_keys=True, separators=(",", ":"),
        )  # fmt: skip
        previous = hashlib.sha256(text.encode()).hexdigest()
        sealed[day] = (previous, text)
        edit = "UPDATE books_certificate SET seal = ?, body = ? WHERE book_date = ?"
        database(home, edit, previous, text, day)
        if _file(home, day).exists():
            _file(home, day).write_text(text, encoding="utf-8")

    def anew(kind: str, body: Body) -> Body:
        if kind == "certificate":
            columns = body["books_certificate"]
            seal, text = sealed[columns["book_date"][0]]
            columns |= {"seal": [seal], "body": [text]}
        return body

    rechain(home, anew)
    keep_heads_anew(home)
    told = "the store no longer holds what was sealed when the day was closed (-1 records, "
    return [not_extended(home), (f"{home.at.names.gold}, {CLOSED}: {told}",)]


for _group in ("the last certificate", "no certificate"):
    COMMANDS[_group] = with_head
for _group in (FILES, "a head", "no heads"):
    COMMANDS[_group] = books_alone
COMMANDS[SEALED_ANEW] = lambda home: (*books(home), "--head", home.head)


@attack(REFUSED[0], "a certificate of the books edited, and closed over")
def _closed_over(home: Home) -> Told:
    edit_certificate(home, SEALED)
    return [(f"books_edited: {SEALED} can't be closed: ", "books_certificate 2 was edited")]


COMMANDS[REFUSED[0]] = lambda home: ("close", home.name, "--date", SEALED)


@attack(REFUSED[1], "a proof asked for after gold was changed")
def _proved(home: Home) -> Told:
    row = home.take(CLOSED)
    sql, _ = CHANGES["with another text"](home, row)
    rewrite(home, "gold", CLOSED, sql)
    told = f"no longer holds the records that were sealed when {CLOSED} was closed"
    return [(f"not_as_sealed: {home.at.names.gold} {told}",)]


COMMANDS[REFUSED[1]] = lambda home: ("prove", home.name, home.take(CLOSED).record_id)


# --- proofs --------------------------------------------------------------------------------------


def _forge(home: Home, name: str, **changed: Any) -> None:
    folder = home.path / "proofs"
    folder.mkdir(exist_ok=True)
    text = json.dumps({**json.loads(home.proof), **changed}, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


@attack(PROOFS, "a proof of another amount")
def _of_more(home: Home) -> Told:
    record = json.loads(home.proof)["record"]
    _forge(home, "amount", record=record | {"amount_minor": record["amount_minor"] + 1})
    return [("amount.json", "The record and its path do not lead to the root in the certificate")]


@attack(PROOFS, "a proof with another path")
def _path(home: Home) -> Told:
    path = json.loads(home.proof)["path"]
    _forge(home, "path", path=[*path[:-1], "0" * 64])
    return [("path.json", "The record and its path do not lead to the root in the certificate")]


@attack(PROOFS, "a proof with a certificate that was sealed anew")
def _with_certificate(home: Home) -> Told:
    content = json.loads(home.proof)["certificate"].replace(f"{CLOSED}", f"{SEALED}")
    seal = hashlib.sha256(content.encode()).hexdigest()
    _forge(home, "certificate", certificate=content, seal=seal, book_date=str(SEALED))
    return [("certificate.json", "journal")]


@attack(PROOFS, "a proof with another journal")
def _with_journal(home: Home) -> Told:
    place = json.loads(home.proof)["journal"]
    _forge(home, "journal", journal=place | {"links": place["links"][:-1]})
    return [("journal.json", "head")]


def _checked(home: Home) -> Judged:
    """What the stranger's program says of each forged proof, by its name."""
    program = loaded("verify_proof.py")
    lines, codes = [], set()
    for path in sorted((home.path / "proofs").iterdir()):
        said = io.StringIO()
        arguments = ["verify_proof.py", str(path), "--head", home.proved_head]
        with patch("sys.argv", arguments), redirect_stdout(said), redirect_stderr(said):
            codes.add(program.main())
        lines.append(f"{path.name}: {re.sub(chr(10), ' ', said.getvalue())}")
    (code,) = codes
    return Judged(code, lines)


COMMANDS[PROOFS] = _checked
