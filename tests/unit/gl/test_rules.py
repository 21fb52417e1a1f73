"""Every rule of a journal, one by one: what keeps to it passes, what breaks it is named."""

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.journal import Journal, Line, read_minor
from clearhouse.gl.periods import Period, Status
from clearhouse.gl.rules import MOST_CENTS, Facts, Reversed, violations

DAY = dt.date(2026, 3, 10)
WELL = "PERM-1001"
EXPENSE = Line("7300", debit_minor=125_000)
CASH = Line("1010", credit_minor=125_000)
JOURNAL = Journal(DAY, DAY, (EXPENSE, CASH), "USER-101", "USER-201", "Insurance")
MARCH = Period("2026-03", 1, dt.date(2026, 3, 1), dt.date(2026, 3, 31), Status.OPEN)
FACTS = Facts(chart_of_accounts(), MARCH, DAY, wells={WELL})
PAID = Line("2010", credit_minor=125_000, party_type="vendor", party_id="VEN-001", document="INV-1")
INVOICE = dataclasses.replace(
    JOURNAL, lines=(EXPENSE, PAID), journal_source="AP", transaction_type="INV"
)


def closed_by(status: Status) -> Facts:
    return dataclasses.replace(FACTS, period=dataclasses.replace(MARCH, status=status))


def lines(*wanted: Line) -> Journal:
    return dataclasses.replace(JOURNAL, lines=wanted)


def with_first(journal: Journal = JOURNAL, **fields: Any) -> Journal:
    first, *others = journal.lines
    return dataclasses.replace(journal, lines=(dataclasses.replace(first, **fields), *others))


def with_last(journal: Journal, **fields: Any) -> Journal:
    *others, last = journal.lines
    return dataclasses.replace(journal, lines=(*others, dataclasses.replace(last, **fields)))


def with_heading(**fields: Any) -> Journal:
    return dataclasses.replace(JOURNAL, **fields)


def with_facts(**fields: Any) -> Facts:
    return dataclasses.replace(FACTS, **fields)


def cut(*shares: str) -> Journal:
    own, partners = (Decimal(share) for share in shares)
    return lines(
        Line("5100", debit_minor=60, well_id=WELL, share=own),
        Line("1140", debit_minor=40, well_id=WELL, share=partners),
        Line("1010", credit_minor=100),
    )


