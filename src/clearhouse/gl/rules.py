"""What a journal must keep to: a flat list of pure functions from a journal to its violations.

A rule looks at the journal and at `Facts`, which hold what the ledger knows of it, and changes
nothing. All rules are asked, so that a refusal names everything that is wrong.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from clearhouse.gl.chart import Account
from clearhouse.gl.journal import CURRENCY, Journal, Line, Violation, is_user
from clearhouse.gl.periods import Period, Status

MOST_LINES = 1_000
MOST_CENTS = 10**13
"""Of an entry: a hundred thousand entries at this bound still have sums by account, which are
64-bit cents in the store and DECIMAL(18, 2) in the marts."""


@dataclass(frozen=True, slots=True)
class Reversed:
    """The entry that a journal undoes.

    Attributes:
        entry_type: its type.
        posted_on: its posting date.
        reversed_by: the journal entry that undid it before; None when there is none.
    """

    entry_type: str
    posted_on: dt.date
    reversed_by: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger knows and a journal does not.

    Attributes:
        chart: accounts by code.
        period: the period of the posting date; None where the ledger has none.
        today: the day of recording.
        wells: the wells that exist, among those that the journal names.
        documents: (party, document) of invoices that the ledger has, among the journal's.
        reverses: the entry that it undoes; None where there is no such entry.
        is_accountant: whether the preparer may post to a soft-closed period.
    """

    chart: Mapping[str, Account]
    period: Period | None
    today: dt.date
    wells: Collection[str] = frozenset()
    documents: Collection[tuple[str, str]] = frozenset()
    reverses: Reversed | None = None
    is_accountant: bool = False
    most_lines: int = field(default=MOST_LINES)


Rule = Callable[[Journal, Facts], Iterable[Violation]]


def violations(journal: Journal, facts: Facts) -> list[Violation]:
    """Everything that is wrong with a journal, in the order of the rules."""
    rules = RULES if journal.reverses is None else _OF_POSTING
    return [found for rule in rules for found in rule(journal, facts)]


