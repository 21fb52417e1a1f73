"""PayPal's transactions: which lists are asked for, and what their rows say."""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import pytest

from clearhouse.core.errors import SourceError
from clearhouse.core.http import ResilientClient
from clearhouse.payments.settlements.client import decoded
from clearhouse.payments.settlements.entry import Payout, SettlementEntry
from clearhouse.payments.settlements.paypal import PayPal, listings

DAY = dt.date(2026, 11, 2)
WHOLE = Payout("default", "2026-11-03T00:00:00Z")


def _row(code: str, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "transaction_id": "TXN1",
        "transaction_event_code": code,
        "transaction_initiation_date": "2026-11-02T10:00:00-0700",
        "transaction_amount": {"currency_code": "USD", "value": amount},
        "transaction_status": "S",
        **more,
    }


def _fee(value: str, currency: str = "USD") -> dict[str, Any]:
    return {"fee_amount": {"currency_code": currency, "value": value}}


def _to(other: str) -> dict[str, Any]:
    return {"paypal_reference_id": other, "paypal_reference_id_type": "TXN"}


class Api:
    """PayPal's API, two transactions a page."""

    def __init__(self, *rows: dict[str, Any], refreshed: str = "2026-11-03T04:00:00+0000") -> None:
        self.rows, self.refreshed = rows, refreshed
        self.tokens, self.asked = 0, list[httpx.URL]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/oauth2/token":
            assert request.headers["authorization"] == "Basic id-and-secret"
            assert request.content == b"grant_type=client_credentials"
            self.tokens += 1
            return httpx.Response(200, json={"access_token": "T", "expires_in": 32400})
        assert request.headers["authorization"] == "Bearer T"
        self.asked.append(request.url)
        page = int(request.url.params["page"])
        shown = self.rows[2 * page - 2 : 2 * page]
        answer = {
            "transaction_details": [{"transaction_info": row} for row in shown],
            "last_refreshed_datetime": self.refreshed,
            "total_pages": -(-len(self.rows) // 2),
        }
        return httpx.Response(200, content=json.dumps(answer).encode())

    def entries(self, *lists: Payout) -> Sequence[SettlementEntry]:
        async def asked() -> list[SettlementEntry]:
            transport = httpx.MockTransport(self)
            bearing = {"Authorization": "Basic id-and-secret"}
            async with ResilientClient(
                "http://paypal", name="PayPal", headers=bearing, transport=transport
            ) as client:
                asker = PayPal(client)
                found = await asyncio.gather(*(asker.entries_of(each) for each in lists))
            return [entry for some in found for entry in some]

        return asyncio.run(asked())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (_row("T0006", "10.00", **_fee("-0.59")), ("charge", "TXN1", 1000, 59, 941)),
        (_row("T0006", "-10.00"), ("other", "TXN1", -1000, 0, -1000)),
        (_row("T1107", "-4.00", **_fee("0.09"), **_to("CAP")), ("refund", "TXN1", -400, -9, -391)),
        (_row("T1201", "-10.00", **_to("CAP")), ("dispute", "reversal:TXN1", -1000, 0, -1000)),
        (_row("T1106", "-10.00", **_to("CAP")), ("dispute", "reversal:TXN1", -1000, 0, -1000)),
        (
            _row("T1202", "10.00", **_to("REV")),
            ("dispute_reversed", "reversal:REV", 1000, 0, 1000),
        ),
        (_row("T0106", "-20.00", **_to("CAP")), ("fee", "CAP", -2000, 0, -2000)),
        (_row("T0104", "-1.00"), ("fee", None, -100, 0, -100)),
        (_row("T0001", "-50.00"), ("payout", "TXN1", -5000, 0, -5000)),
        (_row("T1114", "50.00"), ("payout_returned", "TXN1", 5000, 0, 5000)),
        (_row("T0400", "-70.00"), ("transfer", None, -7000, 0, -7000)),
        (_row("T0300", "70.00"), ("transfer", None, 7000, 0, 7000)),
        (_row("T0200", "-70.00"), ("conversion", None, -7000, 0, -7000)),
        (_row("T1503", "-70.00"), ("other", "TXN1", -7000, 0, -7000)),
    ],
)  # fmt: skip
def test_what_a_transaction_is_of_and_worth(
    row: dict[str, Any], said: tuple[str, str | None, int, int, int]
) -> None:
    (entry,) = Api(row).entries(WHOLE)

    of = (entry.kind, entry.source_id, entry.amount_minor, entry.fee_minor, entry.net_minor)
    assert of == said
    assert entry.payout_id == "transactions_2026-11-02"
    assert entry.moved_at == dt.datetime(2026, 11, 2, 17, tzinfo=dt.UTC)
    assert json.loads(entry.raw) == row


