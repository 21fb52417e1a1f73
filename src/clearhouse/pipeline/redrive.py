"""Redriving quarantine: rejected rows get another try, as they are or with a field corrected.

Raw data is never changed: a corrected row lands as a later version of its day, beside the row that
it corrects, which stays in quarantine and in the books as rejected.

Where keys have an ordinal, the lines of its key that come before it land with it once more, as
duplicates: so it is the line in what lands that it is in its day.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from clearhouse.core.contract import Contract, PayloadFormat, row_texts, rows_of, type_records
from clearhouse.core.contract.reading import key_of
from clearhouse.core.contract.rules import decode
from clearhouse.core.contract.unknown import json_text
from clearhouse.core.errors import UsageError
from clearhouse.landing import Counted
from clearhouse.landing.objects import CORRECTS, source_of
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.pull import close_landing, closed_day
from clearhouse.store.quarantine import QuarantinedRow


def land_corrected(
    run: Run, record_id: str, changes: Mapping[str, str], day: dt.date | None = None
) -> dt.date:
    """Land a quarantined row with fields changed; the day to run again.

    Args:
        run: the domain's parts.
        record_id: which row.
        changes: new values by the source's field name, as JSON (`45.90`, `"USD"`, `true`).
        day: its book date, where the same bytes came on several.

    Raises:
        UsageError: no such row, or one of several days; its day is closed, it is not JSON, or it
            would still break the contract.
    """
    row = _only(run, record_id, day)
    dataset = run.dataset(row.dataset)
    check_not_closed(run, row.book_date)
    try:
        record = decode(row.raw)
    except ValueError:
        raise UsageError(
            f"{record_id} is not one JSON object and can't be corrected field by field: have the "
            "source send it again, and pull the day with --refresh.",
            "not_correctable",
        ) from None
    line = _text({**record, **{name: _value(name, text) for name, text in changes.items()}})
    source = source_of(row.object_key)
    contract = dataset.contract.of(source)
    typed = type_records(line + b"\n", contract, source, kind=PayloadFormat.NDJSON)
    if typed.rejected:
        broken = "; ".join(v.detail for v in typed.rejected[0].violations)
        raise UsageError(f"The corrected row still breaks its contract: {broken}", "still_broken")
    request = {CORRECTS: row.record_id, "set": dict(sorted(changes.items()))}
    before = _lines_before(run, dataset, row, line) if contract.repeats else []
    payload, counted = _answer([*before, line], contract)
    run.landing.put(source, row.book_date, payload, request, counted)
    close_landing(run, dataset, source, [row.book_date])
    return row.book_date


def _lines_before(run: Run, dataset: OpenDataset, row: QuarantinedRow, line: bytes) -> list[bytes]:
    """The lines of a corrected row's key that come before it, each as it landed last.

    It stays the line that it was. A line that gets another key by its correction comes after those
    that are there, and stays the same line when it is corrected again.
    """
    source = source_of(row.object_key)
    contract = dataset.contract.of(source)
    key = key_of(line, contract)
    nth = _ordinal(row.record_key) if contract.without_ordinal(row.record_key) == key else None
    lines: dict[int, bytes] = {}
    for landed in run.landing.objects(source, row.book_date):
        payload = run.landing.read(landed)
        texts = row_texts(payload, contract, landed.payload_format)
        of_key = {
            _ordinal(each["_record_key"]): texts[each["line"] - 1]
            for each in dataset.reader.reading(landed, payload).to_pylist()
            if contract.without_ordinal(each["_record_key"]) == key
        }
        lines |= of_key
        if nth is None and of_key and landed.request.get(CORRECTS) == row.record_id:
            nth = max(of_key)
    return [lines[n] for n in range(1, nth or len(lines) + 1)]


def _ordinal(record_key: str) -> int:
    return int(record_key.rpartition("|")[2])


def _answer(lines: Sequence[bytes], contract: Contract) -> tuple[bytes, Counted | None]:
    """An answer of some rows, and its count: of JSON rows in that format, else NDJSON."""
    if not (contract.repeats and contract.rows_under):
        return b"".join(line + b"\n" for line in lines), None
    payload = b"[" + b", ".join(lines) + b"]"
    for key in reversed(contract.rows_under.split(".")):
        payload = b"{" + json.dumps(key).encode() + b": " + payload + b"}"
    return payload, Counted(PayloadFormat.JSON_ROWS, rows_of(payload, contract).lines.count(b"\n"))


def check_not_closed(run: Run, day: dt.date) -> None:
    """See that a day may change.

    Raises:
        UsageError: it is closed.
    """
    if day in run.certificates.closed_days(run.name):
        raise UsageError(closed_day(run, day), "day_closed")


def _only(run: Run, record_id: str, day: dt.date | None) -> QuarantinedRow:
    found = [row for row in run.quarantined(record_id) if day in (None, row.book_date)]
    if len(found) != 1:
        days = sorted({row.book_date for row in found})
        of_one_record = len({row.record_id for row in found}) == 1
        which = (
            f"say by --date which: that of {', '.join(map(str, days))}"
            if of_one_record
            else "give a record id from `clearhouse quarantine list`"
        )
        on = f" on {day}" if day else ""
        raise UsageError(
            f"{len(found)} quarantined rows are called {record_id!r}{on}: {which}.",
            "unknown_record",
        )
    return found[0]


def _value(name: str, text: str) -> Any:
    try:
        return decode(b'{"v":' + text.encode() + b"}")["v"]
    except ValueError:
        raise UsageError(
            f"{name}={text} is not JSON: write text in double quotes, as {name}='\"{text}\"'.",
            "bad_value",
        ) from None


def _text(record: Mapping[str, Any]) -> bytes:
    """One line of JSON with numbers as they were written, nested ones too.

    Characters stand for themselves: what is escaped the books can't read in the text of a key.
    """
    parts = [f"{json_text(name)}: {json_text(value)}" for name, value in record.items()]
    return ("{" + ", ".join(parts) + "}").encode()
