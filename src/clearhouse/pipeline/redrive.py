"""Redriving quarantine: rejected rows get another try, as they are or with a field corrected.

Raw data is never changed: a corrected row lands as a later version of its day, beside the row that
it corrects, which stays in quarantine and in the books as rejected.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from clearhouse.core.contract import violations
from clearhouse.core.contract.rules import NumberText, decode
from clearhouse.core.contract.unknown import json_text
from clearhouse.core.errors import UsageError
from clearhouse.landing.objects import source_of
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.pull import close_landing, closed_day
from clearhouse.store.quarantine import QuarantinedRow


def land_corrected(run: Run, record_id: str, changes: Mapping[str, str]) -> dt.date:
    """Land a quarantined row with fields changed; the day to run again.

    Args:
        run: the domain's parts.
        record_id: which row.
        changes: new values by the source's field name, as JSON (`45.90`, `"USD"`, `true`).

    Raises:
        UsageError: no such row, its day is closed, it is not JSON, or it would still break the
            contract.
    """
    row = _only(run, record_id)
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
    broken = violations(line, dataset.contract)
    if broken:
        raise UsageError(
            f"The corrected row still breaks its contract: {'; '.join(v.detail for v in broken)}",
            "still_broken",
        )
    request = {"corrects": record_id, "set": dict(sorted(changes.items()))}
    source = source_of(row.object_key)
    run.landing.put(source, row.book_date, line + b"\n", request)
    close_landing(run, dataset, source, [row.book_date])
    return row.book_date


def check_not_closed(run: Run, day: dt.date) -> None:
    """See that a day may change.

    Raises:
        UsageError: it is closed.
    """
    if day in run.certificates.closed(run.name):
        raise UsageError(closed_day(run, day), "day_closed")


def _only(run: Run, record_id: str) -> QuarantinedRow:
    found = run.quarantined(record_id)
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} quarantined rows are called {record_id!r}: give a record id from "
            "`clearhouse quarantine list`.",
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
    """One line of JSON with numbers as they were written, nested ones too."""
    parts = [
        f"{json.dumps(k)}: "
        + (json_text(v) if isinstance(v, (dict, list, NumberText)) else json.dumps(v))
        for k, v in record.items()
    ]
    return ("{" + ", ".join(parts) + "}").encode()
