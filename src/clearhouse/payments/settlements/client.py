"""Asking providers' APIs: whole answers as bytes, and what is in them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, TypeVar

import httpx
import msgspec

from clearhouse.core.answer import read_bounded
from clearhouse.core.errors import SourceError
from clearhouse.core.http import ResilientClient
from clearhouse.core.not_json import NOT_JSON, with_whole_characters

T = TypeVar("T")
Second = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800)]
"""A time in seconds since 1970, before the year 10000."""

_NOT_ITEMIZED = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
MAX_ANSWER_BYTES = 256 << 20
"""A settlement report of a batch can have a million rows."""


async def ask(
    client: ResilientClient,
    path: str,
    params: Mapping[str, str | int],
    headers: Mapping[str, str] | None = None,
) -> bytes | None:
    """The whole answer to `GET path`; None where the provider has no entries to give.

    A provider refuses to itemize a payout that was made by hand, or that it no longer knows. Such a
    one stands unexplained in the tie-out, and does not keep the others of its day away.

    Raises:
        SourceError: see `ResilientClient.exchange`.
    """

    async def consume(response: httpx.Response) -> bytes:
        return await read_bounded(response, MAX_ANSWER_BYTES)

    try:
        return await client.exchange("GET", path, params=params, headers=headers, consume=consume)
    except SourceError as error:
        if error.status in _NOT_ITEMIZED:
            return None
        raise


def turn_page(params: dict[str, str | int], name: str, place: str) -> None:
    """Have the next page be asked for.

    Args:
        params: of the requests.
        name: of the one that says where a page begins.
        place: where the next one does.

    Raises:
        SourceError: this one began there already (bad_answer).
    """
    if params.get(name) == place:
        raise SourceError("The API gives the same page again and again.", "bad_answer")
    params[name] = place


def decoded(answer: bytes, kind: type[T], about: str = "a payout") -> T:
    """What an answer says.

    Args:
        answer: JSON.
        kind: of what it is to be.
        about: what was asked, for a sentence.

    Raises:
        SourceError: it is not of the form that is known.
    """
    try:
        answer.decode()  # also what is kept as it is written
        return msgspec.json.decode(with_whole_characters(answer), type=kind)
    except NOT_JSON as error:
        raise SourceError(
            f"An answer about {about} is not of the form that is known: {error}.", "bad_answer"
        ) from error
