"""PayPal's transactions of a day: all that moved the balance there.

Data flow: `GET /v1/reporting/transactions`, page by page, with a token of `POST /v1/oauth2/token`.
Grain: one entry a transaction; the fee of a payout to third parties or of a transfer to the bank is
an entry of its own.
Idempotency: a day that is over is asked for when PayPal has listed all of it, and then not again.
How to run: `await PayPal(client).entries_of(listing)`.

No payout settles what is in a PayPal balance: it stays until it is withdrawn. So entries name the
list of their day in place of a payout.
"""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated

import httpx
import msgspec

from clearhouse.core.answer import read_bounded
from clearhouse.core.errors import SourceError
from clearhouse.core.http import ResilientClient
from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.payments.settlements.client import ask, decoded
from clearhouse.payments.settlements.entry import EntryKind, Payout, SettlementEntry, minor_of

_TRANSACTIONS, _TOKEN = "v1/reporting/transactions", "v1/oauth2/token"
_A_PAGE = 500
_MAX_TOKEN_BYTES = 1 << 16
_LISTED_AFTER = dt.timedelta(hours=3)
"""After which PayPal lists a transaction, by its documentation."""
_DENIED = "D"

_KINDS = {
    "T0001": EntryKind.PAYOUT,
    "T0015": EntryKind.PAYOUT,
    "T1106": EntryKind.DISPUTE,
    "T1107": EntryKind.REFUND,
    "T1108": EntryKind.FEE,
    "T1109": EntryKind.FEE,
    "T1114": EntryKind.PAYOUT_RETURNED,
    "T1115": EntryKind.PAYOUT_RETURNED,
    "T1201": EntryKind.DISPUTE,
    "T1202": EntryKind.DISPUTE_REVERSED,
}
_KINDS_OF_GROUPS = {
    "T00": EntryKind.CHARGE,
    "T01": EntryKind.FEE,
    "T02": EntryKind.CONVERSION,
    "T03": EntryKind.TRANSFER,
    "T04": EntryKind.TRANSFER,
}
"""By the group of a code, where the code itself has no kind."""
_PAYING = (EntryKind.PAYOUT, EntryKind.TRANSFER)
"""Whose fee is an entry of its own."""

_Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class _Money(msgspec.Struct):
    currency_code: str
    value: str


class _Info(msgspec.Struct):
    transaction_id: str
    transaction_event_code: str
    transaction_initiation_date: _Moment
    transaction_amount: _Money
    transaction_status: str = ""
    fee_amount: _Money | None = None
    paypal_reference_id: str | None = None
    paypal_reference_id_type: str | None = None
    invoice_id: str | None = None


class _Detail(msgspec.Struct):
    transaction_info: msgspec.Raw


class _Page(msgspec.Struct):
    last_refreshed_datetime: _Moment
    transaction_details: list[_Detail] = []
    total_pages: int = 0


class _Token(msgspec.Struct):
    access_token: str


def listings(now: dt.datetime, days: Sequence[dt.date]) -> Mapping[dt.date, Sequence[Payout]]:
    """What can be asked for of each day: the transactions until its end, or until some hours ago.

    Args:
        now: with an offset.
        days: in UTC.

    Returns:
        By day: the list, which names until when in place of a payout's id; none of a day of which
        nothing is listed yet.
    """
    listed = (now.astimezone(dt.UTC) - _LISTED_AFTER).replace(minute=0, second=0, microsecond=0)
    found: dict[dt.date, Sequence[Payout]] = {}
    for day in days:
        begun = dt.datetime.combine(day, dt.time(), dt.UTC)
        until = min(listed, begun + dt.timedelta(days=1))
        found[day] = [Payout(DEFAULT, _written(until))] if until > begun else []
    return found


