"""Errors with a sentence for a person and a code for a program; what a process ends with."""

import traceback
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What a process ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    HELD = 3
    UNBALANCED = 4

    @classmethod
    def worst(cls, codes: Iterable["ExitCode"]) -> "ExitCode":
        """Of several outcomes: unbalanced books before a failure before a hold."""
        found = set(codes)
        return next((c for c in (cls.UNBALANCED, cls.FAILED, cls.HELD) if c in found), cls.DONE)


def first_line(error: BaseException) -> str:
    """The first line of what an error of a library says, to be put in a sentence of ours."""
    told = str(error).strip() or type(error).__name__
    return told.splitlines()[0].rstrip(".")


def place_of(error: BaseException) -> str:
    """Where an error was raised, as `file.py:line`: it says nothing of the data at hand."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


class ClearhouseError(Exception):
    """Anything that went wrong and that a person can do something about.

    Args:
        message: one sentence that says what happened and what to do.
        code: a stable snake_case word for programs.
    """

    code = "error"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class SettingsError(ClearhouseError):
    """A setting is wrong, or two settings do not go together."""

    code = "bad_settings"


class UsageError(ClearhouseError):
    """What was asked for can't be asked for."""

    code = "bad_usage"


class MoneyError(ClearhouseError, ValueError):
    """An amount that is not exactly readable as money."""

    code = "money_malformed"


class ContractError(ClearhouseError):
    """A contract file that can't be used."""

    code = "bad_contract"


class SourceError(ClearhouseError):
    """An outside system did not give what it promised; nothing of its answer was kept.

    Attributes:
        status: that it refused the request with, where it did.
    """

    code = "source_failed"

    def __init__(self, message: str, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message, code)
        self.status = status


class ServerError(ClearhouseError):
    """A server that holds one of our stores can't be reached, or does not do what it is asked.

    No `StoreError`: an audit takes those for findings, and this says nothing of what is stored.
    """

    code = "server_failed"


class StoreError(ClearhouseError):
    """One of our own stores is not as it was left, or can't be reached."""

    code = "store_failed"