NOT_IN_USE = {
    **chart_of_accounts(),
    "7300": dataclasses.replace(chart_of_accounts()["7300"], active=False),
}
REVERSAL = with_heading(reverses="JE-00000001", journal_source="REVERSAL", entry_type="reversal")
POSTED, LATE = dt.date(2026, 3, 1), dt.date(2026, 3, 11)
ON_WELL = Line("5100", debit_minor=125_000, well_id=WELL)
NO_WELL = Line("5100", debit_minor=125_000)
HALF = Line("7300", debit_minor=MOST_CENTS // 2)
DAYS = Line("9100", quantity=Decimal(31), well_id=WELL)

KEPT = {
    "a plain journal": (JOURNAL, FACTS),
    "an invoice of a vendor": (INVOICE, FACTS),
    "a swap's gain, of no well": (lines(Line("4700", debit_minor=125_000), CASH), FACTS),
    "a cost on a well": (lines(ON_WELL, CASH), FACTS),
    "a deck that covers": (cut("0.6", "0.4"), FACTS),
    "well-days, without money": (lines(DAYS), FACTS),
    "an accountant in a soft-closed period": (
        JOURNAL,
        dataclasses.replace(closed_by(Status.SOFT_CLOSED), is_accountant=True),
    ),
    "a reversal": (REVERSAL, with_facts(reverses=Reversed("standard", POSTED, None))),
    "a reversal of an entry with two decks": (
        dataclasses.replace(cut("0.6", "0.6"), reverses="JE-00000001"),
        with_facts(reverses=Reversed("standard", POSTED, None)),
    ),
    "a reversal of a credit note to an invoice that stands": (
        dataclasses.replace(INVOICE, reverses="JE-00000001"),
        with_facts(reverses=Reversed("standard", POSTED, None), documents={("VEN-001", "INV-1")}),
    ),
    "a reversal on an account that is in use no more": (
        REVERSAL,
        with_facts(reverses=Reversed("standard", POSTED, None), chart=NOT_IN_USE),
    ),
}

BROKEN: list[tuple[str, str, Journal, Facts]] = [
    ("no_lines", "lines", lines(), FACTS),
    ("too_many_lines", "lines", JOURNAL, with_facts(most_lines=1)),
    ("unbalanced", "lines", with_first(debit_minor=125_001), FACTS),
    ("currency", "currency", with_heading(currency="EUR"), FACTS),
    ("both_sides", "lines[2]", with_last(lines(EXPENSE, CASH, CASH), debit_minor=1), FACTS),
    ("no_side", "lines[1]", lines(EXPENSE, Line("1010"), CASH), FACTS),
    ("statistical_with_money", "lines[0]", with_first(lines(DAYS), debit_minor=1), FACTS),
    ("no_quantity", "lines[0].quantity", with_first(lines(DAYS), quantity=None), FACTS),
    ("negative_amount", "lines[0].debit", with_first(debit_minor=-125_000), FACTS),
    ("amount_too_large", "lines[0].debit", with_first(debit_minor=10**16), FACTS),
    ("entry_too_large", "lines", lines(*[HALF] * 3, CASH), FACTS),
    ("unknown_account", "lines[0].account_code", with_first(account_code="7999"), FACTS),
    ("inactive_account", "lines[0].account_code", JOURNAL, with_facts(chart=NOT_IN_USE)),
    ("control_account", "lines[0].account_code", with_first(account_code="2010"), FACTS),
    ("party_missing", "lines[1].party_id", with_last(INVOICE, party_id=None), FACTS),
    ("party_missing", "lines[1].party_id", with_last(INVOICE, party_type="owner"), FACTS),
    ("document_missing", "lines[1].document", with_last(INVOICE, document=None), FACTS),
    ("well_missing", "lines[0].well_id", lines(NO_WELL, CASH), FACTS),
    ("unknown_well", "lines[0].well_id", lines(ON_WELL, CASH), with_facts(wells=())),
    ("deck_not_one", "lines", cut("0.6", "0.3"), FACTS),
    ("share_out_of_range", "lines[1].share", cut("1", "0"), FACTS),
    ("period_unknown", "posting_date", JOURNAL, with_facts(period=None)),
    ("period_future", "posting_date", JOURNAL, closed_by(Status.FUTURE)),
    ("period_soft_closed", "posting_date", JOURNAL, closed_by(Status.SOFT_CLOSED)),
    ("period_closed", "posting_date", JOURNAL, closed_by(Status.CLOSED)),
    ("period_closed", "posting_date", JOURNAL, closed_by(Status.LOCKED)),
    ("posting_in_future", "posting_date", with_heading(posting_date=LATE), FACTS),
    (
        "transaction_after_posting",
        "transaction_date",
        with_heading(transaction_date=LATE),
        FACTS,
    ),
    (
        "date_outside_period",
        "posting_date",
        with_heading(posting_date=dt.date(2026, 2, 28), transaction_date=dt.date(2026, 2, 28)),
        FACTS,
    ),
    ("approver_is_preparer", "approved_by", with_heading(approved_by="USER-101"), FACTS),
    ("approver_unknown", "approved_by", with_heading(approved_by=""), FACTS),
    (
        "duplicate_document",
        "lines[1].document",
        INVOICE,
        with_facts(documents={("VEN-001", "INV-1")}),
    ),
    ("reverses_unknown", "reverses", REVERSAL, FACTS),
    (
        "already_reversed",
        "reverses",
        REVERSAL,
        with_facts(reverses=Reversed("standard", POSTED, "JE-00000002")),
    ),
    (
        "reversal_of_reversal",
        "reverses",
        REVERSAL,
        with_facts(reverses=Reversed("reversal", POSTED, None)),
    ),
    (
        "reversal_before_entry",
        "posting_date",
        REVERSAL,
        with_facts(reverses=Reversed("standard", LATE, None)),
    ),
]


@pytest.mark.parametrize("case", KEPT)
def test_what_keeps_to_the_rules_passes(case: str) -> None:
    assert violations(*KEPT[case]) == []


@pytest.mark.parametrize(
    ("code", "field", "journal", "facts"), BROKEN, ids=[f"{b[0]}-{n}" for n, b in enumerate(BROKEN)]
)
def test_what_breaks_a_rule_is_named_with_its_place(
    code: str, field: str, journal: Journal, facts: Facts
) -> None:
    assert (code, field) in [(each.code, each.field) for each in violations(journal, facts)]


def test_one_document_twice_in_an_entry_is_a_duplicate() -> None:
    twice = dataclasses.replace(INVOICE, lines=(EXPENSE, EXPENSE, PAID, PAID))
    assert [each.code for each in violations(twice, FACTS)] == ["duplicate_document"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = with_heading(currency="EUR", approved_by="USER-101", lines=())
    codes = [each.code for each in violations(wrong, FACTS)]
    assert codes == ["no_lines", "currency", "approver_is_preparer"]


@pytest.mark.parametrize(
    ("amount", "minor", "codes"),
    [
        ("12.34", 1234, []),
        ("1E+3", 100_000, []),
        ("0.1", 10, []),
        ("1.005", 100, ["fractional_cents"]),
        ("12345678901.010000000000000000000000001", 1_234_567_890_101, ["fractional_cents"]),
        ("-0.001", 0, ["fractional_cents"]),
        ("1E+999999", 0, ["amount_too_large"]),
    ],
)
def test_amounts_are_read_as_whole_cents_or_refused(
    amount: str, minor: int, codes: list[str]
) -> None:
    read, found = read_minor(Decimal(amount), "debit")
    assert (read, [each.code for each in found]) == (minor, codes)
