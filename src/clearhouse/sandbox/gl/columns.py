"""Drafts as Arrow tables: numbers become the text of `LINE_SCHEMA`, in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.fiscal import Period
from clearhouse.sandbox.gl import chart
from clearhouse.sandbox.gl.entries import (
    DOCUMENT_KINDS,
    ENTRY_TYPES,
    NO_QUANTITY,
    SOURCES,
    TRANSACTION_TYPES,
    UNITS,
    Draft,
    describe,
)
from clearhouse.sandbox.gl.numbers import Ints, Mask
from clearhouse.sandbox.gl.projects import projects
from clearhouse.sandbox.gl.schema import LINE_SCHEMA
from clearhouse.sandbox.gl.taxes import PRODUCTS
from clearhouse.sandbox.gl.world import EPOCH, World
from clearhouse.sandbox.text import padded, strings
from clearhouse.sandbox.times import DAY_SECONDS

LEDGER, CURRENCY = "OPERATOR", "USD"
ENTRIES_A_PERIOD = 1_000_000
DAY_IDS = 10_000_000
_FIRST_DAY = 10_957  # 2000-01-01, counted from 1970-01-01
_BATCHES_A_DAY = 20
_USERS = 1_000

Column = Any  # a pyarrow array
Table = dict[str, Ints]  # columns of numbers


@lru_cache(maxsize=8)
def _texts(world: World) -> dict[str, Column]:
    """Tables of text by number: of accounts, wells, parties."""
    wells, parties = world.properties, world.parties
    books = chart.accounts().values()
    bills = [
        f"JIB-{state}-{well.partition('-')[2]}-"
        for state, well in zip(wells.states, wells.well_ids, strict=True)
    ]
    tables = {
        "account_code": [str(each.code) for each in books],
        "account_name": [each.name for each in books],
        "account_class": [each.account_class for each in books],
        "well_id": wells.well_ids,
        "api_number": wells.api_numbers,
        "lease_name": wells.lease_names,
        "property_id": wells.property_ids,
        "cost_center": wells.cost_centers,
        "state": wells.states,
        "county": wells.counties,
        "basin": wells.basins,
        "jib_number": bills,
        "afe_number": projects(world).numbers,
        "party_type": parties.kinds,
        "party_id": parties.ids,
        "user": [f"USER-{number:03}" for number in range(_USERS)],
    }
    return {name: strings(texts) for name, texts in tables.items()}


_ACCOUNT_ROWS = np.full(10_000, -1)
_ACCOUNT_ROWS[list(chart.accounts())] = np.arange(len(chart.accounts()))
_SHOWN = ["well_id", "api_number"]
_OF_WELL = [
    "lease_name",
    "property_id",
    "cost_center",
    "state",
    "county",
    "basin",
]


@dataclass(frozen=True)
class Numbered:
    """A draft with what its numbers are made of.

    Attributes:
        ordinal: of its fiscal period, since the opening.
        before: how many entries of the period have lower numbers than the draft's.
        reverses: for each entry the number in the whole ledger of the one it reverses, or -1.
    """

    draft: Draft
    period: Period
    ordinal: int
    reverses: Ints
    before: int = 0


def rows_of(world: World, numbered: Numbered, first: int, last: int) -> pa.Table:
    """The lines of a draft's entries from row first to before row last; without gl_entry_id."""
    draft = numbered.draft
    start, end = int(draft.first_lines[first]), int(draft.first_lines[last])
    line = {name: values[start:end] for name, values in draft.lines.items()}
    entry = {name: values[line["entry"]] for name, values in draft.entries.items()}
    entry["number"] = entry["number"] + numbered.before
    entry["reverses"] = numbered.reverses[line["entry"]]
    line["number"] = np.arange(start, end) - draft.first_lines[line["entry"]] + 1
    columns = {
        **_numbers(world, numbered, entry, line),
        **_of_entries(world, entry, line),
        **_amounts(world, line),
        **_of_wells(world, line),
        **_parties(world, line),
    }
    return pa.table([columns[name] for name in LINE_SCHEMA.names], schema=LINE_SCHEMA)


def _numbers(world: World, numbered: Numbered, entry: Table, line: Table) -> dict[str, Column]:
    """Whatever numbers a line, its entry and its period."""
    count, period = len(line["number"]), numbered.period
    line_id = (
        f"{period.label.replace('-', '')}-",
        _digits(entry["number"], 6),
        "-",
        _digits(line["number"], 3),
    )
    return {
        "line_id": _joined(*line_id),
        "gl_entry_id": pa.array(np.zeros(count, dtype=np.int64)),
        "journal_batch": _joined("BATCH-", _digits(_batch(world, entry), 6)),
        "journal_entry": _entry_text(numbered.ordinal * ENTRIES_A_PERIOD + entry["number"]),
        "ledger": _same(LEDGER, count),
        "fiscal_period": _same(period.label, count),
        "fiscal_year": _same(period.year, count, pa.int32()),
        "fiscal_month": _same(period.number, count, pa.int32()),
        "entry_number": pa.array(entry["number"].astype(np.int32)),
        "line_number": pa.array(line["number"].astype(np.int32)),
        "reverses": _entry_text(entry["reverses"]),
    }


def _of_entries(world: World, entry: Table, line: Table) -> dict[str, Column]:
    """What all lines of an entry share, but for the lease in its description."""
    texts = _texts(world)
    moment = pa.array((entry["recorded"] * DAY_SECONDS + entry["second"]) * 1_000_000)
    created = moment.cast(pa.timestamp("us"))
    return {
        "entry_type": _word(ENTRY_TYPES, entry["entry_type"]),
        "transaction_date": _dates(entry["dated"]),
        "posting_date": _dates(entry["posted"]),
        "recorded_on": _dates(entry["recorded"]),
        "production_month": _months(entry["production"]),
        "journal_source": _word(SOURCES, entry["source"]),
        "transaction_type": _word(TRANSACTION_TYPES, entry["transaction_type"]),
        "description": _descriptions(texts, entry["description"], line["well"]),
        "created_by": _taken(texts["user"], entry["user"]),
        "approved_by": _taken(texts["user"], entry["approver"]),
        "created_timestamp": created,
        "last_modified": created,
    }


