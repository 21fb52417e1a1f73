"""Standard output and standard error, which are not always a terminal that can show everything.

- What their encoding can't show is replaced, and is no error: the work is what counts.
- A reader of a pipe who leaves (`| head`) has seen enough: the rest is dropped, the work goes on,
  and the exit code is the one that it deserves.
- Standard output that can't be written (a full disk) is an error with its own name, said once: the
  caller would otherwise take half an answer for the whole.
- Where standard error can't be written, there is nowhere to say so: it is dropped.

Standard library only: it is there before the rest of the program is imported.
"""

import codecs
import io
import os
import sys
from typing import Any, TextIO

from clearhouse.core.errors import ClearhouseError

_REPLACED = {"→": "->", "−": "-", "–": "-", "—": "-", "…": "...", "’": "'", "“": '"', "”": '"'}
_CONTROLS = {n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160)) if chr(n) not in "\t\n"}
_ERRORS = "clearhouse.shown"
_STANDARD_INPUT, _STANDARD_OUTPUT, _STANDARD_ERROR = 0, 1, 2


class OutputError(ClearhouseError):
    """Standard output can't be written."""

    code = "output_failed"


class _Stream(io.FileIO):
    """One of the two; after it has failed once, nothing is written any more."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._is_dropped = False

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self._is_dropped:
            return size
        try:
            return super().write(data)
        except OSError as error:
            self._is_dropped = True
            if isinstance(error, BrokenPipeError) or self.fileno() == _STANDARD_ERROR:
                return size
            raise OutputError(
                f"Writing to standard output failed ({error.strerror}): give it a place that can "
                "be written, and run the same command again."
            ) from None


def visible(text: str) -> str:
    r"""A text whose control characters, but for tabs and line feeds, are shown: ESC as `\x1b`."""
    return text.translate(_CONTROLS)


def use_streams() -> None:
    """Put streams that behave like this in the place of Python's own."""
    for descriptor in (_STANDARD_INPUT, _STANDARD_OUTPUT, _STANDARD_ERROR):
        _see_that_it_is_open(descriptor)
    codecs.register_error(_ERRORS, _shown)
    sys.stdout = _text(_STANDARD_OUTPUT, sys.stdout)
    sys.stderr = _text(_STANDARD_ERROR, sys.stderr)


def _see_that_it_is_open(descriptor: int) -> None:
    """A closed one would be given to the next file that is opened, and take our words into it."""
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


def _text(descriptor: int, before: TextIO | None) -> io.TextIOWrapper:
    raw = _Stream(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors=_ERRORS,
        line_buffering=descriptor == _STANDARD_ERROR or raw.isatty(),
    )


def _shown(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_REPLACED.get(character, "?") for character in missing), error.end