class PayPal:
    """Asks PayPal's API through a client that bears the id and the secret of its app."""

    def __init__(self, client: ResilientClient) -> None:
        self._client = client
        self._token = ""
        self._one_asks = asyncio.Lock()

    async def entries_of(self, listing: Payout) -> Sequence[SettlementEntry]:
        """The entries of a day's list, as far as it was asked for.

        Args:
            listing: see `listings`.

        Raises:
            SourceError: see `ResilientClient.exchange`; an answer that can't be used, bad_answer;
                PayPal has not listed all of it yet, not_listed_yet.
        """
        until = dt.datetime.fromisoformat(listing.payout_id)
        begun = (until - dt.timedelta(seconds=1)).replace(hour=0, minute=0, second=0)
        params: dict[str, str | int] = {
            "start_date": _written(begun),
            "end_date": _written(until - dt.timedelta(seconds=1)),
            "fields": "transaction_info",
            "balance_affecting_records_only": "Y",
            "page_size": _A_PAGE,
            "page": 1,
        }
        bearing = {"Authorization": f"Bearer {await self._bearer()}"}
        found: list[SettlementEntry] = []
        while True:
            answer = await ask(self._client, _TRANSACTIONS, params, bearing)
            page = _listed(answer, until)
            for detail in page.transaction_details:
                found += _entries(begun.date(), bytes(detail.transaction_info))
            if int(params["page"]) >= page.total_pages:
                return found
            params["page"] = int(params["page"]) + 1

    async def _bearer(self) -> str:
        """The token, which is asked for once: it is good for hours."""

        async def consume(response: httpx.Response) -> bytes:
            return await read_bounded(response, _MAX_TOKEN_BYTES)

        async with self._one_asks:
            if not self._token:
                form = {"grant_type": "client_credentials"}
                answer = await self._client.exchange("POST", _TOKEN, form=form, consume=consume)
                self._token = decoded(answer, _Token).access_token
        return self._token


def _listed(answer: bytes | None, until: dt.datetime) -> _Page:
    page = None if answer is None else decoded(answer, _Page)
    if page is None or page.last_refreshed_datetime < until:
        raise SourceError(
            f"PayPal has not listed its transactions until {_written(until)} yet: ask again later.",
            "not_listed_yet",
        )
    return page


def _entries(day: dt.date, raw: bytes) -> list[SettlementEntry]:
    """The entry of a transaction, and of its fee where it is a payout; none of a denied one."""
    row = decoded(raw, _Info)
    if row.transaction_status == _DENIED:
        return []
    currency = row.transaction_amount.currency_code
    amount = minor_of(Provider.PAYPAL, currency, row.transaction_amount.value)
    kind = _kind(row, amount)
    fee = 0 if row.fee_amount is None else -_fee(row.fee_amount, currency)
    entry = SettlementEntry(
        entry_id=f"paypal:{DEFAULT}:{row.transaction_id}:{row.transaction_event_code}",
        provider=Provider.PAYPAL,
        account=DEFAULT,
        livemode=True,
        payout_id=f"transactions_{day}",
        kind=kind,
        provider_type=row.transaction_event_code,
        source_id=_source(row, kind),
        payment_id=_reference(row),
        merchant_reference=row.invoice_id,
        amount_minor=amount,
        fee_minor=fee,
        net_minor=amount - fee,
        currency=currency,
        moved_at=row.transaction_initiation_date.astimezone(dt.UTC),
        raw=raw.decode(),
    )
    if kind not in _PAYING or not fee:
        return [entry]
    return [
        msgspec.structs.replace(entry, fee_minor=0, net_minor=amount),
        msgspec.structs.replace(
            entry, entry_id=f"{entry.entry_id}:fee", kind=EntryKind.FEE, amount_minor=0,
            net_minor=-fee,
        ),
    ]  # fmt: skip


def _kind(row: _Info, amount: int) -> EntryKind:
    code = row.transaction_event_code
    kind = _KINDS.get(code) or _KINDS_OF_GROUPS.get(code[:3], EntryKind.OTHER)
    if (kind is EntryKind.CHARGE and amount < 0) or (code in ("T0001", "T0015") and amount > 0):
        return EntryKind.OTHER  # what the merchant paid as a customer, or was paid by others
    return kind


def _source(row: _Info, kind: EntryKind) -> str | None:
    """The object that a transaction is of, by the id by which events know it."""
    match kind:
        case EntryKind.CHARGE | EntryKind.REFUND:
            return row.transaction_id
        case EntryKind.DISPUTE:
            return f"reversal:{row.transaction_id}"
        case EntryKind.DISPUTE_REVERSED:
            reference = _reference(row)
            return reference and f"reversal:{reference}"
        case EntryKind.FEE:
            return _reference(row)
        case EntryKind.CONVERSION | EntryKind.TRANSFER:
            return None
        case _:
            return row.transaction_id


def _reference(row: _Info) -> str | None:
    """The other transaction that one refers to."""
    return row.paypal_reference_id if row.paypal_reference_id_type == "TXN" else None


def _fee(fee: _Money, currency: str) -> int:
    if fee.currency_code != currency:
        raise SourceError(
            "A transaction of PayPal has a fee in another currency than its amount.", "bad_answer"
        )
    return minor_of(Provider.PAYPAL, currency, fee.value)


def _written(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
