"""A contract with a field of every kind, and records that keep it."""

from pathlib import Path

from clearhouse.core.contract import Contract

DATA = Path(__file__).parent / "unit" / "core" / "data"
CONTRACT = Contract.load(DATA / "wide.yaml")
FIELDS = {
    "_at": '"2024-03-09T10:11:12"',
    "id": '"t-1"',
    "amount": "45.90",
    "currency": '"USD"',
    "kind": '"a"',
    "level": "4",
    "count": "7",
    "score": "0.5",
    "flag": "true",
}


def line(**changes: str | None) -> bytes:
    """A record that keeps the contract, with fields as raw JSON; None leaves one out."""
    fields = {k: v for k, v in {**FIELDS, **changes}.items() if v is not None}
    return ("{" + ", ".join(f'"{k}": {v}' for k, v in fields.items()) + "}").encode()
