"""PayPal's payouts, which pay third parties: batches and their items."""

from collections.abc import Sequence

from clearhouse.payments.accounts import DEFAULT
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments.draws import Draws, DrawsByNumber, Entity, Ids
from clearhouse.sandbox.payments.facts import DAY
from clearhouse.sandbox.payments.money import CURRENCIES, UNITS, Unit
from clearhouse.sandbox.payments.output import Fate, Move, Notice, Object, Output
from clearhouse.sandbox.payments.payout import Payout
from clearhouse.sandbox.payments.paypal import envelope, rfc3339

_ITEMS_OF_DRAWS = 50_000
_ENDS = (
    (("SUCCEEDED",), "paid", 80), (("UNCLAIMED", "SUCCEEDED"), "paid", 5),
    (("UNCLAIMED", "RETURNED"), "reversed", 5), (("FAILED",), "failed", 4),
    (("BLOCKED",), "failed", 2), (("UNCLAIMED", "CANCELED"), "canceled", 2), (("HELD",), "sent", 2),
)  # fmt: skip
_REFUSED = frozenset({"FAILED", "BLOCKED"})
_GIVEN_BACK = frozenset({"RETURNED", "CANCELED"})
_STATUSES = {"SUCCEEDED": "SUCCESS", "HELD": "ONHOLD"}


def pay_out(output: Output, seed: int, begun: int, batches: int) -> None:
    """Batches of payouts with their items."""
    drawn = DrawsByNumber(seed, Entity.PAYOUT)
    for number in range(batches):
        draws = drawn.of(_ITEMS_OF_DRAWS + number)
        at = begun + int(draws.uniform() * (output.horizon - begun - 5 * DAY))
        unit = UNITS[Provider.PAYPAL][draws.weighted(CURRENCIES[Provider.PAYPAL])]
        _Batch(output, draws, Ids(seed, f"paypal batch {number}"), unit).live(at)


class _Batch:
    def __init__(self, output: Output, draws: Draws, ids: Ids, unit: Unit) -> None:
        self._output, self._draws, self._ids, self._unit = output, draws, ids, unit
        self._told = 0

    def live(self, at: int) -> None:
        """It is processed, denied as a whole or not, and so is each item of it."""
        amounts = [
            self._unit.rounded(self._unit.typical * (0.5 + self._draws.uniform()))
            for _ in range(self._draws.between(1, 4))
        ]
        batch_id = self._ids.upper("batch", 13)
        is_denied = self._draws.chance(0.1)
        self._say_batch(batch_id, amounts, "PROCESSING", at)
        if is_denied:
            self._say_batch(batch_id, amounts, "DENIED", at + 60)
            return
        self._say_batch(batch_id, amounts, "SUCCESS", at + 90)
        self._move("payout_fee", batch_id, -self._unit.step * len(amounts), at + 90)
        for nth, amount in enumerate(amounts):
            item = self._payout(self._ids.upper(f"item {nth}", 13), amount)
            kinds, item.status, _ = self._draws.weighted([(end, end[2]) for end in _ENDS])
            for after, kind in enumerate(kinds):
                then = at + 30 + after * DAY
                self._say_item(item, batch_id, kind, then)
                if after == 0 and kind not in _REFUSED:
                    moved = "payout_hold" if kind == "HELD" else "third_party_payout"
                    self._move(moved, self._transaction_id(item), -amount, then)
                elif kind in _GIVEN_BACK:
                    own_id = self._ids.upper(f"back {item.id}", 17)
                    self._move("third_party_payout_back", own_id, amount, then)

    def _payout(self, payout_id: str, amount: int) -> Payout:
        payout = Payout(Provider.PAYPAL, DEFAULT, payout_id, self._unit.code, amount)
        self._output.payouts.append(payout)
        return payout

    def _move(self, kind: str, source: str, amount: int, at: int) -> None:
        """Money that moves in the merchant's balance."""
        self._output.moves.append(
            Move(Provider.PAYPAL, DEFAULT, self._unit.code, at, kind, source, "", "", amount)
        )

    def _transaction_id(self, item: Payout) -> str:
        return self._ids.upper(f"transaction {item.id}", 17)

    def _money(self, amount: int) -> Object:
        return {"currency": self._unit.code, "value": self._unit.text(amount)}

    def _say_batch(self, batch_id: str, amounts: Sequence[int], status: str, at: int) -> None:
        """Of a batch, whose money is that of its items: nobody posts it."""
        header = {
            "payout_batch_id": batch_id,
            "batch_status": status,
            "time_created": rfc3339(at),
            "sender_batch_header": {"sender_batch_id": f"sender-{batch_id}"},
            "amount": self._money(sum(amounts)),
            "fees": self._money(self._unit.step * len(amounts)),
        }
        kind = f"PAYMENT.PAYOUTSBATCH.{status}"
        self._say(kind, {"batch_header": header}, at, fate=Fate.UNMAPPED)

    def _say_item(self, item: Payout, batch_id: str, kind: str, at: int) -> None:
        found: Object = {
            "payout_item_id": item.id,
            "payout_batch_id": batch_id,
            "transaction_id": self._transaction_id(item),
            "transaction_status": _STATUSES.get(kind, kind),
            "payout_item_fee": self._money(self._unit.step),
            "payout_item": {
                "amount": self._money(item.amount),
                "note": "Thanks",
                "receiver": "receiver@example.com",
                "recipient_type": "EMAIL",
                "sender_item_id": item.id,
            },
            "time_processed": rfc3339(at),
        }
        if kind == "FAILED":
            item.code = "RECEIVER_UNREGISTERED"
            found["errors"] = {"name": item.code, "message": "Receiver is unregistered."}
        self._say(f"PAYMENT.PAYOUTS-ITEM.{kind}", found, at)
        item.span.touch(at)

    def _say(self, kind: str, resource: Object, at: int, fate: Fate = Fate.EVENT) -> None:
        self._told += 1
        body = envelope(self._ids, f"event {self._told}", kind, at, resource)
        self._output.notices.append(Notice(Provider.PAYPAL, DEFAULT, at, body, fate))
