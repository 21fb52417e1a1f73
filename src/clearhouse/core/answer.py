"""An HTTP answer: its body within a bound, whether it has an end, and what an error says."""

import json

import httpx

from clearhouse.core.endpoint import shown_request
from clearhouse.core.errors import SourceError

_MAX_ERROR_BODY_BYTES = 1 << 16
_MAX_REASON_LENGTH = 200


class RetryableAnswer(SourceError):  # noqa: N818 (an answer is what it speaks of)
    """Raised by the reader of an answer that is broken as it stands: the attempt is made again."""

    code = "source_answer_broken"


async def read_bounded(response: httpx.Response, max_bytes: int) -> bytes:
    """The whole body of an answer, decoded from its transfer and content encodings.

    Raises:
        SourceError: it is longer than max_bytes; not retried, as it would be as long again.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise SourceError(
                f"The answer to {shown_request(response.request)} is longer than {max_bytes} "
                "bytes, more than was asked for: check that the source heeds the request.",
                "answer_too_large",
            )
        chunks.append(chunk)
    return b"".join(chunks)


async def beginning_of(response: httpx.Response) -> bytes:
    """As much of an error answer as its reason can need."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_ERROR_BODY_BYTES:
            break
    return body


def has_an_end(response: httpx.Response) -> bool:
    """Whether the headers say where the body ends: if not, a cut connection looks like an end."""
    return (
        "Content-Length" in response.headers
        or "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        or response.status_code == httpx.codes.NO_CONTENT
    )


def reason_of(body: bytes) -> str:
    """What a JSON error says under `detail`, `error` or `message`, as " (…)"; "" where nothing.

    Of FastAPI's list of faults only place and text are shown: `input` can repeat what was sent. Of
    an object, its code and message.
    """
    try:
        error = json.loads(body)
        said = next(error[key] for key in ("detail", "error", "message") if key in error)
        if isinstance(said, list):
            said = "; ".join(f"{'.'.join(map(str, d['loc']))}: {d['msg']}" for d in said)
        elif isinstance(said, dict):
            said = ": ".join(str(said[key]) for key in ("code", "message") if key in said)
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return ""
    text = " ".join(str(said).split())[:_MAX_REASON_LENGTH]
    # A terminal obeys control characters, and no database takes half a character.
    shown = "".join(each if each.isprintable() else "\ufffd" for each in text)
    return f" ({shown})" if shown else ""
