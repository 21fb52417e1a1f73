"""Entries being made, many of one kind at once, as columns.

`Entries` holds what is said of each entry, and blocks of lines: a block is one line an entry, or a
row of lines an entry (two dimensions), or lines that name their entry. Money is signed cents, debit
above zero. Nothing loops over lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.gl.numbers import Ints
from clearhouse.sandbox.times import DAY_SECONDS

NONE = -1
NO_QUANTITY = np.iinfo(np.int64).min

LINE_DEFAULTS: Mapping[str, int] = {
    "account": 0,
    "amount": 0,
    "quantity": NO_QUANTITY,  # thousandths of the unit
    "unit": NONE,
    "product": NONE,
    "share": NONE,  # hundred-millionths
    "well": NONE,
    "afe": NONE,
    "jib_month": NONE,  # 202401: the bill of the line's well for that month
    "party": NONE,
    "document_kind": NONE,
    "document": NONE,
    "due": NONE,
    "shown_well": NONE,  # whose id a fault puts in the place of the line's own well
}
ENTRY_DEFAULTS: Mapping[str, int] = {
    "entry_type": NONE,
    "source": NONE,
    "transaction_type": NONE,
    "description": NONE,
    "production": NONE,  # 202401
    "recorded": NONE,
    "posted": NONE,
    "dated": NONE,
    "second": NONE,
    "user": NONE,
    "approver": NONE,
    "tag": NONE,
    "reverses_month": NONE,
    "reverses_tag": NONE,
    "fault": NONE,  # number of the fault that was put into the entry
}

Value = Any  # an integer, or integers: one an entry, or one a line


class Vocabulary:
    """Words by number, numbered as they are first used; the order of the modules fixes them."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)

    def __call__(self, word: str) -> int:
        """The number of a word."""
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)


ENTRY_TYPES = [
    "opening",
    "standard",
    "recurring",
    "accrual",
    "reversal",
    "true_up",
    "allocation",
    "closing",
    "statistical",
]
SOURCES = [
    "AP",
    "AR",
    "JIB",
    "PA",
    "PROD",
    "MANUAL",
    "ADJ",
    "REV",
    "TAX",
    "GLACCR",
    "DDA",
    "ARO",
    "CLOSE",
    "REVERSAL",
]
TRANSACTION_TYPES = ["INV", "PAY", "ADJ", "ALLOC", "ACCR", "REV"]
UNITS = ["bbl", "mcf", "gal", "usd", "days"]
DOCUMENT_KINDS = [
    "RT",
    "INV",
    "CHQ",
    "JIB",
    "JBA",
    "TAX",
    "ACR",
    "ARO",
    "REV",
    "SUS",
    "REL",
    "OPN",
    "RCT",
    "WIRE",
    "CALL",
    "FT",
    "ESC",
    "SWP",
]
"""Run ticket, invoice, cheque, JIB bill, JIB bill of an AFE, tax return, accrual, retirement,
revenue cheque, suspended, released, opening, receipt, wire, cash call, field
ticket, unclaimed property, swap."""
describe = Vocabulary()


def of_kind(kind: str) -> int:
    """The number of a kind of document."""
    return DOCUMENT_KINDS.index(kind)


class Entries:
    """Entries of one kind.

    Args:
        count: how many.
        words: its type, source, transaction type and description.
        recorded: day of recording, of each or of all; `posted` and `dated` are it if not given.
        seconds: after midnight, of each.
        more: other columns of an entry.
    """

    def __init__(
        self,
        count: int,
        words: tuple[str, str, str, str],
        recorded: Value,
        seconds: Value,
        **more: Value,
    ) -> None:
        entry_type, source, transaction_type, description = words
        self.count = count
        given = {
            "entry_type": ENTRY_TYPES.index(entry_type),
            "source": SOURCES.index(source),
            "transaction_type": TRANSACTION_TYPES.index(transaction_type),
            "description": describe(description) if description else NONE,
            "recorded": recorded,
            "posted": recorded,
            "second": seconds,
            **more,
        }
        given.setdefault("dated", given["posted"])
        # What is not given is filled in when all entries are put together.
        self.columns = {
            name: np.broadcast_to(np.asarray(value, dtype=np.int64), (count,))
            for name, value in given.items()
        }
        self.blocks: list[dict[str, Ints]] = []

    def add(
        self,
        account: Value,
        amount: Value,
        entry: Value = None,
        **more: Value,
    ) -> None:
        """A block of lines; lines without an amount are left out.

        Args:
            account: code, of each line or of all.
            amount: signed cents. One dimension: a line an entry; two: a row of lines an entry.
            entry: the entry of each line, where it is not so.
            more: other columns of a line; of one dimension beside rows of lines: one an entry.
        """
        amounts = np.asarray(amount, dtype=np.int64)
        if amounts.ndim == 0:
            amounts = np.broadcast_to(amounts, (self.count,))
        shape = amounts.shape
        owner = np.arange(shape[0]) if entry is None else entry
        kept = amounts.ravel() != 0
        if not kept.any():
            return
        block = {"entry": _lines(owner, shape)[kept], "amount": amounts.ravel()[kept]}
        for name, value in {"account": account, **more}.items():
            is_one = np.ndim(value) == 0
            block[name] = np.asarray(value) if is_one else _lines(value, shape)[kept]
        self.blocks.append(block)

    def count_up(self, account: int, quantity: Ints, entry: Ints, **more: Value) -> None:
        """A block of statistical lines: quantities in thousandths of the unit, no money."""
        columns = {"entry": entry, "account": account, "amount": 0, "quantity": quantity, **more}
        self.blocks.append({name: np.asarray(value) for name, value in columns.items()})

    def reversed(self, month: int, description: str, recorded: Value, seconds: Ints) -> "Entries":
        """Entries of the same lines with the sides swapped, that name these, of that month."""
        words = ("reversal", "REVERSAL", "REV", description)
        back = Entries(
            self.count,
            words,
            recorded,
            seconds,
            production=self.columns.get("production", NONE),
            reverses_month=month,
            reverses_tag=self.columns["tag"],
        )
        back.blocks = [_swapped(block) for block in self.blocks]
        return back


