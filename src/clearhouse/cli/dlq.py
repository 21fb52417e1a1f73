"""`dlq list`, `show`, `redrive` and `discard`: the dead letters of payments."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from clearhouse.cli.app import out, settings_of_stores
from clearhouse.cli.options import JsonFlag, Most, bounds, given_reason
from clearhouse.cli.streams import visible
from clearhouse.cli.words import counted
from clearhouse.core.errors import UsageError
from clearhouse.payments.event import Provider
from clearhouse.payments.letters import KnownLetter, Letters, Wanted
from clearhouse.payments.opening import opened

group = typer.Typer(no_args_is_help=True, help="Messages of payments that a stage can't handle.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these letters.")]
Stage = Annotated[
    str | None,
    typer.Option(metavar="STAGE", help="Only letters of gateway, normalizer or worker."),
]
Code = Annotated[str | None, typer.Option(metavar="CODE", help="Only letters with this code.")]
ByProvider = Annotated[
    str | None, typer.Option("--provider", metavar="PROVIDER", help="Only this provider's.")
]
FirstDay = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="Last tried on this UTC day or later, YYYY-MM-DD."),
]
LastDay = Annotated[
    str | None,
    typer.Option("--to", metavar="DATE", help="Last tried on this UTC day or before, YYYY-MM-DD."),
]
Apply = Annotated[
    bool, typer.Option("--apply", help="Do it. Without this it is only said what would be done.")
]


@group.command("list")
def list_letters(
    ids: Ids = None,
    stage: Stage = None,
    code: Code = None,
    provider: ByProvider = None,
    first: FirstDay = None,
    last: LastDay = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that were redriven or discarded.")
    ] = False,
    limit: Most = 50,
    as_json: JsonFlag = False,
) -> None:
    """How many letters are open for which reason, and the latest of them."""
    wanted = _wanted(ids, stage, code, provider, first, last)
    with _opened() as letters:
        found = letters.find(wanted, only_open=not every)
    if as_json:
        print(json.dumps([_as_data(each) for each in found], default=str))
        return
    if not found:
        out.print("No dead letters." if every else "No open dead letters.")
        return
    _show_counts(found)
    latest = sorted(found, key=lambda each: each.letter.last_at)[-limit:]
    _show_letters(latest, with_state=every)
    if len(latest) < len(found):
        out.print(f"{len(latest):,} of {counted(len(found), 'letter')}; --limit shows more.")


@group.command("show")
def show(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Of a letter.")],
    as_json: JsonFlag = False,
) -> None:
    """A letter whole: what could not be done, why, and the message."""
    each = _one(wanted)
    data = {**_as_data(each), "message": _message(each)}
    if as_json:
        print(json.dumps(data, default=str))
        return
    for name, value in data.items():
        if name != "message" and value not in ("", None):
            out.print(f"[bold]{name:<18}[/] {escape(str(value))}", soft_wrap=True)
    print(visible(json.dumps(data["message"], indent=2, ensure_ascii=False)))


@group.command("redrive")
def redrive(
    ids: Ids = None,
    stage: Stage = None,
    code: Code = None,
    provider: ByProvider = None,
    first: FirstDay = None,
    last: LastDay = None,
    apply: Apply = False,
    as_json: JsonFlag = False,
) -> None:
    """Have open letters tried again, with the same event id, by what is deployed now."""
    wanted = _wanted(ids, stage, code, provider, first, last)
    with _opened() as letters:
        found = letters.find(wanted)
        _check_found(found, wanted)
        done = letters.redrive(found) if apply else 0
    _tell(found, done, "redriven", is_applied=apply, as_json=as_json)


@group.command("discard")
def discard(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why. It is kept with the letter.")],
    ids: Ids = None,
    stage: Stage = None,
    code: Code = None,
    provider: ByProvider = None,
    first: FirstDay = None,
    last: LastDay = None,
    apply: Apply = False,
    as_json: JsonFlag = False,
) -> None:
    """Close open letters that are not to be tried again. They stay, and the books count them."""
    why = given_reason(reason, "A discarded letter needs a reason")
    wanted = _wanted(ids, stage, code, provider, first, last)
    with _opened() as letters:
        found = letters.find(wanted)
        _check_found(found, wanted)
        done = letters.discard(found, why) if apply else 0
    _tell(found, done, "discarded", is_applied=apply, as_json=as_json)


@contextmanager
def _opened() -> Iterator[Letters]:
    with opened(settings_of_stores()) as (log, store):
        yield Letters(log, store, lambda: dt.datetime.now(dt.UTC))


def _wanted(
    ids: list[str] | None,
    stage: str | None,
    code: str | None,
    provider: str | None,
    first: str | None,
    last: str | None,
) -> Wanted:
    """Which letters were asked for.

    Raises:
        UsageError: they are of a provider that there is not, or a date is wrong.
    """
    begin, end = bounds(first, last)
    if provider is not None and provider not in list(Provider):
        raise UsageError(
            f"There is no provider {provider!r}: {', '.join(Provider)}.", "unknown_provider"
        )
    return Wanted(stage, code, provider, begin, end, frozenset(ids or ()))


def _one(wanted: str) -> KnownLetter:
    with _opened() as letters:
        found = letters.find(Wanted(ids=frozenset({wanted})), only_open=False)
    if not found:
        raise UsageError(
            f"No dead letter is called {wanted!r}: `clearhouse dlq list --all` shows the ids.",
            "unknown_letter",
        )
    return found[0]


def _check_found(found: Sequence[KnownLetter], wanted: Wanted) -> None:
    missing = sorted(wanted.ids - {each.letter.letter_id for each in found})
    if missing:
        raise UsageError(
            f"No open dead letter is called {missing[0]!r}: `clearhouse dlq list` shows the ids.",
            "unknown_letter",
        )


def _tell(
    found: Sequence[KnownLetter], done: int, how: str, *, is_applied: bool, as_json: bool
) -> None:
    if as_json:
        letters = [each.letter.letter_id for each in found]
        print(json.dumps({"applied": is_applied, how: done, "letters": letters}))
        return
    if not found:
        out.print("No open dead letter is meant.")
        return
    _show_counts(found)
    if is_applied:
        out.print(f"{counted(done, 'letter')} {how}.")
    else:
        out.print(f"{counted(len(found), 'letter')} would be {how}: --apply does it.")


def _show_counts(found: Sequence[KnownLetter]) -> None:
    counts = Counter(
        (each.letter.stage, each.letter.code, each.letter.provider.value) for each in found
    )
    table = _table("stage", "code", "provider")
    table.add_column("letters", justify="right", no_wrap=True)
    for (stage, code, provider), count in sorted(counts.items()):
        table.add_row(stage, escape(code), provider, f"{count:,}")
    out.print(table)


def _show_letters(found: Sequence[KnownLetter], *, with_state: bool) -> None:
    """Two lines each: an id must stay whole, to be copied, and no table has room for it."""
    for each in found:
        letter = each.letter
        at = letter.last_at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
        tries = f", try {letter.attempt}" if letter.attempt > 1 else ""
        state = f", {each.state}" if with_state else ""
        out.print(f"\n[bold]{escape(letter.letter_id)}[/]", soft_wrap=True)
        out.print(f"  {at}{tries}{state}: {escape(letter.reason)}", soft_wrap=True)


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for name in names:
        table.add_column(name, no_wrap=True)
    return table


def _as_data(each: KnownLetter) -> dict[str, Any]:
    """A letter for a program, without its message."""
    data: dict[str, Any] = json.loads(msgspec.json.encode(each.letter))
    del data["message"]
    return {**data, "state": each.state, "decided_because": each.reason}


def _message(each: KnownLetter) -> Any:
    return json.loads(bytes(each.letter.message))
