"""Contracts: the promised shape of a dataset, and what is done with a record that breaks it."""

from clearhouse.core.contract.fields import Field
from clearhouse.core.contract.model import Contract, PayloadFormat
from clearhouse.core.contract.reading import READING_SCHEMA, read_payloads, read_records, row_texts
from clearhouse.core.contract.rows import rows_of
from clearhouse.core.contract.rules import Violation, violations
from clearhouse.core.contract.typed import TypedRecords, type_payloads, type_records

__all__ = [
    "READING_SCHEMA",
    "Contract",
    "Field",
    "PayloadFormat",
    "TypedRecords",
    "Violation",
    "read_payloads",
    "read_records",
    "row_texts",
    "rows_of",
    "type_payloads",
    "type_records",
    "violations",
]
