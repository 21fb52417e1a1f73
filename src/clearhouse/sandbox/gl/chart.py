"""The chart of accounts, as `contracts/gl/chart_of_accounts.csv` has it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from clearhouse.core.resources import resource

CASH, DISTRIBUTION_CASH = 1010, 1020
ACCRUED_REVENUE, PURCHASERS, PARTNERS, UNBILLED = 1110, 1120, 1130, 1140
PREPAIDS, PROVED_LEASEHOLD, INTANGIBLE, TANGIBLE, FACILITIES = 1230, 1320, 1330, 1340, 1350
RETIREMENT_COST, ACCUMULATED_DEPLETION, ACCUMULATED_IMPAIRMENT = 1360, 1380, 1390
VENDORS, ACCRUED_COST, ACCRUED_CAPITAL = 2010, 2020, 2030
OWNERS, SUSPENSE, UNCLAIMED = 2110, 2120, 2130
SEVERANCE_PAYABLE, AD_VALOREM_PAYABLE, PREPAYMENTS = 2210, 2220, 2310
RETIREMENT, DEBT, INTEREST_PAYABLE = 2420, 2510, 2520
DERIVATIVE_ASSET, DERIVATIVE_LIABILITY, DERIVATIVE_RESULT = 1510, 2610, 4700
INCOME_TAX_PAYABLE = 2710
CAPITAL, RETAINED_EARNINGS, INCOME_SUMMARY = 3010, 3100, 3900
OIL_SALES, GAS_SALES, NGL_SALES = 4100, 4200, 4300
OPERATING = 5100
SEVERANCE_TAX, AD_VALOREM_TAX, FEES = 5810, 5820, 5830
DRILLING, COMPLETION, EQUIPMENT, IN_SERVICE = 6100, 6200, 6300, 6900
ADMINISTRATION, OVERHEAD, INSURANCE = 7100, 7200, 7300
DEPLETION, ACCRETION, IMPAIRMENT, DRY_HOLE = 8100, 8200, 8300, 8400
INTEREST, INCOME_TAX = 8500, 8700
WELL_DAYS, OIL_PRODUCED, GAS_PRODUCED, BUDGET = 9100, 9200, 9300, 9500

_PROFIT_AND_LOSS = range(4000, 9000)


@dataclass(frozen=True)
class Account:
    """One account of the chart."""

    code: int
    name: str
    account_class: str
    statement: str

    @property
    def is_closed_at_year_end(self) -> bool:
        """Whether it is of the income statement."""
        return self.code in _PROFIT_AND_LOSS and self.statement == "income_statement"


@cache
def accounts() -> Mapping[int, Account]:
    """The accounts by code, in the order of the file."""
    path = resource("contracts") / "gl" / "chart_of_accounts.csv"
    with path.open(encoding="utf-8", newline="") as rows:
        return {
            int(row["code"]): Account(int(row["code"]), row["name"], row["class"], row["statement"])
            for row in csv.DictReader(rows)
        }
