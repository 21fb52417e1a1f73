"""Posting to the general ledger: what is refused leaves no trace, and numbers have no gaps."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from gl_service import Running, Time, journal, options, serving
from gl_tiny import WELL

from clearhouse.gl.chart import chart_of_accounts

Body = dict[str, Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(options(tmp_path_factory.mktemp("gl"), Time(), days=70)) as running:
        yield running


@pytest.fixture
def own_service(tmp_path: Any) -> Iterator[Running]:
    with serving(options(tmp_path, Time())) as running:
        yield running


def lines_of(service: Running) -> list[Body]:
    return [json.loads(t) for t in service.reader.get("/v1/lines/export").text.splitlines()]


def numbers_of(service: Running, period: str) -> list[int]:
    numbers = {x["entry_number"] for x in lines_of(service) if x["fiscal_period"] == period}
    return sorted(numbers)


def with_line(**changed: Any) -> Body:
    body = journal()
    body["lines"][0] = {**body["lines"][0], **changed}
    return body


def invoice(bill: str, **changed: Any) -> Body:
    party = {"party_type": "vendor", "party_id": "VEN-001", "document": bill}
    return journal(
        journal_source="AP",
        transaction_type="INV",
        lines=[
            {"account_code": "7300", "debit": "10.00"},
            {"account_code": "2010", "credit": "10.00", **party, **changed},
        ],
    )


def cut(*shares: str) -> Body:
    well = {"account_code": "5100", "well_id": WELL["well_id"]}
    parts = [{**well, "debit": "10.00", "share": share} for share in shares]
    return journal(lines=[*parts, {"account_code": "1010", "credit": f"{10 * len(shares)}.00"}])


BAD: list[tuple[str, Callable[[int], Body]]] = [
    ("unbalanced", lambda n: with_line(debit=f"{1250 + n + 1}.00")),
    ("unbalanced", lambda _: with_line(debit="1250.01")),
    ("no_lines", lambda _: journal(lines=[])),
    ("both_sides", lambda n: with_line(credit=f"{n + 1}.00")),
    ("no_side", lambda _: with_line(debit="0")),
    ("negative_amount", lambda n: with_line(debit=f"-{n + 1}.00")),
    ("fractional_cents", lambda n: with_line(debit=f"1250.00{n % 9 + 1}")),
    ("amount_too_large", lambda n: with_line(debit=f"1E+{20 + n}")),
    ("unknown_account", lambda _: with_line(account_code="7999")),
    ("control_account", lambda _: with_line(account_code="2010")),
    ("party_missing", lambda n: invoice(f"BILL-{n}", party_id=None)),
    ("document_missing", lambda n: invoice(f"BILL-{n}", document=None)),
    ("duplicate_document", lambda _: invoice("INV-20260501")),
    ("well_missing", lambda _: with_line(account_code="5100")),
    ("unknown_well", lambda n: with_line(account_code="5100", well_id=f"PERM-{n}")),
    ("deck_not_one", lambda n: cut("0.6", f"0.3{n % 10}")),
    ("share_out_of_range", lambda _: cut("1", "0")),
    ("period_closed", lambda _: journal(posting_date="2026-03-30")),
    ("period_unknown", lambda n: journal(posting_date=f"20{10 + n % 9}-01-01")),
    ("period_future", lambda _: journal(posting_date="2026-06-01")),
    ("posting_in_future", lambda n: journal(posting_date=f"2026-05-{13 + n % 15}")),
    ("transaction_after_posting", lambda _: journal(transaction_date="2026-05-13")),
    ("approver_is_preparer", lambda _: journal(approved_by="USER-902")),
    ("approver_unknown", lambda _: journal(approved_by="nobody")),
    ("currency", lambda _: journal(currency="EUR")),
    ("too_many_lines", lambda _: journal(lines=[{"account_code": "7300"}] * 1001)),
    ("statistical_with_money", lambda _: with_line(account_code="9100", well_id=WELL["well_id"])),
    ("invalid_request", lambda _: journal(posting_date="soon")),
    ("invalid_request", lambda _: {**journal(), "colour": "red"}),
    ("invalid_request", lambda _: with_line(account_code="73")),
    ("invalid_request", lambda _: with_line(debit="NaN")),
    ("invalid_request", lambda _: with_line(debit="1_250")),
    ("invalid_request", lambda _: invoice("INV-20260501 ")),
    ("invalid_request", lambda _: with_line(debit="\u0661250.00")),
    ("invalid_request", lambda _: journal(description="a\x00b")),
]


def test_a_thousand_bad_postings_of_every_kind_are_refused_and_change_nothing(
    service: Running,
) -> None:
    before = service.reader.get("/v1/lines/export").content
    trial = service.reader.get("/v1/trial-balance").content

    def refused(number: int) -> tuple[str, list[str]]:
        code, make = BAD[number % len(BAD)]
        answer = service.post(make(number // len(BAD)), f"bad-{number}")
        told = answer.json()
        assert answer.status_code == 422, (code, told)
        assert answer.headers["Content-Type"] == "application/problem+json"
        return code, [told["code"], *(each["code"] for each in told.get("violations", ()))]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(refused, range(1000)))
    assert [code for code, codes in found if code not in codes] == []
    assert service.reader.get("/v1/lines/export").content == before
    assert service.reader.get("/v1/trial-balance").content == trial


def test_concurrent_postings_have_numbers_without_gaps(service: Running) -> None:
    before = numbers_of(service, "2026-05")
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda n: service.post(journal(), f"together-{n}"), range(200)))
    assert Counter(answer.status_code for answer in answers) == {201: 200}
    assert len({answer.json()["journal_entry"] for answer in answers}) == 200
    assert numbers_of(service, "2026-05") == list(range(1, len(before) + 201))
    ids = [line["gl_entry_id"] for line in lines_of(service)]
    assert ids == sorted(set(ids))


def test_a_posted_journal_is_in_the_ledger_as_it_was_asked_for(service: Running) -> None:
    answer = service.post(invoice("BILL-1"), "an-invoice")
    posted = answer.json()
    assert answer.status_code == 201
    assert service.reader.get(answer.headers["Location"]).json() == posted
    first, second = posted["lines"]
    assert (first["account_name"], first["debit"], first["amount"]) == (
        chart_of_accounts()["7300"].name, "10.00", "10.00",
    )  # fmt: skip
    assert (second["party_id"], second["document"], second["amount"]) == (
        "VEN-001", "BILL-1", "-10.00",
    )  # fmt: skip
    assert {x["created_by"] for x in posted["lines"]} == {"USER-902"}
    assert {x["approved_by"] for x in posted["lines"]} == {"USER-456"}
    again = service.post(invoice("BILL-1"), "the-same-invoice")
    assert again.json()["violations"][0]["code"] == "duplicate_document"


def test_each_of_many_invoices_of_a_journal_is_booked_once(service: Running) -> None:
    bills = [f"MANY-{number:04d}" for number in range(600)]
    party = {"party_type": "vendor", "party_id": "VEN-002"}
    run = invoice("MANY")
    run["lines"] = [
        {"account_code": "7300", "debit": "6000.00"},
        *({"account_code": "2010", "credit": "10.00", "document": bill, **party} for bill in bills),
    ]
    assert service.post(run, "many-invoices").status_code == 201
    again = service.post(run, "many-invoices-again").json()["violations"]
    assert [each["code"] for each in again] == ["duplicate_document"] * len(bills)


def test_a_line_on_a_well_has_all_that_is_known_of_it(service: Running) -> None:
    line = service.post(cut("0.6", "0.4"), "on-a-well").json()["lines"][0]
    assert {name: line[name] for name in WELL} == WELL
    assert line["share"] == "0.60000000"


def test_the_same_key_posts_once_whoever_asks_at_the_same_time(service: Running) -> None:
    before = len(lines_of(service))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.post(journal(), "the-key"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 7
    assert len(lines_of(service)) == before + 2
    other = service.post(journal(description="something else"), "the-key")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    by_other = service.post(journal(), "the-key", by="closer")
    assert by_other.status_code == 201


def reversed_by(service: Running, name: str, key: str, **changed: Any) -> httpx.Response:
    body = {
        "posting_date": "2026-05-12", "description": "wrong", "approved_by": "USER-456", **changed,
    }  # fmt: skip
    headers = {"Idempotency-Key": key}
    answer = service.poster.post(f"/v1/journals/{name}/reverse", json=body, headers=headers)
    assert isinstance(answer, httpx.Response)
    return answer


def test_an_entry_is_undone_once_by_its_mirror(service: Running) -> None:
    posted = service.post(invoice("BILL-2"), "to-be-undone").json()
    undone = reversed_by(service, posted["journal_entry"], "undo-1")
    assert undone.status_code == 201
    assert undone.json()["reverses"] == posted["journal_entry"]
    mirrored = [(x["account_code"], x["credit"], x["debit"]) for x in undone.json()["lines"]]
    assert mirrored == [(x["account_code"], x["debit"], x["credit"]) for x in posted["lines"]]
    found = service.reader.get(f"/v1/journals/{posted['journal_entry']}").json()
    assert found["reversed_by"] == undone.json()["journal_entry"]

    def codes(answer: httpx.Response) -> list[str]:
        return [each["code"] for each in answer.json()["violations"]]

    assert codes(reversed_by(service, posted["journal_entry"], "undo-2")) == ["already_reversed"]
    name = undone.json()["journal_entry"]
    assert codes(reversed_by(service, name, "undo-3")) == ["reversal_of_reversal"]
    sale = service.reader.get("/v1/lines?account_code=4100").json()["data"][0]["journal_entry"]
    assert codes(reversed_by(service, sale, "undo-4", posting_date="2026-03-30")) == [
        "period_closed"
    ]
    assert reversed_by(service, "JE-99000001", "undo-5").status_code == 404
    late = service.post(invoice("BILL-3"), "of-today").json()["journal_entry"]
    assert codes(reversed_by(service, late, "undo-6", posting_date="2026-05-11")) == [
        "reversal_before_entry"
    ]
    assert service.post(invoice("BILL-2"), "booked-right").status_code == 201


@pytest.mark.parametrize(
    ("by", "method", "path", "status"),
    [
        ("reader", "POST", "/v1/journals", 403),
        ("reader", "POST", "/v1/periods/2026-05/close", 403),
        ("poster", "POST", "/v1/periods/2026-05/close", 403),
        ("closer", "POST", "/v1/periods/2026-03/lock", 403),
    ],
)
def test_a_key_does_what_its_scopes_allow(
    service: Running, by: str, method: str, path: str, status: int
) -> None:
    headers = {"Idempotency-Key": "scopes"}
    body: Body = journal() if path.endswith("journals") else {}
    answer = getattr(service, by).request(method, path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, "scope_missing")


def changed(service: Running, period: str, change: str, **body: str) -> httpx.Response:
    answer = service.closer.post(f"/v1/periods/{period}/{change}", json=body)
    assert isinstance(answer, httpx.Response)
    return answer


def test_periods_close_in_order_and_are_reopened_newest_first(own_service: Running) -> None:
    service = own_service
    states = {x["fiscal_period"]: x["status"] for x in service.reader.get("/v1/periods").json()}
    assert states == {
        "2026-04": "soft_closed", "2026-05": "open", "2026-06": "future",
    }  # fmt: skip
    in_april = journal(posting_date="2026-04-30")
    refused = service.post(in_april, "april").json()["violations"]
    assert [each["code"] for each in refused] == ["period_soft_closed"]
    assert service.post(in_april, "april", by="closer").status_code == 201

    assert changed(service, "2026-05", "close").json()["violations"][0]["code"] == (
        "period_out_of_order"
    )
    closed = changed(service, "2026-04", "close").json()
    certificate = closed["events"][-1]["certificate"]
    lines = [x for x in lines_of(service) if x["fiscal_period"] == "2026-04"]
    assert certificate["lines"] == len(lines)
    assert certificate["entries"] == len({x["journal_entry"] for x in lines})
    assert service.post(in_april, "late", by="closer").json()["violations"][0]["code"] == (
        "period_closed"
    )

    why = {"reason": "An invoice came late", "approved_by": "USER-456"}
    assert changed(service, "2026-04", "reopen").status_code == 409
    same = changed(service, "2026-04", "reopen", **{**why, "approved_by": "USER-903"})
    assert same.json()["violations"][0]["code"] == "approver_is_preparer"
    reopened = changed(service, "2026-04", "reopen", **why).json()
    assert reopened["status"] == "open"
    assert [
        each["certificate"]["voided"] for each in reopened["events"] if each["certificate"]
    ] == [True]
    assert service.post(in_april, "late-again").status_code == 201
    again = changed(service, "2026-04", "close").json()["events"][-1]["certificate"]
    assert again["entries"] == certificate["entries"] + 1
    assert again["digest"] != certificate["digest"]


def test_a_body_over_the_limit_is_refused(service: Running) -> None:
    headers = {"Idempotency-Key": "large", "Content-Type": "application/json"}
    answer = service.poster.post("/v1/journals", content=b" " * (5 << 20), headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (413, 413)


def test_a_body_that_says_it_is_over_the_limit_is_not_waited_for(service: Running) -> None:
    url = httpx.URL(service.url)
    connection = http.client.HTTPConnection(url.host, url.port, timeout=20)
    connection.putrequest("POST", "/v1/journals")
    for name, value in service.poster.headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["status"]) == (413, 413)
    connection.close()
