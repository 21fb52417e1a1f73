"""The lines of a payload: where they begin and end, and what they hold."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Places = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_INLINE = 12
_VIEW = np.dtype([("length", "<i4"), ("prefix", "u1", 4), ("buffer", "<i4"), ("offset", "<i4")])
_VIEW_INLINE = np.dtype([("length", "<i4"), ("text", "u1", _INLINE)])
"""A view of a text in a buffer, and one of a short text, as Arrow lays them out."""
_LARGEST_OFFSET = 2**31 - 1


def split_lines(payload: bytes) -> list[bytes]:
    """The lines of an NDJSON payload without their line feeds."""
    lines = payload.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def line_bounds(payload: bytes) -> tuple[Places, Places]:
    """Where each line begins and where it ends without its line feed, in bytes."""
    ends = np.flatnonzero(np.frombuffer(payload, np.uint8) == ord("\n"))
    if payload and not payload.endswith(b"\n"):
        ends = np.append(ends, len(payload))
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    return starts, ends


def text_of_lines(payload: bytes) -> pa.Array:
    """The lines, as text, of a payload that is UTF-8."""
    whole = pa.array([payload.removesuffix(b"\n")], pa.binary()).view(pa.string())
    return pc.split_pattern(whole, "\n").flatten()


def views_of_lines(payload: bytes) -> pa.Array:
    """The same, as views of the payload: of lines of a kilobyte, copying them is felt.

    Raises:
        pa.ArrowCapacityError: the payload has 2 GiB or more: an offset has 4 bytes.
    """
    if len(payload) > _LARGEST_OFFSET:
        raise pa.ArrowCapacityError(f"A payload of {len(payload)} bytes is too large to be read.")
    starts, ends = line_bounds(payload)
    lengths = ends - starts
    views = np.zeros(len(starts), _VIEW)
    views["length"], views["offset"] = lengths, starts
    views["prefix"] = _first_bytes(payload, starts, lengths, views["prefix"].shape[1])
    short = np.flatnonzero(lengths <= _INLINE)  # a view of so few bytes holds them itself
    inline = views.view(_VIEW_INLINE)["text"]
    inline[short] = _first_bytes(payload, starts[short], lengths[short], _INLINE)
    buffers = [None, pa.py_buffer(views), pa.py_buffer(payload)]
    return pa.Array.from_buffers(pa.string_view(), len(views), buffers)


def _first_bytes(payload: bytes, starts: Places, lengths: Places, count: int) -> Bytes:
    """The first bytes of each text, a row each, with zeros after its end."""
    content = np.frombuffer(payload, np.uint8)
    nth = np.arange(count)
    first = content[np.minimum(starts[:, np.newaxis] + nth, len(content) - 1)]
    return np.where(nth < lengths[:, np.newaxis], first, np.uint8(0))


def is_utf8(payload: bytes) -> bool:
    """Whether all of a payload is UTF-8."""
    if payload.isascii():
        return True
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
