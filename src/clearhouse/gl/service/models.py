"""What the interface takes and gives, as its OpenAPI document describes it.

Models that are taken are loose where a rule of the ledger speaks for itself: a fraction of a cent
or an unknown account is refused with its own code, together with all else that is wrong.
"""

import datetime as dt
import re
from decimal import Decimal
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
)

from clearhouse.gl.journal import CURRENCY, LEDGER, Journal, Line, Violation, read_minor
from clearhouse.gl.service.tables import MAY_BE_NULL
from clearhouse.sandbox.gl.schema import LINE_SCHEMA

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN)]
_WORD = "[A-Za-z0-9._/&'-]+"
Name = Annotated[str, StringConstraints(max_length=40, pattern=f"^{_WORD}( +{_WORD})*$")]
"""A blank at its end, as of what was pasted, would make one vendor or invoice two."""
PeriodName = Annotated[str, StringConstraints(pattern=r"^2[01][0-9]{2}-(0[1-9]|1[0-2])$")]
Month = PeriodName
JournalName = Annotated[str, StringConstraints(pattern=r"^JE-[0-9]{8,12}$")]
Day = Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), le=dt.date(2199, 12, 31))]
User = Annotated[str, StringConstraints(max_length=20, pattern=r"^[A-Za-z0-9-]*$")]
EntryType = Literal["standard", "recurring", "accrual", "true_up", "allocation", "statistical"]
Source = Literal[
    "AP", "AR", "JIB", "PA", "PROD", "MANUAL", "ADJ", "REV", "TAX", "GLACCR", "DDA", "ARO"
]
TransactionType = Literal["INV", "PAY", "ADJ", "ALLOC", "ACCR", "REV"]
PartyType = Literal["owner", "partner", "vendor", "purchaser", "authority"]

_MOST_LINES_READ = 5_000
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
EXAMPLE_JOURNAL: dict[str, Any] = {
    "posting_date": "2026-03-10",
    "description": "Insurance of the field office",
    "approved_by": "USER-456",
    "lines": [
        {"account_code": "7300", "debit": "1250.00"},
        {"account_code": "1010", "credit": "1250.00"},
    ],
}


def _plainly_written(value: Any) -> Any:
    """Refuse texts that are numbers to Python alone: `1_000`, ` 1`, and digits of other scripts."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("An amount is written as 1250.00")
    return value


Amount = Annotated[Decimal, Field(allow_inf_nan=False), BeforeValidator(_plainly_written)]


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineIn(_Taken):
    """A line to be posted: a debit or a credit in dollars with two decimals."""

    account_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
    debit: Amount = Decimal(0)
    credit: Amount = Decimal(0)
    description: Text | None = None
    quantity: Decimal | None = Field(None, max_digits=13, decimal_places=3)
    unit: Literal["bbl", "mcf", "gal", "usd", "days"] | None = None
    product: Literal["OIL", "GAS", "NGL"] | None = None
    share: Decimal | None = Field(None, max_digits=9, decimal_places=8)
    production_month: Month | None = None
    well_id: Name | None = None
    afe_number: Name | None = None
    jib_number: Name | None = None
    cost_center: Name | None = None
    party_type: PartyType | None = None
    party_id: Name | None = None
    document: Name | None = None
    due_date: Day | None = None

    def read(self, at: int) -> tuple[Line, list[Violation]]:
        """The line with its money in cents, and what is wrong with that."""
        debit, found = read_minor(self.debit, f"lines[{at}].debit")
        credit, more = read_minor(self.credit, f"lines[{at}].credit")
        same = self.model_dump(exclude={"debit", "credit", "description"})
        line = Line(
            debit_minor=debit, credit_minor=credit, description=self.description or "", **same
        )
        return line, found + more


class JournalIn(_Taken):
    """A journal to be posted. The preparer is the user of the key."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_JOURNAL]})

    posting_date: Day = Field(description="Accounting date; it names the fiscal period.")
    transaction_date: Day | None = Field(None, description="Of the document. Default: posting.")
    description: Text
    approved_by: User = Field(description="A user who is not the preparer.")
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = CURRENCY
    entry_type: EntryType = "standard"
    journal_source: Source = "MANUAL"
    transaction_type: TransactionType = "ADJ"
    lines: list[LineIn] = Field(max_length=_MOST_LINES_READ)

    def read(self, prepared_by: str) -> tuple[Journal, list[Violation]]:
        """The journal, and what is wrong with its amounts."""
        read = [line.read(at) for at, line in enumerate(self.lines)]
        journal = Journal(
            posting_date=self.posting_date,
            transaction_date=self.transaction_date or self.posting_date,
            lines=tuple(line for line, _ in read),
            prepared_by=prepared_by,
            approved_by=self.approved_by,
            description=self.description,
            currency=self.currency,
            entry_type=self.entry_type,
            journal_source=self.journal_source,
            transaction_type=self.transaction_type,
        )
        return journal, [each for _, found in read for each in found]


