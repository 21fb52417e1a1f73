"""Square's entries of a payout.

Data flow: `GET /v2/payouts/{id}/payout-entries`, page by page.
Grain: one entry a payout entry; a payout of the type SIMPLE has none.
Idempotency: what is settled is never changed: the same payout gives the same entries.
How to run: `await Square(client).entries_of(payout)`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from clearhouse.core.http import ResilientClient
from clearhouse.payments.event import Provider
from clearhouse.payments.settlements.client import ask, decoded, turn_page
from clearhouse.payments.settlements.entry import EntryKind, Payout, SettlementEntry, minor_of

_A_PAGE = 100
_KINDS = {
    "CHARGE": (EntryKind.CHARGE, "payment_id"),
    "REFUND": (EntryKind.REFUND, "refund_id"),
    "DISPUTE": (EntryKind.DISPUTE, "dispute_id"),
    "OPEN_DISPUTE": (EntryKind.DISPUTE, "dispute_id"),
    "FEE": (EntryKind.FEE, "payment_id"),
    "DEPOSIT_FEE": (EntryKind.FEE, "payout_id"),
    "DEPOSIT_FEE_REVERSED": (EntryKind.FEE, "payout_id"),
    **dict.fromkeys(
        (
            *("THIRD_PARTY_FEE", "THIRD_PARTY_FEE_REFUND", "TAX_ON_FEE"),
            *("PAID_SERVICE_FEE", "PAID_SERVICE_FEE_REFUND", "SUBSCRIPTION_FEE"),
        ),
        (EntryKind.FEE, ""),  # they name no payment
    ),
    "RETURNED_PAYOUT": (EntryKind.PAYOUT_RETURNED, "payout_id"),
}
"""By an entry's type: its kind, and the name of the object's id in its details."""


class _Money(msgspec.Struct):
    amount: int
    currency: str


class _Entry(msgspec.Struct):
    id: str
    effective_at: dt.datetime
    type: str
    gross_amount_money: _Money
    fee_amount_money: _Money
    net_amount_money: _Money


class _Page(msgspec.Struct):
    payout_entries: list[msgspec.Raw] = []
    cursor: str | None = None


class Square:
    """Asks Square's API through a client that bears its token."""

    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    async def entries_of(self, payout: Payout) -> Sequence[SettlementEntry]:
        """The entries of a payout; none of one that Square does not itemize.

        Raises:
            SourceError: see `ResilientClient.exchange`; an answer that can't be used, bad_answer.
        """
        found: list[SettlementEntry] = []
        params: dict[str, str | int] = {"limit": _A_PAGE}
        path = f"v2/payouts/{payout.payout_id}/payout-entries"
        while True:
            answer = await ask(self._client, path, params)
            page = _Page() if answer is None else decoded(answer, _Page)
            found += [_entry(payout, bytes(each)) for each in page.payout_entries]
            if not page.cursor:
                return found
            turn_page(params, "cursor", page.cursor)


def _entry(payout: Payout, raw: bytes) -> SettlementEntry:
    row, fields = decoded(raw, _Entry), decoded(raw, dict[str, Any])
    kind, name = _KINDS.get(row.type, (EntryKind.OTHER, ""))
    details: Mapping[str, Any] = fields.get(f"type_{row.type.lower()}_details") or {}
    amounts = [row.gross_amount_money, row.fee_amount_money, row.net_amount_money]
    amount, fee, net = (minor_of(Provider.SQUARE, m.currency, m.amount) for m in amounts)
    if kind is EntryKind.DISPUTE and amount > 0:
        kind = EntryKind.DISPUTE_REVERSED
    return SettlementEntry(
        entry_id=f"square:{payout.account}:{row.id}",
        provider=Provider.SQUARE,
        account=payout.account,
        livemode=True,
        payout_id=payout.payout_id,
        kind=kind,
        provider_type=row.type,
        source_id=details.get(name),
        payment_id=details.get("payment_id"),
        amount_minor=amount,
        fee_minor=fee,
        net_minor=net,
        currency=row.net_amount_money.currency,
        moved_at=row.effective_at,
        raw=raw.decode(),
    )
