"""An attack, and the state of a home that it is a part of."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attacks.homes import Home
from clearhouse.core.errors import ClearhouseError, ExitCode

Told = Sequence[Sequence[str]]
"""Of each line that must be found, the texts that it must hold."""
Deed = Callable[[Home], Told]
Command = Callable[[Home], "Sequence[object] | Judged"]


class NotThereError(Exception):
    """A domain has not what is to be attacked; the message says why."""


@dataclass(frozen=True)
class Attack:
    """What is done to a home.

    Attributes:
        name: the kind.
        group: attacks of one group are made together, and judged by one command.
        deed: does it, and says what must be told of it.
    """

    name: str
    group: str
    deed: Deed


@dataclass
class Judged:
    """What a command said of a home that was attacked.

    Attributes:
        lines: its findings.
        told, skipped: by attack, what must be among them, and why one could not be made.
        entries: what `books` measured.
    """

    exit_code: int
    lines: Sequence[str]
    told: dict[str, Told] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    entries: Sequence[dict[str, Any]] = ()


ATTACKS: list[Attack] = []
COMMANDS: dict[str, Command] = {}
"""By group, the command that judges it, where that is not `books`."""


def attack(group: str, name: str) -> Callable[[Deed], Deed]:
    """Register an attack."""

    def register(deed: Deed) -> Deed:
        ATTACKS.append(Attack(name, group, deed))
        return deed

    return register


def books(home: Home) -> Sequence[object]:
    """Every entry measured again."""
    return ("books", "--domain", home.name, "--json")


def books_alone(home: Home) -> Sequence[object]:
    """The books against themselves: of these days there are none."""
    return (*books(home), "--from", "2040-01-01")


def verify(home: Home) -> Sequence[object]:
    """Every field derived again."""
    return ("verify", home.name, "--json")


def judge(home: Home, group: str) -> Judged:
    """Make the attacks of a group, let the command say what it finds, and put the home back."""
    told: dict[str, Told] = {}
    skipped: dict[str, str] = {}
    rows = {day: list(some) for day, some in home.rows.items()}
    try:
        for each in ATTACKS:
            if each.group == group:
                try:
                    told[each.name] = each.deed(home)
                except NotThereError as error:
                    skipped[each.name] = str(error)
        certificates = _certificates(home)
        command = COMMANDS.get(group, books)(home)
        found = command if isinstance(command, Judged) else said(home, command)
        assert _certificates(home) == certificates, "what judges a home changes no certificate"
    finally:
        home.put_back()
        home.rows = rows
    return Judged(found.exit_code, found.lines, told, skipped)


def _certificates(home: Home) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in (home.path / "certificates").rglob("*") if p.is_file()}


def said(home: Home, command: Sequence[object]) -> Judged:
    """What a command of this process says: findings, or why it refuses."""
    answer = home.command(*command)
    error = answer.exception
    if isinstance(error, ClearhouseError):
        return Judged(int(ExitCode.FAILED), [f"{error.code}: {error}"])
    assert error is None or isinstance(error, SystemExit), repr(error)
    if "--json" not in command:
        return Judged(answer.exit_code, [answer.stdout])
    data = json.loads(answer.stdout)
    lines = [f if isinstance(f, str) else _line(f) for f in data["findings"]]
    return Judged(answer.exit_code, lines, entries=data.get("entries", ()))


def _line(finding: dict[str, str]) -> str:
    """A finding of `verify` as one line."""
    return f"{finding['table']}, {finding['book_date']}: {finding['finding']}"


def on(hop: str, day: dt.date, *texts: str) -> tuple[str, ...]:
    """What a line about a hop and a day must hold."""
    return (f"{hop}, {day}: ", *texts)


def is_told(lines: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether one line holds all of these texts."""
    return any(all(text in line for text in texts) for line in lines)
