"""Contracts: the promised shape of a dataset, and what is done with a record that breaks it."""

from clearhouse.core.contract.model import Contract, Field
from clearhouse.core.contract.rules import Violation, violations
from clearhouse.core.contract.typed import TypedRecords, type_records

__all__ = ["Contract", "Field", "TypedRecords", "Violation", "type_records", "violations"]
