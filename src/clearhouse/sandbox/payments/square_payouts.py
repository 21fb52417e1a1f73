"""Square's payouts, and the entries that say what each consists of."""

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.facts import DAY
from clearhouse.sandbox.payments.money import UNITS
from clearhouse.sandbox.payments.output import Object, Output
from clearhouse.sandbox.payments.paying_out import Paying, due
from clearhouse.sandbox.payments.payout import Payout
from clearhouse.sandbox.payments.square import LOCATION, envelope, rfc3339

_TYPES = {
    "charge": ("CHARGE", "payment_id"),
    "fee": ("FEE", "payment_id"),
    "refund": ("REFUND", "refund_id"),
    "dispute": ("DISPUTE", "dispute_id"),
    "dispute_reversal": ("DISPUTE", "dispute_id"),
    "payout_failure": ("RETURNED_PAYOUT", "payout_id"),
}


def pay_out(output: Output, seed: int, begun: int) -> None:
    """All payouts of Square, with what is told of them."""
    for paying in due(output, seed, begun, Provider.SQUARE):
        payout, created = paying.payout, paying.at
        payout.id = f"po_{paying.ids.uuid('payout')}"
        _say(paying, "sent", 1, created)
        if not paying.wait(DAY, 2 * DAY):
            continue
        if payout.amount > 0 and paying.draws.chance(0.08):
            payout.status = "failed"
            paying.give_back()
            _say(paying, "failed", 2, created)
        else:
            payout.status = "paid"
            _say(paying, "paid", 2, created)


def _say(paying: Paying, status: str, version: int, created: int) -> None:
    payout = paying.payout
    found = {
        "id": payout.id,
        "amount_money": {
            "amount": paying.unit.number(payout.amount),
            "currency": payout.currency,
        },
        "arrival_date": rfc3339(created + 2 * DAY)[:10],
        "created_at": rfc3339(created),
        "destination": {"id": "bact:SandboxBankAccount", "type": "BANK_ACCOUNT"},
        "location_id": LOCATION,
        "payout_fee": [],
        "status": status.upper(),
        "type": "BATCH",
        "updated_at": rfc3339(paying.at),
        "version": version,
    }
    body = envelope(paying.ids, status, f"payout.{status}", paying.at, {"payout": found})
    paying.note(body, DEFAULT)


def entries(payout: Payout) -> list[Object]:
    """The entries of a payout; they sum to it."""
    unit = UNITS[Provider.SQUARE][payout.currency]

    def money(amount: int) -> Object:
        return {"amount": unit.number(amount), "currency": payout.currency}

    found: list[Object] = []
    for move in payout.moves:
        kind, name = _TYPES[move.kind]
        details = {name: move.source}
        if move.payment_id:
            details["payment_id"] = move.payment_id
        found.append(
            {
                "id": f"poe_{payout.id[3:11]}_{len(found)}",
                "payout_id": payout.id,
                "effective_at": rfc3339(move.at),
                "type": kind,
                "gross_amount_money": money(move.amount),
                "fee_amount_money": money(move.fee),
                "net_amount_money": money(move.net),
                f"type_{kind.lower()}_details": details,
            }
        )
    return found
