"""How long an answer asks the client to stay away, by its Retry-After header.

Source of the header's two forms: RFC 9110, section 10.2.3; of Date: section 6.6.1.
"""

import datetime as dt
from email.utils import parsedate_to_datetime

import httpx


def wait_asked_for(response: httpx.Response) -> float | None:
    """Seconds that an answer asks to wait, or None where it asks for none.

    A date is compared with the Date of the same answer. Compared with our clock, which may differ
    from the source's, it could mean no wait at all, or one of hours.
    """
    now = _moment(response.headers.get("Date", "")) or dt.datetime.now(dt.UTC)
    return parse_retry_after(response.headers.get("Retry-After"), now)


def parse_retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds to wait by a Retry-After header, a number of seconds or an HTTP date.

    Args:
        value: the header; None, and text that is neither form, give None.
        now: an aware time, against which a date is held; a date gone by gives 0.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = _moment(text)
    return None if until is None else max((until - now).total_seconds(), 0.0)


def _moment(text: str) -> dt.datetime | None:
    """An HTTP date as an aware time; None for other text."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year, or an offset, of any number of digits
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
