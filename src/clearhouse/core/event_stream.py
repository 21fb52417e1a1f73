"""Streams of `data: {json}` events: the NDJSON in them, and its lines by day.

On the wire: one `data: {json}` line and a blank line per record, and no terminator. Read as well:
what a server or proxy may make of it by the rules of server-sent events. These are line ends of
CR LF, a byte order mark at the start, comment lines (`: keep-alive`), and `data:` without a space.
Kept: the records' own bytes, one per line.
"""

import datetime as dt
import re
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.answer import RetryableAnswer, reason_of
from clearhouse.core.window import Window

_PREFIX, _END = b"data: ", b"\n\n"
_BETWEEN = re.compile(rb"\n\ndata: (?!\n)")  # an empty record is none
_EXTRA_BLANK_LINES = re.compile(rb"\n{3,}")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COMMENT = re.compile(rb"^:[^\n]*\n", re.MULTILINE)
_PREFIX_WITHOUT_SPACE = re.compile(rb"^data:(?! )", re.MULTILINE)
_MAX_ERROR_BYTES = 1 << 16
_LONG_AGO = -(1 << 31)


def unframe(stream: bytes) -> tuple[bytes, int]:
    """NDJSON and its number of records from a whole stream.

    The records' bytes are untouched. Further blank lines between records mean nothing and are
    dropped. An empty stream is a day without records.

    Raises:
        RetryableAnswer: a line is not a record, or the last record is not complete.
    """
    found = _whole_records(stream)
    if found is None:
        stream = _in_usual_form(stream)
        found = _whole_records(stream)
    if not stream:
        return b"", 0
    if found is None:
        raise RetryableAnswer(_fault(stream))
    return found


def _whole_records(stream: bytes) -> tuple[bytes, int] | None:
    """The records, a line each, and their number, if the stream is nothing but complete ones.

    Where each separator ends one record and begins the next, as many line feeds are left as there
    are records: so every line begins as it should. Replacing and counting run at memory speed,
    where a loop over lines would not.
    """
    if not (stream.startswith(_PREFIX) and stream.endswith(_END)):
        return None
    lines, separators = _BETWEEN.subn(b"\n", memoryview(stream)[len(_PREFIX) : -1])
    records = separators + 1
    if lines.startswith(b"\n") or stream.count(b"\n") != 2 * records:
        return None
    return lines, records


def _in_usual_form(stream: bytes) -> bytes:
    """The same records in the form in which simtom itself sends them."""
    stream = stream.removeprefix(_BYTE_ORDER_MARK).replace(b"\r\n", b"\n")
    stream = _PREFIX_WITHOUT_SPACE.sub(_PREFIX, _COMMENT.sub(b"", stream))
    return _EXTRA_BLANK_LINES.sub(_END, stream.lstrip(b"\n"))


def _fault(stream: bytes) -> str:
    """What is wrong with a stream that is not nothing but complete records."""
    beginning = stream[:256].lstrip().lower()
    if beginning.startswith((b"<!doctype", b"<html")):
        return "it is an HTML page, not a stream of records"
    last_line = stream.rstrip(b"\n").rpartition(b"\n")[2]  # where the source fails in between
    if said := reason_of(stream[:_MAX_ERROR_BYTES]) or reason_of(last_line[:_MAX_ERROR_BYTES]):
        return f"in place of a record it says{said}"
    if not beginning.startswith(_PREFIX.strip()):
        return "it does not begin with a record"
    if not stream.endswith(_END):
        return "it ends in the middle of a record"
    if _PREFIX + b"\n" in stream:
        return "a record of it is empty"
    return "a line of it does not begin with 'data:' or is not followed by a blank line"


def split_by_day(payload: bytes, window: Window, field: str) -> list[bytes]:
    """The lines of an NDJSON payload by the date in a field of theirs, one part per day.

    Lines keep their order within a day. One that is dated outside the window goes to the nearest
    day of it; one whose date can't be read goes to the first day.
    """
    if not payload:
        return [b""] * len(window)
    ends = np.flatnonzero(np.frombuffer(payload, dtype=np.uint8) == ord("\n")) + 1
    offsets = np.concatenate(([0], ends)).astype(np.int64)
    lines = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(payload)]
    )
    day_of_line = _day_of_line(lines, window, field)
    in_day_order = lines.take(pa.array(np.argsort(day_of_line, kind="stable")))
    _, line_starts, data = in_day_order.buffers()
    starts = np.frombuffer(line_starts, dtype=np.int64)[: len(lines) + 1]
    bounds = np.concatenate(([0], np.cumsum(np.bincount(day_of_line, minlength=len(window)))))
    return [
        data[int(starts[low]) : int(starts[high])].to_pybytes() for low, high in pairwise(bounds)
    ]


def _day_of_line(lines: Any, window: Window, field: str) -> npt.NDArray[np.int64]:
    """For each line the index of its day in the window."""
    pattern = f'"{re.escape(field)}":\\s*"(?P<day>\\d{{4}}-\\d{{2}}-\\d{{2}})'
    text = pc.struct_field(pc.extract_regex(lines, pattern=pattern), "day")
    parsed = pc.strptime(
        pc.cast(text, pa.string()), format="%Y-%m-%d", unit="s", error_is_null=True
    )
    days = pc.fill_null(pc.cast(pc.cast(parsed, pa.date32()), pa.int32()), _LONG_AGO)
    first = (window.first - dt.date(1970, 1, 1)).days
    index: npt.NDArray[np.int64] = np.asarray(days.to_numpy(zero_copy_only=False), dtype=np.int64)
    return np.clip(index - first, 0, len(window) - 1)
