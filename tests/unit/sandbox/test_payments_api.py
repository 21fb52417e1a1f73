"""The providers' APIs of the sandbox, asked as their clients ask."""

import csv
import datetime as dt
import io
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from clearhouse.core.errors import UsageError
from clearhouse.payments.event import Provider
from clearhouse.sandbox.payments import accounts, certificates
from clearhouse.sandbox.payments.app import create_app
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.stripe import CONNECTED
from clearhouse.sandbox.payments.world import World

TODAY, MISSED = dt.date(2026, 11, 1), 4
STRIPE = {"Authorization": f"Bearer {accounts.STRIPE_KEY}"}
SQUARE = {"Authorization": f"Bearer {accounts.SQUARE_KEY}"}


@pytest.fixture(scope="module")
def world() -> World:
    return World(9, 500, today=TODAY, missed=MISSED)


@pytest.fixture(scope="module")
def api() -> TestClient:
    options = PaymentOptions(9, webhooks=500, today=TODAY, missed=MISSED)
    return TestClient(create_app(options))


def _pages(api: TestClient, path: str, cursor: str, **params: Any) -> list[dict[str, Any]]:
    """All rows of a list of Stripe, page by page, in the order in which pages come."""
    found: list[dict[str, Any]] = []
    while True:
        page = api.get(path, params={"limit": 100, **params}, headers=STRIPE).json()
        found += page["data"] if cursor == "starting_after" else page["data"][::-1]
        if not page["has_more"]:
            return found
        params[cursor] = found[-1]["id"]


def test_events_are_listed_newest_first_and_can_be_read_oldest_first(api: TestClient) -> None:
    newest_first = _pages(api, "/v1/events", "starting_after")
    oldest = newest_first[-1]["id"]
    oldest_first = _pages(api, "/v1/events", "ending_before", ending_before=oldest)

    created = [event["created"] for event in newest_first]
    assert created == sorted(created, reverse=True)
    assert len({event["id"] for event in newest_first}) == len(newest_first)
    assert oldest_first == newest_first[-2::-1]


def test_what_was_never_delivered_is_listed_as_that(api: TestClient, world: World) -> None:
    failed = _pages(api, "/v1/events", "starting_after", delivery_success="false")
    sent = b"".join(delivery.body for delivery in world.deliveries)

    assert len(failed) == MISSED
    assert not any(event["id"].encode() in sent for event in failed)


def test_events_of_a_connected_account_are_its_own(api: TestClient) -> None:
    headers = {**STRIPE, "Stripe-Account": CONNECTED[0]}
    events = api.get("/v1/events", headers=headers).json()["data"]

    assert events
    assert {event["account"] for event in events} == {CONNECTED[0]}


