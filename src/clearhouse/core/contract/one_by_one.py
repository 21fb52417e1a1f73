"""Rows in doubt, judged one at a time by the contract's rules: accepted, or rejected with reasons.

At some 100 µs a row of 45 fields this is the slow path. It takes a row that breaks a rule, whose
text could be read in two ways (an escape in a row with unknown fields, a field's name inside a
nested value), or all rows of a payload that Arrow refuses: one value of another JSON type is
enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from clearhouse.core.contract.amounts import minor_of_text
from clearhouse.core.contract.columnar import columns_of, under_our_names
from clearhouse.core.contract.lines import split_lines
from clearhouse.core.contract.model import Contract
from clearhouse.core.contract.reading import own_bytes
from clearhouse.core.contract.rows import Rows
from clearhouse.core.contract.rules import Violation, decode, violations
from clearhouse.core.contract.unknown import extra_text, json_text
from clearhouse.core.errors import ContractError, MoneyError
from clearhouse.core.money import NO_CURRENCY

_DATE_CHARACTERS = 10
_AMBIGUOUS = Violation(
    "", "ambiguous", "The books and a JSON reader find different keys or amounts in the text."
)


@dataclass(frozen=True)
class Rejected:
    """A row that breaks its contract, whole, with the books' reading of it.

    Attributes:
        line: the row's ordinal in its payload, from 1.
        raw: the row's own bytes.
    """

    line: int
    record_id: str
    record_key: str
    amount_minor: int
    currency: str
    raw: bytes
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class Judged:
    """What became of rows in doubt.

    Attributes:
        accepted: the contract's columns and `extra`.
        indices: which rows these are.
        rejected: the others.
    """

    accepted: pa.Table
    indices: Sequence[int]
    rejected: tuple[Rejected, ...]


def judge(rows: Rows, suspects: Sequence[int], reading: pa.Table, contract: Contract) -> Judged:
    """Judge the rows at some indices."""
    if not suspects:
        return Judged(_retyped([], contract), [], ())
    lines, raw = split_lines(rows.lines), own_bytes(rows)
    spine = reading.take(pa.array(suspects, pa.int64())).to_pylist()
    good: dict[int, dict[str, Any]] = {}
    rejected: list[Rejected] = []
    for index, read in zip(suspects, spine, strict=True):
        broken = _violations(rows, index, lines[index], contract)
        record = {} if broken else decode(lines[index])
        if not broken and not _read_alike(record, read, contract):
            broken = [_AMBIGUOUS]
        if broken:
            rejected.append(_rejected(read, raw[index], broken))
        else:
            good[index] = record
    return Judged(_retyped(list(good.values()), contract), list(good), tuple(rejected))


def _violations(rows: Rows, index: int, line: bytes, contract: Contract) -> list[Violation]:
    fault = rows.faults.get(index)
    if fault is not None:
        return [Violation("", "not_a_row", fault)]
    return violations(line, contract)


def _read_alike(record: dict[str, Any], read: dict[str, Any], contract: Contract) -> bool:
    key = "|".join(
        f.constant or _key_part(record[f.source_name], f.physical_type) for f in contract.key
    )
    try:
        minor, currency = _amount_of(record, contract)
    except MoneyError:
        return False
    key_read = contract.without_ordinal(read["_record_key"])
    as_read = (key_read, read["currency"], read["amount_minor"])
    return as_read == (key, currency, minor)


def _amount_of(record: dict[str, Any], contract: Contract) -> tuple[int, str]:
    """Minor units and currency of a record that keeps its contract.

    Raises:
        MoneyError: it has an amount that is none of its currency.
    """
    amount = record.get(contract.amount.source_name)
    if amount is None:  # the contract does not require it
        return 0, NO_CURRENCY
    currency = contract.currency.constant or record.get(contract.currency.source_name) or ""
    return minor_of_text(str(amount), currency, contract), currency


def _key_part(value: str, physical_type: str) -> str:
    if physical_type == "timestamp":
        return value[:_DATE_CHARACTERS]
    return str(int(value)) if physical_type == "bigint" else value


def _rejected(read: dict[str, Any], raw: bytes, broken: Sequence[Violation]) -> Rejected:
    return Rejected(
        line=read["line"],
        record_id=read["_record_id"],
        record_key=read["_record_key"],
        amount_minor=read["amount_minor"],
        currency=read["currency"],
        raw=raw,
        violations=tuple(broken),
    )


def _retyped(records: Sequence[dict[str, Any]], contract: Contract) -> pa.Table:
    """Records that keep the contract, as columns: the known fields by Arrow's reader once more."""
    known = contract.by_source_name
    extra = [extra_text({k: r[k] for k in r if k not in known}) for r in records]
    lines = [json_text({k: r[k] for k in known if k in r}).encode() + b"\n" for r in records]
    typed = pa.schema([(f.source_name, f.arrow_type) for f in contract.sent]).empty_table()
    if lines:
        columns = columns_of(b"".join(lines), contract)
        if columns is None:
            raise ContractError(
                f"The rules of {contract.id} accept a record that its columns can't hold; "
                "please report this with the day it happened on."
            )
        typed = columns.typed
    return under_our_names(typed, contract).append_column("extra", pa.array(extra, pa.string()))
