"""Asking providers' APIs: whole answers as bytes, and what is in them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import httpx
import msgspec

from clearhouse.core.answer import read_bounded
from clearhouse.core.errors import SourceError
from clearhouse.core.http import ResilientClient
from clearhouse.core.not_json import NOT_JSON, with_whole_characters

T = TypeVar("T")

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


def decoded(answer: bytes, kind: type[T]) -> T:
    """What an answer says.

    Raises:
        SourceError: it is not of the form that is known.
    """
    try:
        answer.decode()  # also what is kept as it is written
        return msgspec.json.decode(with_whole_characters(answer), type=kind)
    except NOT_JSON as error:
        raise SourceError(
            f"An answer about a payout is not of the form that is known: {error}.", "bad_answer"
        ) from error
