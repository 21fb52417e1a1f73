"""The one textual form of each physical type: patterns that Python's `re` and RE2 read alike."""

from clearhouse.core.contract.fields import Field
from clearhouse.core.money import text_pattern

DATE = "[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
"""Years 1000 to 2999: Arrow's reader takes the year 0, which no calendar here has."""
NAIVE = DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
OFFSET = NAIVE + "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
INTEGER = "(?:0|-?[1-9][0-9]*)"
"""A whole number in canonical form. JSON's own `-0` is not among them."""


def text_form(field: Field) -> str | None:
    """The pattern of a field's value without quotes; None where JSON's own types say all."""
    if field.places is not None:
        return text_pattern(field.places)
    if field.physical_type == "timestamp":
        return OFFSET if field.has_offset else NAIVE
    if field.physical_type == "date":
        return DATE
    return INTEGER if field.is_text else None


def is_quoted(field: Field) -> bool:
    """Whether the value stands in double quotes in the source's JSON."""
    return field.is_text or field.physical_type in ("string", "timestamp", "date")