def _amounts(world: World, line: Table) -> dict[str, Column]:
    """The account, and what is booked on it."""
    texts, amount = _texts(world), line["amount"]
    account = pa.array(_ACCOUNT_ROWS[line["account"]])
    return {
        **{
            name: pc.take(texts[name], account)
            for name in ("account_code", "account_name", "account_class")
        },
        "debit_minor": pa.array(np.maximum(amount, 0)),
        "credit_minor": pa.array(np.maximum(-amount, 0)),
        "currency": _same(CURRENCY, len(amount)),
        "quantity": decimals(line["quantity"], line["quantity"] != NO_QUANTITY, 18, 3),
        "unit": _word(UNITS, line["unit"]),
        "product": _word(PRODUCTS, line["product"]),
        "share": decimals(line["share"], line["share"] >= 0, 9, 8),
    }


def _of_wells(world: World, line: Table) -> dict[str, Column]:
    """The well with its place, its project and its bill."""
    texts = _texts(world)
    shown_well = np.where(line["shown_well"] < 0, line["well"], line["shown_well"])
    return {
        **{name: _taken(texts[name], shown_well) for name in _SHOWN},
        **{name: _taken(texts[name], line["well"]) for name in _OF_WELL},
        "afe_number": _taken(texts["afe_number"], line["afe"]),
        "jib_number": _bills(texts["jib_number"], line["well"], line["jib_month"]),
    }


def _parties(world: World, line: Table) -> dict[str, Column]:
    """With whom, and under which document."""
    texts = _texts(world)
    return {
        **{name: _taken(texts[name], line["party"]) for name in ("party_type", "party_id")},
        "document": _documents(line["document_kind"], line["document"]),
        "due_date": _dates(line["due"]),
    }


def with_ids(table: pa.Table) -> pa.Table:
    """Lines in order of recording, whole days, with their `gl_entry_id`."""
    days = table["recorded_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    ordinal = np.arange(len(days)) - np.searchsorted(days, days) + 1
    ids = pa.array((days - _FIRST_DAY) * DAY_IDS + ordinal)
    return table.set_column(1, LINE_SCHEMA.field("gl_entry_id"), ids)


def decimals(units: Ints, there: Mask, precision: int, places: int) -> Column:
    """Integers of the last decimal place as decimals; null where they are not there."""
    wide = np.empty((len(units), 2), dtype=np.int64)
    wide[:, 0], wide[:, 1] = units, units >> 63
    bits = np.packbits(there, bitorder="little")
    kind = pa.decimal128(precision, places)
    buffers = [pa.py_buffer(bits), pa.py_buffer(wide)]
    return pa.Array.from_buffers(kind, len(units), buffers)


def _batch(world: World, entry: dict[str, Ints]) -> Ints:
    """A batch is what one source has recorded on one day."""
    opened = world.opened_on.toordinal() - EPOCH
    return (entry["recorded"] - opened) * _BATCHES_A_DAY + entry["source"] + 1


def _index(numbers: Ints) -> Column:
    return pa.array(numbers, mask=numbers < 0)


def _taken(table: Column, numbers: Ints) -> Column:
    return pc.take(table, _index(numbers))


def _word(words: Sequence[str], numbers: Ints) -> Column:
    return _taken(strings(words), numbers)


def _same(value: object, count: int, kind: Any = None) -> Column:
    return pa.repeat(pa.scalar(value, kind or pa.string()), count)


def _dates(days: Ints) -> Column:
    return pa.array(days.astype(np.int32), pa.int32(), mask=days < 0).cast(pa.date32())


def _joined(*parts: Column) -> Column:
    return pc.binary_join_element_wise(*parts, "")


def _digits(numbers: Ints, width: int) -> Column:
    """Numbers in decimal with zeros in front; each different one is written once."""
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    if high - low > 2 * len(numbers):
        return padded(numbers, width)
    return pc.take(padded(np.arange(low, high + 1), width), pa.array(numbers - low))


def _entry_text(numbers: Ints) -> Column:
    """`JE-01000001`; null where there is none."""
    return _joined("JE-", pc.utf8_lpad(pc.cast(_index(numbers), pa.string()), 8, "0"))


def _months(codes: Ints) -> Column:
    """202401 as `2024-01`."""
    different, index = np.unique(codes, return_inverse=True)
    texts = [f"{code // 100:04}-{code % 100:02}" if code > 0 else None for code in different]
    return pc.take(pa.array(texts, pa.string()), pa.array(index))


def _bills(bills: Column, well: Ints, month: Ints) -> Column:
    return _joined(
        _taken(bills, np.where(month < 0, -1, well)), pc.cast(_index(month), pa.string())
    )


def _documents(kind: Ints, number: Ints) -> Column:
    """`INV-001000001`; null where there is none."""
    prefixes = [f"{each}-" for each in DOCUMENT_KINDS]
    return _joined(_word(prefixes, kind), padded(number, 9))


def _descriptions(texts: dict[str, Column], words: Ints, well: Ints) -> Column:
    """The entry's words, and of a line of a well its lease."""
    lease = _joined(", ", _taken(texts["lease_name"], well))
    return _joined(_word(describe.words, words), pc.coalesce(lease, pa.scalar("")))
