"""Adyen's payouts: transfers, and the settlement detail report of each batch."""

import csv
import io

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.accounts import TOKENS
from clearhouse.sandbox.payments.adyen import item_time
from clearhouse.sandbox.payments.facts import DAY, moment
from clearhouse.sandbox.payments.money import UNITS, Unit, exchange_rate
from clearhouse.sandbox.payments.output import Fate, Notice, Output, encode
from clearhouse.sandbox.payments.paying_out import Paying, due
from clearhouse.sandbox.payments.payout import Payout

COLUMNS = (
    "Company Account", "Merchant Account", "Psp Reference", "Merchant Reference", "Payment Method",
    "Creation Date", "TimeZone", "Type", "Modification Reference", "Gross Currency",
    "Gross Debit (GC)", "Gross Credit (GC)", "Exchange Rate", "Net Currency", "Net Debit (NC)",
    "Net Credit (NC)", "Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)",
    "Payment Method Variant", "Modification Merchant Reference", "Batch Number",
)  # fmt: skip
_TYPES = {
    "charge": "Settled",
    "capture_failure": "SettledReversed",
    "refund": "Refunded",
    "refund_failure": "RefundedReversed",
    "dispute": "Chargeback",
    "dispute_reversal": "ChargebackReversed",
}
REPORTS = "https://ca-live.adyen.com/reports/download/MerchantAccount"


def pay_out(output: Output, seed: int, begun: int) -> dict[str, Payout]:
    """All payouts of Adyen, with what is told of them; by merchant account and report's name."""
    reports: dict[str, Payout] = {}
    for paying in due(output, seed, begun, Provider.ADYEN):
        payout = paying.payout
        payout.id = paying.ids.upper("transfer", 16)
        batch = len(reports) + 1
        name = f"settlement_detail_report_batch_{batch}.csv"
        reports[f"{payout.account}/{name}"] = payout
        _transfer(paying, "authorised", 1)
        _report(paying, name)
        if paying.wait(3_600, DAY):
            _transfer(paying, "booked", 2)
        if paying.wait(DAY, 2 * DAY):
            payout.status = "paid"
            _transfer(paying, "credited", 3)
    return reports


def _transfer(paying: Paying, status: str, number: int) -> None:
    payout = paying.payout
    body = {
        "data": {
            "accountHolder": {"id": "AH00000000000000000000001"},
            "amount": {"currency": payout.currency, "value": paying.unit.number(payout.amount)},
            "balanceAccount": {"id": "BA00000000000000000000001"},
            "balancePlatform": payout.account,
            "category": "bank",
            "creationDate": item_time(paying.at),
            "direction": "outgoing",
            "id": payout.id,
            "reason": "approved",
            "sequenceNumber": number,
            "status": status,
            "type": "bankTransfer",
        },
        "environment": "live",
        "timestamp": item_time(paying.at),
        "type": f"balancePlatform.transfer.{'created' if number == 1 else 'updated'}",
    }
    paying.note(encode(body), TOKENS)


def _report(paying: Paying, name: str) -> None:
    """The notice that a report can be fetched; its amount means nothing."""
    account = paying.payout.account
    found = {
        "additionalData": {},
        "amount": {"currency": "EUR", "value": 0},
        "eventCode": "REPORT_AVAILABLE",
        "eventDate": item_time(paying.at),
        "merchantAccountCode": account,
        "merchantReference": "",
        "pspReference": name,
        "reason": f"{REPORTS}/{account}/{name}",
        "success": "true",
    }
    paying.output.notices.append(Notice(Provider.ADYEN, DEFAULT, paying.at, found, Fate.UNMAPPED))


def report(payout: Payout, name: str) -> str:
    """A settlement detail report, as CSV with a line of names."""
    unit = UNITS[Provider.ADYEN][payout.currency]
    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, restval="")
    writer.writeheader()
    common = {
        "Company Account": "Sandbox",
        "Merchant Account": payout.account,
        "TimeZone": "UTC",
        "Net Currency": payout.currency,
        "Batch Number": name.rpartition("_")[2].removesuffix(".csv"),
    }

    def sides(amount: int, which: str, of: str, unit: Unit = unit) -> dict[str, str]:
        side = "Credit" if amount >= 0 else "Debit"
        return {f"{which} {side} ({of})": unit.text(abs(amount))}

    for move in payout.moves:
        gross_currency, gross = move.gross or (move.currency, move.amount)
        writer.writerow(
            {
                **common,
                "Psp Reference": move.payment_id,
                "Merchant Reference": move.reference,
                "Payment Method": "visa",
                "Creation Date": moment(move.at).isoformat(sep=" "),
                "Type": _TYPES[move.kind],
                "Modification Reference": move.source,
                "Gross Currency": gross_currency,
                **sides(gross, "Gross", "GC", UNITS[Provider.ADYEN][gross_currency]),
                "Exchange Rate": f"{exchange_rate(Provider.ADYEN, gross_currency):.8g}",
                **sides(move.net, "Net", "NC"),
                "Commission (NC)": unit.text(move.fee),
            }
        )
    paid = moment(payout.span.first or 0).isoformat(sep=" ")
    writer.writerow(
        {
            **common,
            "Creation Date": paid,
            "Type": "MerchantPayout",
            "Modification Reference": payout.id,
            **sides(-payout.amount, "Net", "NC"),
        }
    )
    return lines.getvalue()