def test_events_are_chosen_by_type_and_time(api: TestClient) -> None:
    newest = _pages(api, "/v1/events", "starting_after")
    since = newest[len(newest) // 2]["created"]
    chosen = _pages(
        api, "/v1/events", "starting_after", **{"types[]": "charge.captured", "created[gte]": since}
    )

    assert chosen == [e for e in newest if e["type"] == "charge.captured" and e["created"] >= since]


def test_a_thin_event_leads_to_its_object(api: TestClient, world: World) -> None:
    event_id = next(iter(world.output.thin))
    event = api.get(f"/v2/core/events/{event_id}", headers=STRIPE).json()
    found = api.get(event["related_object"]["url"], headers=STRIPE).json()

    assert event["type"].startswith("v1.charge.")
    assert (found["id"], found["object"]) == (event["related_object"]["id"], "charge")


def test_balance_transactions_explain_a_payout_and_hold_its_own(
    api: TestClient, world: World
) -> None:
    (key,) = world.unexplained
    payout = key.rpartition(":")[2]
    found = _pages(api, "/v1/balance_transactions", "starting_after", payout=payout)

    assert sum(each["net"] for each in found) == 0
    assert [each["source"] for each in found if each["type"] == "payout"] == [payout]
    assert [each["net"] for each in found if each["source"] is None] == [-1_234]


def test_squares_entries_come_by_cursor_and_sum_to_the_payout(
    api: TestClient, world: World
) -> None:
    payout = max(
        (each for each in world.output.payouts if each.provider is Provider.SQUARE),
        key=lambda each: len(each.moves),
    )
    path, params, found = f"/v2/payouts/{payout.id}/payout-entries", {"limit": "3"}, []
    while True:
        page = api.get(path, params=params, headers=SQUARE).json()
        found += page["payout_entries"]
        if "cursor" not in page:
            break
        params["cursor"] = page["cursor"]

    assert len(found) == len(payout.moves) > 3
    assert sum(each["net_amount_money"]["amount"] for each in found) == payout.amount


def test_adyens_report_ends_with_the_payout(api: TestClient, world: World) -> None:
    name, payout = next(iter(world.reports.items()))
    path = f"/reports/download/MerchantAccount/{name}"
    answer = api.get(path, headers={"X-API-Key": accounts.ADYEN_REPORT_KEY})
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert rows[-1]["Type"] == "MerchantPayout"
    assert rows[-1]["Modification Reference"] == payout.id
    assert len(rows) == len(payout.moves) + 1


def test_paypals_transactions_come_page_by_page_and_sum_to_the_balance(
    api: TestClient, world: World
) -> None:
    pair = (accounts.PAYPAL_CLIENT_ID, accounts.PAYPAL_CLIENT_SECRET)
    form = {"grant_type": "client_credentials"}
    token = api.post("/v1/oauth2/token", auth=pair, data=form).json()["access_token"]
    params = {
        "start_date": f"{world.begin:%Y-%m-%dT%H:%M:%SZ}",
        "end_date": f"{world.end:%Y-%m-%dT%H:%M:%SZ}",
        "page_size": "20",
    }
    found, page, pages = [], 0, 1
    while page < pages:
        page += 1
        answer = api.get(
            "/v1/reporting/transactions",
            params={**params, "page": str(page)},
            headers={"Authorization": f"Bearer {token}"},
        ).json()
        pages = answer["total_pages"]
        found += [each["transaction_info"] for each in answer["transaction_details"]]

    in_balance: Counter[str] = Counter()
    for row in found:
        for amount in (row["transaction_amount"], row.get("fee_amount")):
            if amount is not None:
                in_balance[amount["currency_code"]] += Decimal(amount["value"])
    moved: Counter[str] = Counter()
    for move in world.output.moves:
        if move.provider is Provider.PAYPAL:
            moved[move.currency] += move.net
    assert in_balance["USD"] == Decimal(moved["USD"]) / 100 > 0
    assert {"T0006", "T1107", "T0400", "T0104"} <= {r["transaction_event_code"] for r in found}
    assert len(found) == answer["total_items"] > 20


def test_paypals_certificate_is_served_to_everyone(api: TestClient) -> None:
    answer = api.get(f"{certificates.PATH}/{certificates.CERTIFICATE_ID}")

    assert answer.content == certificates.chain()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events",
        "/v1/charges/ch_none",
        "/v2/payouts",
        "/reports/download/MerchantAccount/SandboxEU/settlement_detail_report_batch_1.csv",
        "/v1/reporting/transactions",
    ],
)
def test_who_bears_no_key_is_refused(api: TestClient, path: str) -> None:
    assert api.get(path, headers={"Authorization": "Bearer another"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "params", "refusal"),
    [
        ("/v1/events", {"limit": "abc"}, "parameter_invalid_integer"),
        ("/v1/payouts", {"created[gte]": "2026-11-01"}, "parameter_invalid_integer"),
        ("/v2/payouts", {"cursor": "1.5"}, "EXPECTED_INTEGER"),
    ],
)
def test_a_number_that_is_none_is_refused(
    api: TestClient, path: str, params: dict[str, str], refusal: str
) -> None:
    answer = api.get(path, params=params, headers=SQUARE if path.startswith("/v2") else STRIPE)
    assert (answer.status_code, refusal in answer.text) == (400, True)


def test_it_has_no_faults() -> None:
    with pytest.raises(UsageError):
        create_app(PaymentOptions(hostile=True))