def number_of_lines(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """An entry has at least one line that stands against another, and not too many."""
    if not journal.lines:
        yield Violation("no_lines", "An entry has lines.", "lines")
    elif len(journal.lines) > facts.most_lines:
        most = (
            f"An entry has at most {facts.most_lines:,} lines, and this has {len(journal.lines):,}."
        )
        yield Violation("too_many_lines", most, "lines")


def balance(journal: Journal, _facts: Facts) -> Iterator[Violation]:
    """Debits equal credits."""
    difference = sum(line.debit_minor - line.credit_minor for line in journal.lines)
    if difference:
        sentence = f"Debits less credits are {Decimal(difference) / 100:.2f}, and not 0."
        yield Violation("unbalanced", sentence, "lines")


def currency(journal: Journal, _facts: Facts) -> Iterator[Violation]:
    """The ledger is kept in one currency."""
    if journal.currency != CURRENCY:
        yield Violation("currency", f"The ledger is kept in {CURRENCY}.", "currency")


def one_side(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """A line has a debit or a credit; a statistical one has a quantity and neither."""
    for at, line in _numbered(journal):
        account = facts.chart.get(line.account_code)
        sides = bool(line.debit_minor) + bool(line.credit_minor)
        if account is not None and account.is_statistical:
            if sides:
                yield _of_line(at, "statistical_with_money", "A statistical account has no money.")
            if line.quantity is None:
                yield _of_line(
                    at, "no_quantity", "A statistical line counts something.", "quantity"
                )
        elif sides == 2:
            yield _of_line(at, "both_sides", "A line is a debit or a credit, and not both.")
        elif not sides:
            yield _of_line(at, "no_side", "A line has a debit or a credit.")


def cents(journal: Journal, _facts: Facts) -> Iterator[Violation]:
    """Amounts are not negative: what is negative belongs on the other side. They have a bound."""
    if sum(line.debit_minor for line in journal.lines) > MOST_CENTS:
        sentence = f"The debits of an entry are at most {MOST_CENTS // 100:,}."
        yield Violation("entry_too_large", sentence, "lines")
    for at, line in _numbered(journal):
        for side, minor in (("debit", line.debit_minor), ("credit", line.credit_minor)):
            if minor < 0:
                sentence = "A negative amount belongs on the other side."
                yield _of_line(at, "negative_amount", sentence, side)
            elif minor > MOST_CENTS:
                sentence = f"An amount is at most {MOST_CENTS // 100:,}."
                yield _of_line(at, "amount_too_large", sentence, side)


def accounts(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """Accounts are of the chart and in use; those that a subledger moves take no entry by hand."""
    for at, line in _numbered(journal):
        account = facts.chart.get(line.account_code)
        if account is None:
            yield _of_line(at, "unknown_account", "The chart has no such account.", "account_code")
        elif not account.active:
            sentence = f"{account.code} {account.name} is not in use."
            yield _of_line(at, "inactive_account", sentence, "account_code")
        elif account.control and journal.is_by_hand:
            sentence = (
                f"{account.code} {account.name} is moved by its subledger ({account.control})."
            )
            yield _of_line(at, "control_account", sentence, "account_code")


def subledgers(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """A line on a control account says whose it is, and by which document."""
    for at, line in _numbered(journal):
        account = facts.chart.get(line.account_code)
        if account is None or not account.control or journal.is_by_hand:
            continue
        if not _names_holder(line, account.control):
            sentence = f"A line on {account.code} names its {account.control}."
            yield _of_line(at, "party_missing", sentence, "party_id")
        if not line.document:
            sentence = f"A line on {account.code} names its document."
            yield _of_line(at, "document_missing", sentence, "document")


def _names_holder(line: Line, control: str) -> bool:
    """Whether a line says to whom or what of the subledger it belongs."""
    if control == "afe":
        return line.afe_number is not None
    if control == "well":
        return line.well_id is not None
    if control == "material":
        return True  # inventory is kept by its documents
    return line.party_type == control and line.party_id is not None


def wells(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """Revenue, operating cost and capital belong to a well, and a well that is named exists."""
    for at, line in _numbered(journal):
        account = facts.chart.get(line.account_code)
        if line.well_id is None:
            if account is not None and account.needs_well:
                sentence = f"A line on {account.code} names its well."
                yield _of_line(at, "well_missing", sentence, "well_id")
        elif line.well_id not in facts.wells:
            yield _of_line(at, "unknown_well", "The ledger has no such well.", "well_id")


def decks(journal: Journal, _facts: Facts) -> Iterator[Violation]:
    """Where amounts are cut by a deck, its shares sum to 1: by well, product and month."""
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for at, line in _numbered(journal):
        if line.share is None:
            continue
        if not 0 < line.share <= 1:
            yield _of_line(
                at, "share_out_of_range", "A share is more than 0 and at most 1.", "share"
            )
        sums[line.well_id or "", line.product or "", line.production_month or ""] += line.share
    for deck, total in sums.items():
        if total != 1:
            named = " ".join(filter(None, deck)) or "the entry"
            sentence = f"The shares of the deck of {named} sum to {total}, and not to 1."
            yield Violation("deck_not_one", sentence, "lines")


def period(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """The period of the posting date takes entries."""
    found = facts.period
    if found is None:
        sentence = f"The ledger has no period for {journal.posting_date}."
        yield Violation("period_unknown", sentence, "posting_date")
    elif found.status is Status.FUTURE:
        sentence = f"{found.name} is not open yet."
        yield Violation("period_future", sentence, "posting_date")
    elif found.status is Status.SOFT_CLOSED and not facts.is_accountant:
        sentence = f"{found.name} is soft-closed: it takes entries of accountants only."
        yield Violation("period_soft_closed", sentence, "posting_date")
    elif found.status in (Status.CLOSED, Status.LOCKED):
        sentence = f"{found.name} is {found.status}: post to an open period."
        yield Violation("period_closed", sentence, "posting_date")


def dates(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """Posted on or after the document's date, not before it is recorded, in its period."""
    if journal.posting_date > facts.today:
        sentence = f"The posting date is after today, {facts.today}."
        yield Violation("posting_in_future", sentence, "posting_date")
    if journal.transaction_date > journal.posting_date:
        sentence = "The document's date is after the posting date."
        yield Violation("transaction_after_posting", sentence, "transaction_date")
    found = facts.period
    if found and not found.first_day <= journal.posting_date <= found.last_day:
        sentence = f"{journal.posting_date} does not lie in {found.name}."
        yield Violation("date_outside_period", sentence, "posting_date")


def two_people(journal: Journal, _facts: Facts) -> Iterator[Violation]:
    """Who prepares an entry does not approve it."""
    if not is_user(journal.approved_by):
        yield Violation("approver_unknown", "The approver is a user: USER-123.", "approved_by")
    elif journal.approved_by == journal.prepared_by:
        sentence = f"{journal.prepared_by} prepares the entry and can't approve it."
        yield Violation("approver_is_preparer", sentence, "approved_by")


def documents(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """A vendor's invoice is booked once."""
    seen: set[tuple[str, str]] = set()
    for at, line in _numbered(journal):
        invoice = invoice_of(journal, line)
        if invoice is None:
            continue
        if invoice in facts.documents or invoice in seen:
            sentence = f"{invoice[0]}'s {invoice[1]} is booked already."
            yield _of_line(at, "duplicate_document", sentence, "document")
        seen.add(invoice)


def invoice_of(journal: Journal, line: Line) -> tuple[str, str] | None:
    """Vendor and document, where a line books a vendor's invoice."""
    is_invoice = journal.transaction_type == "INV" and line.party_type == "vendor"
    if is_invoice and line.credit_minor and line.party_id and line.document:
        return line.party_id, line.document
    return None


def reversals(journal: Journal, facts: Facts) -> Iterator[Violation]:
    """A reversal names an entry that exists, that nothing has undone, and that it comes after."""
    if journal.reverses is None:
        return
    found = facts.reverses
    if found is None:
        sentence = f"The ledger has no {journal.reverses}."
        yield Violation("reverses_unknown", sentence, "reverses")
    elif found.reversed_by is not None:
        sentence = f"{journal.reverses} is undone by {found.reversed_by} already."
        yield Violation("already_reversed", sentence, "reverses")
    elif found.entry_type == "reversal":
        sentence = f"{journal.reverses} is a reversal: post what it undid as a new entry."
        yield Violation("reversal_of_reversal", sentence, "reverses")
    elif journal.posting_date < found.posted_on:
        sentence = f"{journal.reverses} was posted on {found.posted_on}: undo it then or later."
        yield Violation("reversal_before_entry", sentence, "posting_date")


_OF_LINES: tuple[Rule, ...] = (
    number_of_lines,
    balance,
    currency,
    one_side,
    cents,
    accounts,
    subledgers,
    wells,
    decks,
    documents,
)
"""Not asked of a reversal: its lines are those of an entry that the ledger has taken."""
_OF_POSTING: tuple[Rule, ...] = (period, dates, two_people, reversals)
RULES = (*_OF_LINES, *_OF_POSTING)


def _numbered(journal: Journal) -> Iterator[tuple[int, Line]]:
    return iter(enumerate(journal.lines))


def _of_line(at: int, code: str, message: str, name: str = "") -> Violation:
    return Violation(code, message, f"lines[{at}].{name}" if name else f"lines[{at}]")
