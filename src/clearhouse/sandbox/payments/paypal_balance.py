"""PayPal's balance: withdrawals to the merchant's bank, and the list of all that moved it."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.draws import Ids
from clearhouse.sandbox.payments.facts import DAY
from clearhouse.sandbox.payments.money import UNITS
from clearhouse.sandbox.payments.output import Move, Object, Output

_WEEK = 7 * DAY
_CODES = {
    "charge": "T0006",
    "refund": "T1107",
    "dispute": "T1201",
    "dispute_fee": "T0106",
    "dispute_reversal": "T1202",
    "third_party_payout": "T0001",
    "third_party_payout_back": "T1114",
    "payout_hold": "T1503",
    "payout_fee": "T0104",
    "withdrawal": "T0400",
}


def withdraw(output: Output, seed: int, begun: int) -> None:
    """Each week half of what is in the balance goes to the bank. No webhook tells of it."""
    for cut in range(begun + _WEEK, output.horizon, _WEEK):
        balances: Counter[str] = Counter()
        for move in output.moves:
            if move.provider is Provider.PAYPAL and move.at < cut:
                balances[move.currency] += move.net
        for currency, balance in sorted(balances.items()):
            step = UNITS[Provider.PAYPAL][currency].step
            amount = balance // 2 // step * step
            if amount > 0:
                own_id = Ids(seed, f"withdrawal {currency} {cut}").upper("transaction", 17)
                output.moves.append(
                    Move(
                        Provider.PAYPAL, DEFAULT, currency, cut, "withdrawal", own_id, "", "",
                        -amount,
                    )
                )  # fmt: skip


def transactions(output: Output) -> list[Object]:
    """All that moved the balance, in the order of time, as the Transaction Search API lists it."""
    ours = [move for move in output.moves if move.provider is Provider.PAYPAL]
    rows = [row for move in ours for row in _rows(move)]
    return sorted(rows, key=lambda row: (row["transaction_initiation_date"], row["transaction_id"]))


def written(moment: dt.datetime) -> str:
    """A moment in UTC, as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _rows(move: Move) -> Iterator[Object]:
    """The transactions of a move: what a dispute costs is one of its own."""
    if move.kind == "dispute":
        own_id = Ids(0, move.source).upper("fee", 17)
        yield _row(replace(move, fee=0), reference=move.payment_id)
        fee = replace(move, kind="dispute_fee", source=own_id, amount=-move.fee, fee=0)
        yield _row(fee, reference=move.payment_id)
    elif move.kind == "dispute_reversal":
        own_id = Ids(0, move.source).upper("reversal", 17)
        yield _row(replace(move, source=own_id), reference=move.source)
    else:
        yield _row(move, reference=move.payment_id if move.kind == "refund" else "")


def _row(move: Move, *, reference: str) -> Object:
    unit = UNITS[Provider.PAYPAL][move.currency]
    at = written(dt.datetime.fromtimestamp(move.at, dt.UTC))
    found = {
        "transaction_id": move.source,
        "transaction_event_code": _CODES[move.kind],
        "transaction_initiation_date": at,
        "transaction_updated_date": at,
        "transaction_amount": {"currency_code": move.currency, "value": unit.text(move.amount)},
        "transaction_status": "S",
        "protection_eligibility": "01",
    }
    if move.fee:
        found["fee_amount"] = {"currency_code": move.currency, "value": unit.text(-move.fee)}
    if reference:
        found |= {"paypal_reference_id": reference, "paypal_reference_id_type": "TXN"}
    if move.reference:
        found["invoice_id"] = move.reference
    return found