class ReversalIn(_Taken):
    """What undoes an entry."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "posting_date": "2026-03-11",
                    "description": "Booked to the wrong office",
                    "approved_by": "USER-456",
                }
            ]
        }
    )

    posting_date: Day = Field(description="In an open period.")
    description: Text
    approved_by: User


class PeriodChangeIn(_Taken):
    """Why a period is changed, and who approves it: needed to reopen and to lock."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "Invoice of a vendor came late", "approved_by": "USER-456"}]
        }
    )

    reason: Annotated[str, StringConstraints(max_length=200, pattern=_PLAIN)] = ""
    approved_by: User = ""


def _line_out() -> type[BaseModel]:
    """A line as JSON, from the columns of a line."""
    fields: dict[str, Any] = {}
    for column in LINE_SCHEMA:
        name = column.name.removesuffix("_minor")
        is_number = pa.types.is_integer(column.type) and name == column.name
        kind: Any = int if is_number else str
        fields[name] = (kind | None if name in MAY_BE_NULL else kind, ...)
        if name == "credit":
            fields["amount"] = (Annotated[str, Field(description="Debit less credit.")], ...)
    model: type[BaseModel] = create_model("LineOut", __doc__="A line of an entry.", **fields)
    return model


LineOut = _line_out()


class LinePage(BaseModel):
    """Some lines."""

    data: list[LineOut]  # type: ignore[valid-type]
    next_cursor: str | None = Field(description="To be sent as `cursor`; null at the end.")


class JournalOut(BaseModel):
    """An entry with its lines."""

    journal_entry: str
    ledger: str = LEDGER
    fiscal_period: str
    entry_number: int
    entry_type: str
    reverses: str | None
    reversed_by: str | None
    recorded_on: str
    debit: str
    lines: list[LineOut]  # type: ignore[valid-type]


class JournalPage(BaseModel):
    """Some entries."""

    data: list[JournalOut]
    next_cursor: str | None


class AccountOut(BaseModel):
    """An account of the chart."""

    code: str
    name: str
    account_class: str
    normal_side: str
    control: str
    statement: str
    caption: str
    cash_flow: str
    active: bool


class BalanceOut(BaseModel):
    """An account's sums in dollars; balances are debit less credit."""

    account_code: str
    account_name: str
    account_class: str
    normal_side: str
    opening_balance: str
    debits: str
    credits: str
    closing_balance: str


class TrialBalance(BaseModel):
    """Every account; debits equal credits."""

    fiscal_period: str | None
    at: str | None
    debits: str
    credits: str
    accounts: list[BalanceOut]


class CertificateOut(BaseModel):
    """What a period held when it was closed."""

    entries: int
    lines: int
    debit: str
    digest: str
    voided: bool


class EventOut(BaseModel):
    """What was done with a period."""

    change: str
    status: str
    asked_by: str
    approved_by: str
    reason: str
    at: str
    certificate: CertificateOut | None


class PeriodOut(BaseModel):
    """A fiscal period."""

    fiscal_period: str
    first_day: str
    last_day: str
    status: str


class PeriodWithEvents(PeriodOut):
    """A fiscal period and its history."""

    events: list[EventOut]


class ViolationOut(BaseModel):
    """One reason."""

    code: str
    message: str
    field: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    violations: list[ViolationOut] | None = None