def _lines(value: Value, shape: tuple[int, ...]) -> Ints:
    array = np.asarray(value, dtype=np.int64)
    if array.ndim == 1 and len(shape) == 2 and array.shape[0] == shape[0]:
        array = array[:, None]
    return np.broadcast_to(array, shape).ravel()


def _swapped(block: Mapping[str, Ints]) -> dict[str, Ints]:
    back = {**block, "amount": -block["amount"]}
    if "quantity" in block:
        quantity = block["quantity"]
        back["quantity"] = np.where(quantity == NO_QUANTITY, quantity, -quantity)
    return back


@dataclass(frozen=True)
class Draft:
    """All entries of a fiscal period in order of recording.

    Attributes:
        entries: columns of one row an entry, `number` among them.
        lines: columns of one row a line, with `entry`, the row of its entry.
        first_lines: where each entry's lines begin, and where the last ends.
    """

    entries: dict[str, Ints]
    lines: dict[str, Ints]
    first_lines: Ints

    def between(self, first: int, last: int) -> tuple[int, int]:
        """The rows of the entries recorded on the days from first to last."""
        recorded = self.entries["recorded"]
        return (
            int(np.searchsorted(recorded, first, "left")),
            int(np.searchsorted(recorded, last, "right")),
        )


def assemble(batches: Sequence[Entries]) -> Draft:
    """The draft of these entries; entries without lines are dropped."""
    counts = [batch.count for batch in batches]
    entries = _joined(ENTRY_DEFAULTS, [batch.columns for batch in batches], counts)
    blocks = [block for batch in batches for block in batch.blocks]
    sizes = [len(block["entry"]) for block in blocks]
    lines = _joined({"entry": NONE, **LINE_DEFAULTS}, blocks, sizes)
    starts = np.cumsum([0, *counts[:-1]]).tolist()
    start_of_block = [
        start for start, batch in zip(starts, batches, strict=True) for _ in batch.blocks
    ]
    lines["entry"] += np.repeat(start_of_block, sizes)
    return in_order(entries, lines)


def in_order(entries: Mapping[str, Ints], lines: Mapping[str, Ints]) -> Draft:
    """The draft of entries and lines in any order, `entry` being the row of a line's entry."""
    owner = lines["entry"]
    used = np.bincount(owner, minlength=len(entries["recorded"])) > 0
    moment = entries["recorded"] * DAY_SECONDS + entries["second"]
    order = np.argsort(np.where(used, moment, np.iinfo(np.int64).max), kind="stable")
    order = order[: int(used.sum())]
    rank = np.full(len(used), NONE)
    rank[order] = np.arange(len(order))
    row = rank[owner]
    at = np.argsort(row, kind="stable")
    return Draft(
        entries={
            **{name: values[order] for name, values in entries.items()},
            "number": np.arange(1, len(order) + 1),
        },
        lines={**{name: values[at] for name, values in lines.items()}, "entry": row[at]},
        first_lines=np.searchsorted(row[at], np.arange(len(order) + 1)),
    )


def _joined(
    defaults: Mapping[str, int], parts: Sequence[Mapping[str, Ints]], sizes: Sequence[int]
) -> dict[str, Ints]:
    """Columns of all parts, one after the other; what a part doesn't have is the default."""
    ends = np.cumsum(sizes).tolist()
    columns = {name: np.full(ends[-1], default) for name, default in defaults.items()}
    for part, end, size in zip(parts, ends, sizes, strict=True):
        for name, values in part.items():
            columns[name][end - size : end] = values
    return columns


def tags(code: int, count: int) -> NDArray[np.int64]:
    """Tags of entries that others will reverse; unique in a period by the code."""
    return code * 10_000_000 + np.arange(count)
