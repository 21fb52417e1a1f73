"""The statements over a small ledger made by hand: each figure can be reckoned on paper."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from domain_warehouse import DomainWarehouse, documented_columns
from unit.gl.journals import A_WELL, journal, of, party

from clearhouse.engines.dbt_runner import preload
from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.domain import GL

PUR, VEN, OWN = "PUR-01", "VEN-001", "OWN-0001"
SALE = {"production_month": "2024-01", **A_WELL}
RUN = party("purchaser", PUR, "RUN-1", "2024-02-20")
OWED = party("owner", OWN, "RUN-1")
BILL = party("vendor", VEN, "INV-1", "2024-01-25")
SHARED = party("partner", "PAR-01", "INV-1")
BILLED = {
    **party("partner", "PAR-01", "JIB-1", "2024-03-20"),
    **A_WELL,
    "jib_number": "JIB-TX-0001-202401",
}
TAKEN_BACK = {**BILLED, "jib_number": "JIB-TX-0000-202401"}
BILL_OF_ANOTHER = {
    **BILLED,
    **party("partner", "PAR-02", "JIB-2", "2024-03-20"),
    "jib_number": "JIB-TX-0000-202401",
}
BILLED_AGAIN = {
    **BILLED,
    **party("partner", "PAR-01", "JIB-3", "2024-03-20"),
    "jib_number": "JIB-TX-0009-202401",
}
AFE = {"afe_number": "AFE-2024-0001", **A_WELL}

OPENING = journal(
    1, "2024-01-01", of("1010", "1000.00"), of("3010", "-1000.00"), entry_type="opening"
)
JANUARY = [
    *journal(
        2, "2024-01-10",
        of("1120", "600.00", **RUN, **A_WELL),
        of("4100", "-450.00", **SALE, product="OIL", quantity="6.000", unit="bbl"),
        of("2110", "-150.00", **OWED, **A_WELL),
    ),
    *journal(
        3, "2024-01-10",
        of("5100", "60.00", **A_WELL), of("1140", "40.00", **A_WELL, **SHARED),
        of("2010", "-100.00", **BILL),
    ),
    *journal(
        4, "2024-01-10",
        of("9500", "0.00", **AFE, quantity="1000.000", unit="usd"), entry_type="statistical",
    ),
    *journal(
        5, "2024-01-10",
        of("6100", "300.00", **AFE), of("1140", "200.00", **AFE, **SHARED),
        of("1010", "-500.00"),
    ),
    *journal(6, "2024-01-31", of("8100", "42.00", **A_WELL), of("1380", "-42.00", **A_WELL)),
    *journal(
        9, "2024-01-31",
        of("6100", "30.00", **AFE),
        of("1140", "20.00", **AFE, party_type="partner", party_id="PAR-01"),
        of("2030", "-50.00", **AFE), entry_type="accrual",
    ),
    *journal(7, "2024-01-31", of("7100", "12.34"), of("1010", "-12.34")),
]  # fmt: skip
FEBRUARY = [
    *journal(1, "2024-02-20", of("1010", "600.00"), of("1120", "-600.00", **RUN, **A_WELL)),
    *journal(
        2, "2024-02-20", of("2110", "150.00", **OWED, **A_WELL), of("2120", "-150.00", **OWED)
    ),
    *journal(4, "2024-02-02", of("1130", "240.00", **BILLED), of("1140", "-240.00", **BILLED)),
    *journal(5, "2024-02-02", of("1130", "4.00", **BILLED), of("7200", "-4.00", **A_WELL)),
    *journal(6, "2024-02-01", of("1130", "7.00", **TAKEN_BACK), of("1130", "-7.00", **TAKEN_BACK)),
    *journal(7, "2024-02-01", of("1130", "3.00", **BILL_OF_ANOTHER), of("1140", "-3.00", **A_WELL)),
    *journal(
        8, "2024-02-13", of("1130", "2.00", **BILLED_AGAIN), of("1140", "-2.00", **BILLED_AGAIN)
    ),
    *journal(3, "2024-02-29", of("8400", "100.00", **A_WELL), of("6900", "-100.00", **AFE)),
]
LATE = journal(
    8, "2024-01-31",
    of("5100", "1.00", **A_WELL), of("1140", "2.00", **A_WELL, **SHARED),
    of("1010", "-1.00"), of("2020", "-2.00"), recorded="2024-02-03",
)  # fmt: skip
MARCH = journal(
    1, "2024-03-01",
    of("4100", "150.00", **SALE, product="OIL", quantity="-2.000", unit="bbl"),
    of("1010", "-150.00"), entry_type="reversal",
)  # fmt: skip
DAYS = sorted({str(r["_book_date"]) for r in [*OPENING, *JANUARY, *FEBRUARY, *MARCH]})


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainWarehouse]:
    """All published, and the late entry after the days that follow it."""
    preload()
    warehouse = DomainWarehouse(tmp_path_factory.mktemp("ledger"), GL)
    warehouse.set_bronze([*OPENING, *JANUARY, *FEBRUARY, *LATE, *MARCH])
    warehouse.build(*DAYS, "2024-02-03")
    warehouse.publish(*DAYS)
    warehouse.publish("2024-02-03")
    yield warehouse
    warehouse.engine.close()


def rows(ledger: DomainWarehouse, columns: str, view: str, where: str = "true") -> list[Any]:
    return ledger.execute(f"select {columns} from marts.gl_{view} where {where} order by all")


def test_a_trial_balance_carries_balances_forward_and_sums_to_nothing(
    ledger: DomainWarehouse,
) -> None:
    cash = rows(
        ledger, "fiscal_period, opening_balance, debits, credits, closing_balance",
        "trial_balance", "account_code = '1010'",
    )  # fmt: skip
    assert cash == [
        ("2024-01", Decimal("1000.00"), Decimal(0), Decimal("513.34"), Decimal("486.66")),
        ("2024-02", Decimal("486.66"), Decimal(600), Decimal(0), Decimal("1086.66")),
        ("2024-03", Decimal("1086.66"), Decimal(0), Decimal(150), Decimal("936.66")),
    ]
    sums = "select distinct sum(closing_balance) over (partition by fiscal_period)"
    assert ledger.execute(f"{sums} from marts.gl_trial_balance") == [(Decimal(0),)]


def test_a_late_entry_is_in_the_period_that_it_is_posted_to(ledger: DomainWarehouse) -> None:
    expense = rows(
        ledger, "fiscal_period, amount, year_to_date", "income_statement", "account_code = '5100'"
    )
    assert expense == [
        ("2024-01", Decimal(61), Decimal(61)),
        ("2024-02", Decimal(0), Decimal(61)),
        ("2024-03", Decimal(0), Decimal(61)),
    ]


def test_assets_are_liabilities_and_equity_with_the_income_of_the_year(
    ledger: DomainWarehouse,
) -> None:
    sides = "fiscal_period, sum(case when section = 'Assets' then amount else -amount end)"
    assert ledger.execute(f"select {sides} from marts.gl_balance_sheet group by 1 order by 1") == [
        ("2024-01", Decimal(0)),
        ("2024-02", Decimal(0)),
        ("2024-03", Decimal(0)),
    ]
    income = "caption = 'Net income of the year'"
    assert rows(ledger, "fiscal_period, section, amount", "balance_sheet", income) == [
        ("2024-01", "Equity", Decimal("334.66")),
        ("2024-02", "Equity", Decimal("238.66")),
        ("2024-03", "Equity", Decimal("88.66")),
    ]


def test_the_flows_of_cash_leave_the_opening_out_and_add_a_dry_hole_back(
    ledger: DomainWarehouse,
) -> None:
    flows = rows(ledger, "section, caption, amount", "cash_flow", "fiscal_period = '2024-01'")
    assert flows == [
        ("Investing", "Capital expenditure", Decimal(-330)),
        ("Operating", "Change in payables", Decimal(302)),
        ("Operating", "Change in receivables", Decimal(-862)),
        ("Operating", "Depletion and depreciation", Decimal(42)),
        ("Operating", "Net income", Decimal("334.66")),
    ]
    flows = rows(ledger, "caption, amount", "cash_flow", "fiscal_period = '2024-02'")
    assert dict(flows) == {
        "Capital expenditure": Decimal(0),
        "Change in payables": Decimal(0),
        "Change in receivables": Decimal(596),
        "Dry hole cost": Decimal(100),
        "Net income": Decimal(-96),
    }


def test_a_lease_is_charged_and_credited_by_period_and_cost_is_by_barrel(
    ledger: DomainWarehouse,
) -> None:
    columns = "fiscal_period, oil_bbl, boe, revenue, operating_expense, net_operating_income"
    assert rows(ledger, columns, "lease_operating_statement", "fiscal_period <> '2024-02'") == [
        ("2024-01", Decimal(6), Decimal(6), Decimal(450), Decimal(61), Decimal(389)),
        ("2024-03", Decimal(-2), Decimal(-2), Decimal(-150), Decimal(0), Decimal(-150)),
    ]
    figures = "operating_expense_per_boe, general_administrative_per_boe, depletion_per_boe"
    january = "fiscal_period = '2024-01'"
    assert rows(ledger, f"basin, {figures}", "cost_per_boe", january) == [
        ("All basins", Decimal("10.1667"), Decimal("2.0567"), Decimal("7.0000")),
        ("Permian", Decimal("10.1667"), Decimal("0.0000"), Decimal("7.0000")),
    ]


def test_an_afe_is_spent_gross_and_net_with_what_is_accrued(ledger: DomainWarehouse) -> None:
    columns = "budget, spent_gross, spent_net, accrued_gross, remaining, percent_spent"
    assert rows(ledger, columns, "afe_spending") == [
        tuple(map(Decimal, ("1000", "550", "330", "50", "450", "55.00")))
    ]


def test_a_partner_is_charged_by_what_the_cost_is_for_under_the_bill_that_charges_it(
    ledger: DomainWarehouse,
) -> None:
    columns = "fiscal_period, partner_id, jib_number, account_code, amount"
    bill = "JIB-TX-0001-202401"
    assert rows(ledger, columns, "jib_statement") == [
        ("2024-01", "PAR-01", bill, "5100", Decimal(40)),
        ("2024-01", "PAR-01", bill, "6100", Decimal(200)),
        ("2024-01", "PAR-01", "JIB-TX-0009-202401", "5100", Decimal(2)),
        ("2024-02", "PAR-01", bill, "7200", Decimal(4)),
    ]


def test_open_items_age_from_their_due_date_and_go_when_they_are_paid(
    ledger: DomainWarehouse,
) -> None:
    columns = "fiscal_period, account_code, party_id, not_due, days_1_30, days_31_60, total"
    assert rows(ledger, columns, "ageing", "account_code in ('1120', '2010')") == [
        ("2024-01", "1120", PUR, Decimal(600), Decimal(0), Decimal(0), Decimal(600)),
        ("2024-01", "2010", VEN, Decimal(0), Decimal(-100), Decimal(0), Decimal(-100)),
        ("2024-02", "2010", VEN, Decimal(0), Decimal(0), Decimal(-100), Decimal(-100)),
        ("2024-03", "2010", VEN, Decimal(0), Decimal(0), Decimal(-100), Decimal(-100)),
    ]
    assert rows(ledger, "fiscal_period, owner_id, amount", "owner_suspense") == [
        ("2024-02", OWN, Decimal(150)),
        ("2024-03", OWN, Decimal(150)),
    ]


def test_control_accounts_equal_their_subledgers(ledger: DomainWarehouse) -> None:
    assert rows(ledger, "account_code", "subledgers", "difference <> 0") == []
    accounts = {code for (code,) in rows(ledger, "distinct account_code", "subledgers")}
    assert accounts == {"1120", "1130", "2010", "2110", "2120", "6100"}


def test_a_well_is_where_most_of_its_lines_say(ledger: DomainWarehouse) -> None:
    columns = "well_id, lease_name, county, first_line_on::varchar, last_line_on::varchar"
    assert rows(ledger, columns, "wells") == [
        ("PERM-0001", "Rattlesnake", "Midland", "2024-01-10", "2024-03-01")
    ]


def test_the_chart_in_the_models_is_that_of_the_contracts(ledger: DomainWarehouse) -> None:
    names = ["code", "name", "account_class", "normal_side", "statement", "caption", "cash_flow"]
    known = chart_of_accounts().values()
    expected = sorted(tuple(getattr(account, name) for name in names) for account in known)
    assert rows(ledger, "*", "accounts") == expected


def test_every_table_says_its_columns_and_its_grain(ledger: DomainWarehouse) -> None:
    built = ledger.columns()
    assert {name: next(iter(found.values())) for name, found in built.items()} == (
        documented_columns(GL)
    )
    served = [list(found.values()) for found in built.values() if len(found) > 1]
    assert all(columns == others for columns, others in served), "what is built fits what is served"
