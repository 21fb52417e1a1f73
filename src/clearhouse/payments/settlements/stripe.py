"""Stripe's balance transactions of a payout.

Data flow: `GET /v1/balance_transactions?payout=po_…`, page by page.
Grain: one entry a balance transaction; the payout's own is among them.
Idempotency: what is settled is never changed: the same payout gives the same entries.
How to run: `await Stripe(client).entries_of(payout)`.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec

from clearhouse.core.http import ResilientClient
from clearhouse.payments.event import Provider
from clearhouse.payments.settlements.client import Second, ask, decoded, turn_page
from clearhouse.payments.settlements.entry import EntryKind, Payout, SettlementEntry, minor_of

_CONNECTED = "acct_"
_A_PAGE = 100
_KINDS = {
    "charge": EntryKind.CHARGE,
    "charge_failure": EntryKind.CAPTURE_FAILED,
    "refund": EntryKind.REFUND,
    "refund_failure": EntryKind.REFUND_UNDONE,
    "dispute": EntryKind.DISPUTE,
    "dispute_reversal": EntryKind.DISPUTE_REVERSED,
    "fee": EntryKind.FEE,
    "payout": EntryKind.PAYOUT,
    "payout_reversal": EntryKind.PAYOUT_RETURNED,
}
"""By `reporting_category`, which is made for accounting."""


class _Transaction(msgspec.Struct):
    id: str
    amount: int
    fee: int
    net: int
    currency: str
    created: Second
    reporting_category: str
    source: str | None = None


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool = False


class Stripe:
    """Asks Stripe's API through a client that bears its key."""

    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    async def entries_of(self, payout: Payout) -> Sequence[SettlementEntry]:
        """The entries of a payout; none of one that Stripe does not itemize.

        Raises:
            SourceError: see `ResilientClient.exchange`; an answer that can't be used, bad_answer.
        """
        found: list[SettlementEntry] = []
        params: dict[str, str | int] = {"payout": payout.payout_id, "limit": _A_PAGE}
        headers = (
            {"Stripe-Account": payout.account} if payout.account.startswith(_CONNECTED) else {}
        )
        while True:
            answer = await ask(self._client, "v1/balance_transactions", params, headers)
            page = _Page([]) if answer is None else decoded(answer, _Page)
            rows = [(decoded(bytes(each), _Transaction), bytes(each)) for each in page.data]
            found += [_entry(payout, row, raw) for row, raw in rows]
            if not page.has_more or not rows:
                return found
            turn_page(params, "starting_after", rows[-1][0].id)


def _entry(payout: Payout, row: _Transaction, raw: bytes) -> SettlementEntry:
    currency = row.currency.upper()
    return SettlementEntry(
        entry_id=f"stripe:{payout.account}:{row.id}",
        provider=Provider.STRIPE,
        account=payout.account,
        livemode=True,
        payout_id=payout.payout_id,
        kind=_KINDS.get(row.reporting_category, EntryKind.OTHER),
        provider_type=row.reporting_category,
        source_id=row.source,
        amount_minor=minor_of(Provider.STRIPE, currency, row.amount),
        fee_minor=minor_of(Provider.STRIPE, currency, row.fee),
        net_minor=minor_of(Provider.STRIPE, currency, row.net),
        currency=currency,
        moved_at=dt.datetime.fromtimestamp(row.created, dt.UTC),
        raw=raw.decode(),
    )
