"""The amount that the books count of a record, by its contract: from text, columns and SQL.

An amount is a decimal of its currency, or (form `minor`) a whole number of the currency's minor
units. A record that may lack its amount, and does, counts as 0 of XXX.
"""

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.amounts import minor_of_decimals, minor_of_texts, minor_of_whole_texts
from clearhouse.core.columnar import Dialect
from clearhouse.core.contract.model import Contract
from clearhouse.core.money import NO_CURRENCY, minor_from_text, minor_from_whole

Amounts = tuple[pa.ChunkedArray, pa.ChunkedArray]
"""Minor units and currencies."""


def minor_of_text(text: str, currency: str, contract: Contract) -> int:
    """Minor units of an amount's text.

    Raises:
        MoneyError: it is no exact amount of the currency, or the currency is unknown.
    """
    read = minor_from_whole if contract.amount.is_minor else minor_from_text
    return read(text, currency)


def amounts_of_texts(
    numbers: pa.ChunkedArray, codes: pa.ChunkedArray, contract: Contract
) -> Amounts:
    """What `minor_of_text` says of columns of texts; 0 of XXX where it refuses one."""
    read = minor_of_whole_texts if contract.amount.is_minor else minor_of_texts
    return read(numbers, codes)


def amounts_of_columns(typed: pa.Table, codes: pa.ChunkedArray, contract: Contract) -> Amounts:
    """Minor units and currencies of typed records.

    Args:
        typed: their columns, under the source's names.
        codes: the currency of each, as it was read in its text.
        contract: as the source states it.
    """
    amounts = typed[contract.amount.source_name]
    constant = contract.currency.constant
    stated = codes if constant is not None else typed[contract.currency.source_name]
    if not contract.amount.is_minor:
        return minor_of_decimals(amounts, codes), stated
    is_there = pc.is_valid(amounts)
    return pc.fill_null(amounts, 0), pc.if_else(is_there, stated, NO_CURRENCY)


def amount_sql(contract: Contract, dialect: Dialect, of: str = "") -> tuple[str, str]:
    """SQL of the minor units and of the currency of rows that have the contract's columns.

    Args:
        contract: names the columns.
        dialect: the engine's.
        of: what stands before a column's name, such as `r.`.
    """
    amount, currency = f"{of}{contract.amount.name}", f"{of}{contract.currency.name}"
    if not contract.amount.is_minor:
        digits = contract.amount.arrow_type.precision
        return dialect.minor_units(amount, currency, digits=digits), currency
    if contract.amount.required:
        return amount, currency
    none = dialect.text(NO_CURRENCY)
    return (
        f"coalesce({amount}, 0)",
        f"CASE WHEN {amount} IS NULL THEN {none} ELSE coalesce({currency}, {none}) END",
    )
