"""The chart of accounts, balances at a date, and the trial balance of a period."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from clearhouse.gl.chart import Account, chart_of_accounts
from clearhouse.gl.service.answers import answered, as_json, dollars
from clearhouse.gl.service.balances import AccountBalance, balances_at, trial_balance
from clearhouse.gl.service.errors import BadRequestError, NotFoundError
from clearhouse.gl.service.models import AccountOut, BalanceOut, Day, PeriodName, TrialBalance
from clearhouse.gl.service.routes.common import Reader, ServiceOf, problems

router = APIRouter(prefix="/v1", tags=["accounts"])
AccountCode = Annotated[str, Path(pattern="^[0-9]{4}$", examples=["1010"])]
At = Annotated[Day | None, Query(description="Up to this posting date. Default: today.")]


@router.get("/accounts", response_model=list[AccountOut], responses=problems())
def accounts(request: Request, _caller: Reader) -> Response:
    """The chart of accounts."""
    listed = [dataclasses.asdict(account) for account in chart_of_accounts().values()]
    return answered(request, as_json(listed))


@router.get("/accounts/{code}", response_model=AccountOut, responses=problems(404))
def account(request: Request, _caller: Reader, code: AccountCode) -> Response:
    """One account."""
    return answered(request, as_json(dataclasses.asdict(_known(code))))


@router.get("/accounts/{code}/balance", response_model=BalanceOut, responses=problems(404))
def balance(
    request: Request, service: ServiceOf, _caller: Reader, code: AccountCode, at: At = None
) -> Response:
    """An account's balance at a date."""
    known = _known(code)
    found = balances_at(service.database, at or service.clock().date())
    none = AccountBalance(code, known.name, known.account_class, known.normal_side, 0, 0, 0)
    own = next((each for each in found if each.account_code == code), none)
    return answered(request, as_json(_shown(own)))


@router.get("/trial-balance", response_model=TrialBalance, responses=problems())
def trial(
    request: Request,
    service: ServiceOf,
    _caller: Reader,
    fiscal_period: Annotated[PeriodName | None, Query()] = None,
    at: At = None,
) -> Response:
    """The trial balance of a period, with what accounts opened it with, or at a date."""
    if fiscal_period and at:
        raise BadRequestError("Give a fiscal_period, or a date in at.")
    database, day = service.database, at or service.clock().date()

    def made() -> bytes:
        if fiscal_period:
            return _trial(trial_balance(database, fiscal_period), fiscal_period, None)
        return _trial(balances_at(database, day), None, day.isoformat())

    key = f"{service.lines.last()}:trial:{fiscal_period}:{day}"
    return answered(request, service.shared.answer(key, made))


def _trial(found: Sequence[AccountBalance], fiscal_period: str | None, at: str | None) -> bytes:
    return as_json(
        {
            "fiscal_period": fiscal_period,
            "at": at,
            "debits": dollars(sum(each.debit_minor for each in found)),
            "credits": dollars(sum(each.credit_minor for each in found)),
            "accounts": [_shown(each) for each in found],
        }
    )


def _known(code: str) -> Account:
    if code not in chart_of_accounts():
        raise NotFoundError(f"The chart has no account {code}.", "unknown_account")
    return chart_of_accounts()[code]


def _shown(balance: AccountBalance) -> dict[str, str]:
    return {
        "account_code": balance.account_code,
        "account_name": balance.account_name,
        "account_class": balance.account_class,
        "normal_side": balance.normal_side,
        "opening_balance": dollars(balance.opening_minor),
        "debits": dollars(balance.debit_minor),
        "credits": dollars(balance.credit_minor),
        "closing_balance": dollars(balance.closing_minor),
    }
