"""The general ledger's service as readers see it: pages, files, streams, the original's paths."""

import csv
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from gl_service import NOW, Running, Time, journal, options, serving

from clearhouse.gl.service.feed import sandbox_ledger
from clearhouse.gl.service.legacy import FIELDS
from clearhouse.sandbox.gl import wire

SCALE = 0.02


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A history of the generated ledger, of some weeks."""
    wanted = options(tmp_path_factory.mktemp("gl"), Time(), make=sandbox_ledger, scale=SCALE)
    with serving(wanted) as running:
        yield running


@pytest.fixture(scope="module")
def everything(service: Running) -> list[dict[str, Any]]:
    """All lines, by the export."""
    answer = service.reader.get("/v1/lines/export")
    lines = [json.loads(text) for text in answer.text.splitlines()]
    assert len(lines) == int(answer.headers["X-Record-Count"]) > 200
    return lines


def pages(client: httpx.Client, path: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """The records of every page."""
    cursor = {}
    while cursor is not None:
        page = client.get(path, params={**asked, **cursor}).raise_for_status().json()
        yield from page["data"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None


def test_the_history_is_the_generated_ledger_number_by_number(
    everything: list[dict[str, Any]],
) -> None:
    opened_on = NOW.date().replace(month=4, day=1)
    made = wire.ndjson(sandbox_ledger(42, opened_on, SCALE).lines(opened_on, NOW.date()))
    wanted = [json.loads(text) for text in made.splitlines()]
    assert wanted[0]["recorded_on"] == "2026-04-01"
    assert everything == [x for x in wanted if x["created_timestamp"] <= NOW.isoformat()]


@pytest.mark.parametrize("sort", ["gl_entry_id", "-posting_date", "account_code"])
def test_pages_in_any_order_give_every_line_once(
    service: Running, everything: list[dict[str, Any]], sort: str
) -> None:
    name, descends = sort.removeprefix("-"), sort.startswith("-")
    found = list(pages(service.reader, "/v1/lines", sort=sort, limit=97))
    wanted = sorted(everything, key=lambda line: (line[name], line["gl_entry_id"]))
    assert found == (wanted[::-1] if descends else wanted)


def test_pages_stay_in_step_while_lines_are_added(service: Running) -> None:
    asked = {"account_code": "7300", "limit": 1}
    for number in range(3):
        service.post(journal(), f"before-{number}").raise_for_status()
    walk = pages(service.reader, "/v1/lines", **asked)
    first = next(walk)
    service.post(journal(), "while").raise_for_status()
    ids = [line["gl_entry_id"] for line in (first, *walk)]
    assert ids == sorted(set(ids))
    assert len(ids) >= 4


@pytest.mark.parametrize(
    "field", ["account_code", "well_id", "lease_name", "cost_center", "journal_source",
              "transaction_type", "entry_type", "fiscal_period"]
)  # fmt: skip
def test_lists_are_by_what_they_are_asked_by(
    service: Running, everything: list[dict[str, Any]], field: str
) -> None:
    value = next(line[field] for line in everything if line[field])
    found = list(pages(service.reader, "/v1/lines", **{field: value}, limit=500))
    assert [line for line in found if line in everything] == [
        line for line in everything if line[field] == value
    ]


def test_a_line_a_journal_and_their_numbers_agree(
    service: Running, everything: list[dict[str, Any]]
) -> None:
    line = everything[len(everything) // 2]
    assert service.reader.get(f"/v1/lines/{line['gl_entry_id']}").json() == line
    found = service.reader.get(f"/v1/journals/{line['journal_entry']}").json()
    assert line in found["lines"]
    assert found["entry_number"] == line["entry_number"]
    of_period = list(pages(service.reader, "/v1/journals", fiscal_period="2026-04", limit=50))
    assert [each["entry_number"] for each in of_period] == list(range(1, len(of_period) + 1))
    assert sum(len(each["lines"]) for each in of_period) == sum(
        each["fiscal_period"] == "2026-04" for each in everything
    )


def test_what_did_not_change_is_not_sent_again(service: Running) -> None:
    asked = {"recorded_on": "2026-04-15", "limit": 5}
    first = service.reader.get("/v1/lines", params=asked)
    known = {"If-None-Match": first.headers["ETag"]}
    again = service.reader.get("/v1/lines", params=asked, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    other = service.reader.get("/v1/lines", params={**asked, "limit": 6}, headers=known)
    assert other.status_code == 200


def test_balances_are_the_sums_of_the_lines(service: Running) -> None:
    lines = [json.loads(t) for t in service.reader.get("/v1/lines/export").text.splitlines()]
    trial = service.reader.get("/v1/trial-balance").json()
    assert trial["debits"] == trial["credits"] != "0.00"
    cents = sum(int(x["amount"].replace(".", "")) for x in lines if x["account_code"] == "2010")
    balance = service.reader.get("/v1/accounts/2010/balance").json()["closing_balance"]
    assert int(balance.replace(".", "")) == cents != 0
    april, may = (
        {a["account_code"]: a for a in service.reader.get(
            "/v1/trial-balance", params={"fiscal_period": period}).json()["accounts"]}
        for period in ("2026-04", "2026-05")
    )  # fmt: skip
    assert all(may[code]["opening_balance"] == a["closing_balance"] for code, a in april.items())


def test_an_export_is_the_same_in_every_format(service: Running) -> None:
    asked = {"recorded_on": "2026-04-30"}

    def exported(form: str) -> httpx.Response:
        return service.reader.get("/v1/lines/export", params={**asked, "format": form})

    lines = [json.loads(text) for text in exported("ndjson").text.splitlines()]
    rows = list(csv.DictReader(io.StringIO(exported("csv").text)))
    table = pq.read_table(io.BytesIO(exported("parquet").content))
    assert len(lines) == int(exported("csv").headers["X-Record-Count"]) > 50
    assert [row["line_id"] for row in rows] == [line["line_id"] for line in lines]
    assert [row["amount"] for row in rows] == [line["amount"] for line in lines]
    assert list(map(str, table["amount"].to_pylist())) == [line["amount"] for line in lines]
    assert table.schema.names == list(lines[0]) == list(rows[0])


def test_an_export_goes_on_after_an_id_and_may_be_empty(service: Running) -> None:
    asked = {"recorded_on": "2026-04-30"}
    texts = service.reader.get("/v1/lines/export", params=asked).text.splitlines()
    after = json.loads(texts[9])["gl_entry_id"]
    rest = service.reader.get("/v1/lines/export", params={**asked, "after": after})
    assert rest.text.splitlines() == texts[10:]
    none = service.reader.get("/v1/lines/export", params={"recorded_on": "2020-01-01"})
    assert (none.status_code, none.text, none.headers["X-Record-Count"]) == (200, "", "0")


@pytest.mark.parametrize(
    ("key", "path", "status", "code"),
    [
        (None, "/v1/lines", 401, "not_authenticated"),
        ("key-of-nobody", "/v1/lines", 401, "not_authenticated"),
        ("key-of-reader", "/v1/lines?recorded_on=tomorrow", 422, "invalid_request"),
        ("key-of-reader", "/v1/lines?cursor=nothing", 422, "bad_cursor"),
        ("key-of-reader", "/v1/lines?color=red", 422, "invalid_request"),
        ("key-of-reader", "/v1/lines?fiscal_period=0000-01", 422, "invalid_request"),
        ("key-of-reader", "/v1/lines?fiscal_period=9999-12", 422, "invalid_request"),
        ("key-of-reader", "/v1/journals/JE-99000001", 404, "unknown_journal"),
        ("key-of-reader", "/v1/lines/1", 404, "unknown_line"),
        ("key-of-reader", "/v1/accounts/7999", 404, "unknown_account"),
        ("key-of-reader", "/nowhere", 404, "not_found"),
    ],
)
def test_every_error_is_a_problem_with_a_code(
    service: Running, key: str | None, path: str, status: int, code: str
) -> None:
    answer = httpx.get(service.url + path, headers={"X-API-Key": key} if key else {})
    told = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)


def follow(service: Running, count: int, **asked: Any) -> list[dict[str, Any]]:
    """The first lines of a stream."""
    headers = asked.pop("headers", {})
    with service.reader.stream("GET", "/v1/lines/stream", params=asked, headers=headers) as answer:
        texts = (text.removeprefix("data: ") for text in answer.iter_lines())
        found = (json.loads(text) for text in texts if text.startswith("{"))
        return [next(found) for _ in range(count)]


@pytest.mark.parametrize("headers", [{}, {"Accept": "text/event-stream"}])
def test_a_stream_resumes_after_the_last_id_and_goes_on_with_what_is_new(
    service: Running, headers: dict[str, str]
) -> None:
    known = [json.loads(t) for t in service.reader.get("/v1/lines/export").text.splitlines()]
    after = known[-6]["gl_entry_id"]
    key = f"while-followed-{len(headers)}"
    later = threading.Timer(0.5, service.post, [journal(), key])
    later.start()
    sse = {**headers, **({"Last-Event-ID": str(after)} if headers else {})}
    asked = {} if headers else {"after": after}
    found = follow(service, 7, headers=sse, **asked)
    later.join()
    assert found[:5] == known[-5:]
    assert [line["debit"] for line in found[5:]] == ["1250.00", "0.00"]
    assert found[5]["gl_entry_id"] > known[-1]["gl_entry_id"]


def test_the_original_s_clients_go_on_unchanged(service: Running) -> None:
    client = httpx.Client(base_url=service.url)  # they have no key
    batch = client.get("/get-gl-batch", params={"limit": 50}).json()
    assert list(batch) == ["count", "limit", "start_date", "end_date", "data"]
    assert (batch["count"], batch["limit"], batch["start_date"]) == (50, 50, None)
    for record in batch["data"]:
        assert tuple(record) == FIELDS
        assert len(record) == 29
        assert record["account_type"] == (
            "REVENUE" if record["account_code"].startswith("4") else "EXPENSE"
        )
        net = round(record["credit_amount"] - record["debit_amount"], 2)
        assert isinstance(record["net_amount"], float)
        assert record["net_amount"] == net
        texts = set(FIELDS[:25]) - {"gl_entry_id", "afe_number", "jib_number", "fiscal_year"}
        numbers = {"debit_amount", "credit_amount", "net_amount", "fiscal_month"}
        assert all(isinstance(record[name], str) for name in texts - numbers)
    dates = {"start_date": "2026-04-30", "end_date": "2026-04-30"}
    between = client.get("/get-gl", params=dates).json()
    assert list(between) == ["count", "start_date", "end_date", "data"]
    assert between["count"] == len(between["data"]) > 0
    assert {record["transaction_date"] for record in between["data"]} == {"2026-04-30"}
    health = client.get("/health").json()
    assert list(health) == [
        "status", "service", "version", "historical_records", "total_streamed", "total_records",
        "timestamp",
    ]  # fmt: skip
    assert list(client.get("/").json()) == ["service", "version", "endpoints", "account_types"]


def test_the_original_s_stream_is_the_history_and_then_each_new_record(service: Running) -> None:
    client = httpx.Client(base_url=service.url, timeout=30)
    later = threading.Timer(0.5, service.post, [journal(), "for-the-original"])
    later.start()
    with client.stream("GET", "/get-gl") as answer:
        assert answer.headers["Content-Type"] == "application/json"
        lines = answer.iter_lines()
        buffered, new = json.loads(next(lines)), json.loads(next(lines))
    later.join()
    assert list(buffered) == ["type", "count", "data"]
    assert buffered["count"] == len(buffered["data"])
    assert (buffered["type"], new["type"]) == ("buffered_records", "new_record")
    assert new["data"]["account_code"] == "7300"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/get-gl?start_date=2026-04-01", 400, {"detail"}),
        ("/get-gl?start_date=x&end_date=2026-04-01", 400, {"error", "details", "type"}),
        ("/get-gl-batch?start_date=2026-04-02&end_date=2026-04-01", 400,
         {"error", "details", "type"}),
        ("/get-gl-batch?limit=0", 422, None),
        ("/get-gl-batch?limit=10001", 422, None),
    ],
)  # fmt: skip
def test_the_original_s_refusals(
    service: Running, path: str, status: int, told: set[str] | None
) -> None:
    answer = httpx.get(service.url + path)
    assert answer.status_code == status
    assert told is None or set(answer.json()) == told


def test_metrics_say_what_is_stored_and_refused(service: Running) -> None:
    service.post(journal(approved_by="USER-902"), "refused")
    text = httpx.get(f"{service.url}/metrics").text
    stored = len(service.reader.get("/v1/lines/export").text.splitlines())
    assert f"gl_lines_stored {float(stored)}" in text
    assert 'gl_postings_refused_total{code="approver_is_preparer"}' in text
    assert 'gl_requests_total{method="GET",route="/v1/lines",status="200"}' in text
