"""What a source is asked for a day, as the books and landing keep it: whom, and for which part."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from clearhouse.books.model import Entry, EntryKey
from clearhouse.landing import LandedObject
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.domain import STATE, Connection

FOLLOWED = "followed"
"""In a request: it was asked for what came since, and not for the day."""
SO_FAR = "so_far"
"""In a request: the day was not over, in UTC, when it was asked for. What came is not all of it."""

Requests = Mapping[dt.date, dict[str, Any]]
Landed = Mapping[dt.date, Sequence[LandedObject]]


def today() -> dt.date:
    """The day that goes on, in UTC."""
    return dt.datetime.now(dt.UTC).date()


def part_of(run: Run, day: dt.date, request: Mapping[str, Any]) -> dict[str, Any]:
    """Which part of a day is asked for; nothing where it is all of it, or the source says what."""
    if run.follows:
        return {FOLLOWED: True}
    return {SO_FAR: True} if day >= today() and STATE not in request else {}


def as_kept(
    connection: Connection, request: Mapping[str, Any], part: Mapping[str, Any]
) -> dict[str, Any]:
    """A request as the books and landing keep it: of whom, and for which part of a day."""
    return {"source": connection.identity, **request, **part}


def as_answered(
    connection: Connection, asked: Mapping[str, Any], answered: Mapping[str, Any]
) -> dict[str, Any]:
    """The request of an answer, as it is kept: for the part of the day that was asked for."""
    part = {name: asked[name] for name in (FOLLOWED, SO_FAR) if name in asked}
    return as_kept(connection, answered, part)


def is_in_part(request: Mapping[str, Any]) -> bool:
    """Whether it may have been for a part of a day: asked for whole, it is no other request."""
    return not {FOLLOWED, SO_FAR, STATE}.isdisjoint(request)


def as_closed(
    requests: Requests, entered: Mapping[dt.date, Entry], closed: Landed
) -> dict[dt.date, EntryKey]:
    """The entries of closed days that landed by these requests, also before they were over: a
    closed day is all that it will be.
    """
    found = {}
    for day, objects in closed.items():
        answers = answers_of(objects)
        whole = {**answers[-1].request, SO_FAR: True} if answers else {}
        if day in entered and whole == {**requests[day], SO_FAR: True}:
            found[day] = entered[day].key
    return found


def answers_of(objects: Sequence[LandedObject]) -> list[LandedObject]:
    """What a source gave of a day when it was asked for the day, and not for what came since."""
    return [o for o in objects if o.is_given and FOLLOWED not in o.request]