def test_the_fee_of_a_payout_is_an_entry_of_its_own() -> None:
    paid, fee = Api(_row("T0001", "-50.00", **_fee("-0.25"))).entries(WHOLE)

    assert (paid.kind, paid.fee_minor, paid.net_minor) == ("payout", 0, -5000)
    assert (fee.kind, fee.amount_minor, fee.net_minor) == ("fee", 0, -25)
    assert paid.entry_id != fee.entry_id


def test_what_was_denied_moved_nothing() -> None:
    assert not Api(_row("T0400", "-70.00", transaction_status="D")).entries(WHOLE)


def test_a_note_that_is_cut_within_a_character_keeps_no_transaction_away() -> None:
    (entry,) = Api(_row("T0006", "10.00", transaction_note="Thanks \ud83d")).entries(WHOLE)
    assert json.loads(entry.raw)["transaction_note"] == "Thanks \ufffd"


def test_an_answer_that_is_not_utf8_is_not_of_the_form_that_is_known() -> None:
    with pytest.raises(SourceError) as refused:
        decoded(b'{"transaction_info": {"transaction_note": "\xff"}}', dict[str, msgspec.Raw])
    assert refused.value.code == "bad_answer"


def test_a_fee_in_another_currency_is_not_guessed() -> None:
    with pytest.raises(SourceError) as refused:
        Api(_row("T0006", "10.00", **_fee("-0.59", "EUR"))).entries(WHOLE)
    assert refused.value.code == "bad_answer"


def test_all_pages_of_all_days_are_read_with_one_token() -> None:
    rows = [_row("T0006", f"{n}.00") for n in range(1, 6)]
    api = Api(*rows)

    found = api.entries(WHOLE, Payout("default", "2026-11-02T00:00:00Z"))

    assert sorted(entry.amount_minor for entry in found) == sorted([100, 200, 300, 400, 500] * 2)
    assert api.tokens == 1
    asked = {(url.params["start_date"], url.params["end_date"]) for url in api.asked}
    assert asked == {
        ("2026-11-02T00:00:00Z", "2026-11-02T23:59:59Z"),
        ("2026-11-01T00:00:00Z", "2026-11-01T23:59:59Z"),
    }


def test_a_day_that_is_not_all_listed_yet_is_not_taken_for_all_of_it() -> None:
    with pytest.raises(SourceError) as refused:
        Api(_row("T0006", "1.00"), refreshed="2026-11-02T23:59:59+0000").entries(WHOLE)
    assert refused.value.code == "not_listed_yet"


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-09T12:00:00+00:00", "2026-11-03T00:00:00Z"),
        ("2026-11-03T03:00:00+00:00", "2026-11-03T00:00:00Z"),
        ("2026-11-03T02:59:59+00:00", "2026-11-02T23:00:00Z"),
        ("2026-11-02T23:20:00+05:00", "2026-11-02T15:00:00Z"),
        ("2026-11-02T03:59:59+00:00", None),
        ("2026-11-01T12:00:00+00:00", None),
    ],
)
def test_a_day_is_asked_for_as_far_as_it_is_listed(now: str, until: str | None) -> None:
    found = listings(dt.datetime.fromisoformat(now), [DAY])

    assert found == {DAY: [] if until is None else [Payout("default", until)]}
