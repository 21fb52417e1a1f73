"""The chart of accounts, read from `contracts/gl/chart_of_accounts.csv`."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from clearhouse.core.resources import resource

STATISTICAL = "STATISTICAL"
_DERIVATIVES = "4700"  # a swap is of the operator's whole production


@dataclass(frozen=True, slots=True)
class Account:
    """One account.

    Attributes:
        account_class: ASSET, LIABILITY, EQUITY, REVENUE, EXPENSE or STATISTICAL.
        normal_side: D or C, the side on which its balance stands.
        control: whose subledger moves it: owner, partner, vendor, purchaser, afe, well, authority
            or material; empty for an account that is moved by hand.
        statement: balance_sheet, income_statement or statistical.
        caption: the line of that statement.
        cash_flow: the line of the cash flow statement.
        active: whether entries may be posted to it.
    """

    code: str
    name: str
    account_class: str
    normal_side: str
    control: str
    statement: str
    caption: str
    cash_flow: str
    active: bool

    @property
    def is_statistical(self) -> bool:
        """Whether it counts days or volumes, and no money."""
        return self.account_class == STATISTICAL

    @property
    def needs_well(self) -> bool:
        """Whether each of its lines belongs to a well: sales, operating cost and capital do."""
        return "4000" <= self.code < "7000" and self.code != _DERIVATIVES


@cache
def chart_of_accounts() -> Mapping[str, Account]:
    """Every account by its code, in order of the codes."""
    path = resource("contracts") / "gl" / "chart_of_accounts.csv"
    with path.open(encoding="utf-8", newline="") as file:
        accounts = (_account(row) for row in csv.DictReader(file))
        return MappingProxyType({account.code: account for account in accounts})


def _account(row: Mapping[str, str]) -> Account:
    return Account(
        code=row["code"],
        name=row["name"],
        account_class=row["class"],
        normal_side=row["normal_side"],
        control=row["control"],
        statement=row["statement"],
        caption=row["caption"],
        cash_flow=row["cash_flow"],
        active=row["active"] == "yes",
    )
