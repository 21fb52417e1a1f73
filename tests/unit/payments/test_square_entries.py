"""Square's entries of a payout: what each is of."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from clearhouse.core.http import ResilientClient
from clearhouse.payments.settlements.entry import Payout, SettlementEntry
from clearhouse.payments.settlements.square import Square


def _entries(*rows: dict[str, Any]) -> Sequence[SettlementEntry]:
    async def asked() -> Sequence[SettlementEntry]:
        answer = {"payout_entries": rows}
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
        async with ResilientClient("http://square", name="Square", transport=transport) as client:
            return await Square(client).entries_of(Payout("MLX", "po_1"))

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("kind", "details", "amount", "meaning", "source"),
    [
        ("DEPOSIT_FEE", {"payout_id": "po_1"}, -175, "fee", "po_1"),
        ("DEPOSIT_FEE_REVERSED", {"payout_id": "po_1"}, 175, "fee", "po_1"),
        ("FEE", {"payment_id": "sqpay"}, -3, "fee", "sqpay"),
        ("THIRD_PARTY_FEE", {"order_id": "o"}, -200, "fee", None),
        ("TAX_ON_FEE", {"tax_rate_description": "GST"}, -1, "fee", None),
        ("PAID_SERVICE_FEE", {}, -99, "fee", None),
        # No webhook tells of this money: only entries do.
        ("DISPUTE", {"dispute_id": "dts_1"}, -4590, "dispute", "dts_1"),
        ("OPEN_DISPUTE", {"dispute_id": "dts_1"}, -4590, "dispute", "dts_1"),
        ("DISPUTE", {"dispute_id": "dts_1"}, 4590, "dispute_reversed", "dts_1"),
        ("RETURNED_PAYOUT", {"payout_id": "po_0"}, 90000, "payout_returned", "po_0"),
    ],
)
def test_what_an_entry_is_of(
    kind: str, details: dict[str, str], amount: int, meaning: str, source: str | None
) -> None:
    (entry,) = _entries(
        {
            "id": "poe_1",
            "effective_at": "2026-11-02T12:00:00Z",
            "type": kind,
            "gross_amount_money": {"amount": amount, "currency": "USD"},
            "fee_amount_money": {"amount": 0, "currency": "USD"},
            "net_amount_money": {"amount": amount, "currency": "USD"},
            f"type_{kind.lower()}_details": details,
        }
    )

    assert (entry.kind, entry.source_id, entry.net_minor) == (meaning, source, amount)
