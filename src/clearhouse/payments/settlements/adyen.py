"""Adyen's settlement detail report of a batch.

Data flow: `GET reports/download/MerchantAccount/<account>/<name>`, a CSV file with a line of names.
Grain: one entry a row; the row of the payout itself (MerchantPayout) names the payout of all.
Idempotency: a report is never changed: the same name gives the same rows.
How to run: `await Adyen(client).entries_of(report)`.
"""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence

from clearhouse.core.errors import SourceError
from clearhouse.core.http import ResilientClient
from clearhouse.payments.event import Provider
from clearhouse.payments.settlements.client import ask
from clearhouse.payments.settlements.entry import EntryKind, Payout, SettlementEntry, minor_of

_REPORTS = "reports/download/MerchantAccount"
_KINDS = {
    "Settled": EntryKind.CHARGE,
    "SettledReversed": EntryKind.CAPTURE_FAILED,
    "Refunded": EntryKind.REFUND,
    "RefundedReversed": EntryKind.REFUND_UNDONE,
    "Chargeback": EntryKind.DISPUTE,
    "SecondChargeback": EntryKind.DISPUTE,
    "ChargebackReversed": EntryKind.DISPUTE_REVERSED,
    "Fee": EntryKind.FEE,
    "MerchantPayout": EntryKind.PAYOUT,
    "BankInstructionReturned": EntryKind.PAYOUT_RETURNED,
}
_FEES = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
_NEEDED = (
    *("Type", "Modification Reference", "Net Currency", "Net Debit (NC)", "Net Credit (NC)"),
    *("Creation Date", "TimeZone"),
)
_ZONES = {
    -8: "PST", -7: "MST PDT", -6: "CST MDT", -5: "EST CDT", -4: "EDT", -3: "BRT",
    0: "UTC GMT WET", 1: "BST CET MET WEST", 2: "CEST EET MEST SAST", 3: "EEST MSK TRT", 4: "GST",
    8: "AWST HKT MYT SGT", 9: "JST", 9.5: "ACST", 10: "AEST", 10.5: "ACDT", 11: "AEDT",
    12: "NZST", 13: "NZDT",
}  # fmt: skip
_HOURS_EAST = {name: hours for hours, names in _ZONES.items() for name in names.split()}
"""Time zones as rows of reports name them: an account's own, in summer by another name."""


class Adyen:
    """Asks Adyen for reports through a client that bears the key of its report user."""

    def __init__(self, client: ResilientClient) -> None:
        self._client = client

    async def entries_of(self, report: Payout) -> Sequence[SettlementEntry]:
        """The entries of a report.

        Args:
            report: its merchant account, and in place of a payout's id its name.

        Raises:
            SourceError: see `ResilientClient.exchange`; an answer that can't be used, bad_answer.
        """
        answer = await ask(self._client, f"{_REPORTS}/{report.account}/{report.payout_id}", {})
        rows = [] if answer is None else _rows(answer)
        named = (row["Modification Reference"] for row in rows if row["Type"] == "MerchantPayout")
        payout = Payout(report.account, next(named, report.payout_id))
        return [_entry(payout, report, n, row) for n, row in enumerate(rows, 1)]


def _rows(answer: bytes) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(answer.decode("utf-8-sig", "replace"), newline=""))
    try:
        rows = list(reader)
    except csv.Error as error:  # such as a quote that is never closed
        raise SourceError(
            f"A settlement detail report of Adyen is not of the form that is known: {error}.",
            "bad_answer",
        ) from None
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing or any(None in row or None in row.values() for row in rows):
        raise SourceError(
            "A settlement detail report of Adyen is not of the form that is known: "
            f"{'it lacks ' + missing[0] if missing else 'a row has another number of cells'}.",
            "bad_answer",
        )
    return rows


def _entry(payout: Payout, report: Payout, n: int, row: Mapping[str, str]) -> SettlementEntry:
    currency = row["Net Currency"]

    def money(name: str) -> int:
        text = row.get(name) or "0"
        return minor_of(Provider.ADYEN, currency, text)

    net = money("Net Credit (NC)") - money("Net Debit (NC)")
    fee = sum(map(money, _FEES))
    return SettlementEntry(
        entry_id=f"adyen:{report.account}:{report.payout_id}:{n}",
        provider=Provider.ADYEN,
        account=payout.account,
        livemode=True,
        payout_id=payout.payout_id,
        kind=_KINDS.get(row["Type"], EntryKind.OTHER),
        provider_type=row["Type"],
        source_id=row.get("Modification Reference") or None,
        payment_id=row.get("Psp Reference") or None,
        merchant_reference=row.get("Merchant Reference") or None,
        amount_minor=net + fee,
        fee_minor=fee,
        net_minor=net,
        currency=currency,
        moved_at=_moment(row["Creation Date"], row["TimeZone"]),
        raw=_text(row),
    )


def _moment(text: str, zone: str) -> dt.datetime:
    """A time of a report in UTC."""
    hours = _HOURS_EAST.get(zone)
    if hours is None:
        raise SourceError(
            "A settlement detail report of Adyen has times of a time zone that is not known: have "
            "the account's set to UTC.",
            "bad_answer",
        )
    try:
        local = dt.datetime.fromisoformat(text)
        return (local - dt.timedelta(hours=hours)).replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        raise SourceError(
            "A settlement detail report of Adyen has a creation date that is none.", "bad_answer"
        ) from None


def _text(row: Mapping[str, str]) -> str:
    """A row as it was written, but for needless quotes."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row.values())
    return line.getvalue()
