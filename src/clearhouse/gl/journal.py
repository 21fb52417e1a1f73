"""A journal as it is asked to be posted: a heading and its lines, money in cents."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

CURRENCY = "USD"
LEDGER = "OPERATOR"

BY_HAND = frozenset({"MANUAL", "ADJ"})
"""Sources of entries that people write; all others come from a subledger or the close."""

_USER = re.compile(r"USER-[0-9]{3,6}")


def is_user(text: str) -> bool:
    """Whether a text names a user, in the one way that there is: two people are two texts."""
    return _USER.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason why a journal, or a change of a period, is refused.

    Attributes:
        code: a stable snake_case word.
        message: one sentence for a person.
        field: where the fault stands, as in `lines[2].debit`; empty for the whole.
    """

    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal.

    Attributes:
        debit_minor, credit_minor: cents; one of the two is 0, both on a statistical account.
        quantity: volume sold, or what a statistical account counts.
        share: the share of the deck by which the amount was cut.
    """

    account_code: str
    debit_minor: int = 0
    credit_minor: int = 0
    description: str = ""
    quantity: Decimal | None = None
    unit: str | None = None
    product: str | None = None
    share: Decimal | None = None
    production_month: str | None = None
    well_id: str | None = None
    afe_number: str | None = None
    jib_number: str | None = None
    cost_center: str | None = None
    party_type: str | None = None
    party_id: str | None = None
    document: str | None = None
    due_date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """An entry that is not posted yet.

    Attributes:
        posting_date: the accounting date; it names the fiscal period.
        transaction_date: the date of the document or event.
        reverses: the journal entry that this one undoes.
        prepared_by, approved_by: two users.
    """

    posting_date: dt.date
    transaction_date: dt.date
    lines: tuple[Line, ...]
    prepared_by: str
    approved_by: str
    description: str
    ledger: str = LEDGER
    currency: str = CURRENCY
    entry_type: str = "standard"
    journal_source: str = "MANUAL"
    transaction_type: str = "ADJ"
    reverses: str | None = None

    @property
    def is_by_hand(self) -> bool:
        """Whether a person wrote it."""
        return self.journal_source in BY_HAND


def read_minor(amount: Decimal, field: str) -> tuple[int, list[Violation]]:
    """Cents of an amount in dollars, and what is wrong with it. Nothing is rounded up.

    Args:
        amount: a finite number.
        field: where it stands.
    """
    if abs(amount.adjusted()) > _MOST_DIGITS and amount:
        return 0, [
            Violation("amount_too_large", f"An amount has at most {_MOST_DIGITS} digits.", field)
        ]
    exact = Fraction(amount) * 100  # a product of decimals would be rounded to 28 digits
    minor = int(exact)
    if minor != exact:
        return minor, [
            Violation("fractional_cents", f"{amount} is not a whole number of cents.", field)
        ]
    return minor, []


_MOST_DIGITS = 15
