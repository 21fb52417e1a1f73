"""The ledger's service in the sandbox, over its server, and the faults it can have."""

import datetime as dt
import json
from decimal import Decimal

import httpx
import pyarrow as pa
import pytest
from gl_ledgers import FINDINGS, ask

from clearhouse.core.errors import UsageError
from clearhouse.sandbox.gl.app import COUNT_HEADER, EXPORT, create_app
from clearhouse.sandbox.gl.faults import faulty
from clearhouse.sandbox.gl.ledger import Ledger
from clearhouse.sandbox.gl.options import KEY, KEY_WITHOUT_SCOPE, GlOptions
from clearhouse.sandbox.gl.planting import KINDS
from clearhouse.sandbox.gl.schema import LINE_SCHEMA
from clearhouse.sandbox.gl.wire import ndjson

SCALE = 0.05
OPENED = dt.date(2024, 1, 1)
DAY = dt.date(2024, 3, 20)
LEDGER = Ledger(42, OPENED, SCALE)


@pytest.fixture
def export(serving):
    """Exports of a day from a fresh server: export(fault, …, day=…, key=…, **query)."""

    def export(*faults: str, day: object = DAY, key: str | None = KEY, **query: object):
        options = GlOptions(scale=SCALE, faults={DAY: faults} if faults else {}, slow_seconds=0.0)
        url = serving(gl_service=options)["gl_service"]
        headers = {"X-API-Key": key} if key else {}
        asked = {"recorded_on": str(day), "format": "ndjson", **query}
        return httpx.get(url + EXPORT, params=asked, headers=headers)

    return export


def records(answer: httpx.Response) -> list[dict]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_day_is_sent_as_it_is_in_the_ledger(export):
    answer = export()
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows, lines = records(answer), LEDGER.lines(DAY, DAY).to_pylist()
    assert int(answer.headers[COUNT_HEADER]) == len(rows) == len(lines) > 20
    for row, line in zip(rows, lines, strict=True):
        debit, credit = (Decimal(line.pop(side)) / 100 for side in ("debit_minor", "credit_minor"))
        assert row.pop("debit") == f"{debit:.2f}"
        assert row.pop("credit") == f"{credit:.2f}"
        assert row.pop("amount") == f"{debit - credit:.2f}"
        assert row == {name: as_json(value) for name, value in line.items()}


def as_json(value: object) -> object:
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def test_lines_after_an_id(export):
    rows = records(export())
    answer = export(after=rows[9]["gl_entry_id"])
    assert records(answer) == rows[10:]
    assert int(answer.headers[COUNT_HEADER]) == len(rows) - 10


@pytest.mark.parametrize("day", [OPENED - dt.timedelta(days=1), "2999-12-31"])
def test_a_day_without_lines_is_empty(export, day):
    answer = export(day=day)
    assert (answer.status_code, answer.headers[COUNT_HEADER], answer.text) == (200, "0", "")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"key": None}, 401),
        ({"key": "another"}, 401),
        ({"key": KEY_WITHOUT_SCOPE}, 403),
        ({"day": "2024-02-30"}, 422),
        ({"after": "x"}, 422),
        ({"format": "csv"}, 422),
    ],
)
def test_a_refusal_is_a_problem(export, asked, status):
    answer = export(**asked)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_health_needs_no_key(serving):
    url = serving(gl_service=GlOptions(scale=SCALE))["gl_service"]
    assert {httpx.get(f"{url}/health/{kind}").status_code for kind in ("live", "ready")} == {200}


def test_a_cut_answer_is_shorter_than_its_count(export):
    answer = export("truncated_stream")
    assert len(answer.text.splitlines()) < int(answer.headers[COUNT_HEADER])


def test_a_lost_line_is_not_counted_and_leaves_one_entry_open(export):
    answer, whole = export("lost_line"), records(export())
    rows = records(answer)
    assert int(answer.headers[COUNT_HEADER]) == len(rows) == len(whole) - 1
    open_entries = {
        entry
        for entry in {row["journal_entry"] for row in rows}
        if sum(Decimal(row["amount"]) for row in rows if row["journal_entry"] == entry)
    }
    assert len(open_entries) <= 1


def test_an_entry_of_the_day_before_comes_once_more_as_it_was(export):
    answer, whole = export("redelivered"), export()
    before = export(day=DAY - dt.timedelta(days=1))
    entry = records(before)[0]["journal_entry"]
    lines = before.text.splitlines()
    again = [line for line in lines if json.loads(line)["journal_entry"] == entry]
    assert len(again) > 1
    assert answer.text.splitlines() == whole.text.splitlines() + again


def test_a_fault_of_the_ledger_by_day(export):
    rows, whole = records(export("one_cent_imbalance")), records(export())
    assert sum(Decimal(row["amount"]) for row in whole) == 0
    assert abs(sum(Decimal(row["amount"]) for row in rows)) == Decimal("0.01")


def test_an_unknown_fault():
    with pytest.raises(UsageError, match="two_cents"):
        create_app(GlOptions(scale=SCALE, faults={DAY: ("two_cents",)}))


def test_a_fault_for_which_the_day_has_no_entry():
    with pytest.raises(UsageError, match="2024-01-03"):
        create_app(GlOptions(scale=SCALE, faults={dt.date(2024, 1, 3): ("entry_after_close",)}))


def test_labelled_faults_are_found_where_they_are_and_nowhere_else():
    first, last = OPENED, dt.date(2024, 8, 31)
    clean = LEDGER.lines(first, last)
    lines, labels = faulty(LEDGER, 3, 40, first, last)
    assert labels["kind"].to_pylist() == [KINDS[at % len(KINDS)] for at in range(40)]
    for kind, sql in FINDINGS.items():
        assert ask(clean, sql) == [], kind
        labelled = {row["journal_entry"] for row in labels.to_pylist() if row["kind"] == kind}
        assert {entry for (entry,) in ask(lines, sql)} == labelled, kind


def test_faults_for_which_there_is_no_room():
    with pytest.raises(ValueError, match="entry_after_close"):
        faulty(LEDGER, 3, 8, OPENED, OPENED + dt.timedelta(days=5))


def test_a_ticket_is_one_small_balanced_entry():
    moment = dt.datetime.fromisoformat("2024-05-06T10:30")
    ticket = LEDGER.ticket(5, moment)
    assert ticket.equals(LEDGER.ticket(5, moment))
    rows = ticket.to_pylist()
    assert sum(row["debit_minor"] - row["credit_minor"] for row in rows) == 0
    assert {row["created_timestamp"] for row in rows} == {moment}
    assert {row["entry_type"] for row in rows} == {"standard"}  # nothing will reverse it
    assert sum(row["share"] or 0 for row in rows) == 1
    with pytest.raises(ValueError, match="2024-01-01"):
        LEDGER.ticket(5, dt.datetime.fromisoformat("2023-12-31"))


def test_text_that_needs_escapes_is_still_json():
    [line] = LEDGER.lines(DAY, DAY).slice(0, 1).to_pylist()
    given = {**line, "description": 'a "pump"\n\\ ü', "share": Decimal("0.00000001")}
    table = pa.Table.from_pylist([line, given], LINE_SCHEMA)
    rows = [json.loads(text) for text in ndjson(table).splitlines()]
    assert rows[1]["description"] == given["description"]
    assert rows[1]["share"] == "0.00000001"
    assert rows[0]["description"] == line["description"]
