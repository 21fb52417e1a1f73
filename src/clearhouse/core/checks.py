"""Questions to the parts of an installation, asked side by side, each for a limited time."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from clearhouse.core.errors import ClearhouseError, first_line

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part says of itself.

    Attributes:
        detail: one sentence. It holds no secret.
        version: of its program; "" where it says none.
        lag: records or messages that wait for it; None where nothing can wait.
    """

    detail: str
    version: str = ""
    lag: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A question to a part.

    Attributes:
        ask: raises what is wrong.
        seconds: how long it is waited for.
        next_step: what to do where it fails, beside what its error says.
    """

    name: str
    ask: Callable[[], Answer] = field(repr=False)
    seconds: float = _SECONDS
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a question.

    Attributes:
        code: of what is wrong; "" where nothing is.
        next_step: "" where nothing is wrong.
        seconds: that the answer took.
    """

    check: str
    ok: bool
    detail: str
    version: str = ""
    lag: int | None = None
    code: str = ""
    next_step: str = ""
    seconds: float = 0.0


def ask_all(checks: Sequence[Check]) -> Iterator[Finding]:
    """The findings, in the order of the checks, all of which are asked at once.

    A check that is not answered in its time is left to itself: it can't keep the process from
    ending.
    """
    begun = time.monotonic()
    answers: list[SimpleQueue[Finding]] = [SimpleQueue() for _ in checks]
    for check, answer in zip(checks, answers, strict=True):
        threading.Thread(
            target=lambda c=check, a=answer: a.put(_finding(c)), name=check.name, daemon=True
        ).start()
    for check, answer in zip(checks, answers, strict=True):
        left = begun + check.seconds - time.monotonic()
        try:
            yield answer.get(timeout=max(0.0, left))
        except Empty:
            detail = f"It did not answer within {check.seconds:g} s."
            yield _failed(check, detail, "no_answer", check.seconds)


def _finding(check: Check) -> Finding:
    begun = time.monotonic()
    try:
        answer = check.ask()
    except ClearhouseError as error:
        return _failed(check, error.message, error.code, time.monotonic() - begun)
    except OSError as error:
        return _failed(check, f"{first_line(error)}.", "system", time.monotonic() - begun)
    except Exception as error:  # noqa: BLE001 (whatever it is, the part is not well)
        # Its text may hold a user, a password or a row: the type has to do.
        detail = f"It failed: {type(error).__name__}."
        return _failed(check, detail, "failed", time.monotonic() - begun)
    seconds = time.monotonic() - begun
    return Finding(
        check.name, True, answer.detail, answer.version, answer.lag, seconds=round(seconds, 3)
    )


def _failed(check: Check, detail: str, code: str, seconds: float) -> Finding:
    return Finding(
        check.name,
        False,
        detail,
        code=code,
        next_step=check.next_step,
        seconds=round(seconds, 3),
    )
