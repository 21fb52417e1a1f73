"""The alert that days are held: to the log, and to a webhook in Slack's format.

An alert says which days, which gate and which rules; it holds no value of a record. The webhook's
URL is a secret (whoever has it can post), so it is in no log line. Source: Slack's documentation
of incoming webhooks and Block Kit.
"""

import html
import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import structlog

from clearhouse.core.errors import SettingsError
from clearhouse.quality.verdicts import Verdict

# Slack refuses a message of more than 50 blocks, or of more than 3,000 characters in one.
_MAX_DAYS = 20
_MAX_FAILURES = 8
_MAX_TEXT_CHARACTERS = 2_900


class Alerter:
    """Tells people of held days.

    Args:
        webhook_url: where to post; None: the log alone.
        timeout_seconds: how long a post may wait for the other side.

    Raises:
        SettingsError: `webhook_url` is not an http or https URL.
    """

    def __init__(self, webhook_url: str | None, timeout_seconds: float = 5) -> None:
        if webhook_url is not None and not _is_http(webhook_url):
            raise SettingsError("The alert webhook's URL must begin with https:// or http://.")
        self._webhook_url = webhook_url
        self._timeout_seconds = timeout_seconds
        self._log = structlog.get_logger()

    def held(self, domain: str, gate: str, *verdicts: Verdict, journal: str) -> None:
        """Log a warning for each day that failed, and post one message for all of them.

        Both hold the head of the books' journal, a copy of which is best kept where others than
        those who can write the books have it.

        A post that fails is logged as an error and is no reason to fail the run: the days are
        held all the same.
        """
        held = [verdict for verdict in verdicts if not verdict.passed]
        for verdict in held:
            self._log.warning(
                "day held",
                domain=domain,
                gate=gate,
                book_date=str(verdict.day),
                journal=journal,
                failures=[failure.detail for failure in verdict.failures],
            )
        if held and self._webhook_url is not None:
            self._post(self._webhook_url, slack_message(domain, gate, held, journal))

    def _post(self, url: str, message: dict[str, Any]) -> None:
        # Not httpx: it logs the URL of every request.
        request = urllib.request.Request(  # noqa: S310  the scheme was checked
            url,
            data=json.dumps(message).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_seconds):  # noqa: S310
                pass
        except urllib.error.HTTPError as error:
            error.close()
            self._log.error("alert not delivered", status_code=error.code)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            self._log.error("alert not delivered", reason=type(reason).__name__)


def slack_message(domain: str, gate: str, held: list[Verdict], journal: str) -> dict[str, Any]:
    """Slack's incoming-webhook JSON: a line for the notification, and blocks for the reader."""
    days = "1 day" if len(held) == 1 else f"{len(held)} days"
    shown = held[:_MAX_DAYS]
    names = ", ".join(str(verdict.day) for verdict in shown) + _more(len(held) - len(shown))
    title = f"{domain}: {days} held by {gate}: {names}"
    note = (
        "Readers do not see a held day until it is corrected or released. "
        f"Journal of the books: {journal}"
    )
    return {
        "text": _escaped(title),
        "blocks": [
            _section(f"*{_escaped(title)}*"),
            *(_section(_reasons(verdict)) for verdict in shown),
            {"type": "context", "elements": [{"type": "mrkdwn", "text": note}]},
        ],
    }


def _reasons(verdict: Verdict) -> str:
    lines = [f"• {_escaped(failure.detail)}" for failure in verdict.failures[:_MAX_FAILURES]]
    more = _more(len(verdict.failures) - len(lines)).removeprefix(", ")
    return "\n".join([f"*{verdict.day}*", *lines, *([more] if more else [])])


def _more(count: int) -> str:
    return f", and {count} more" if count else ""


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MAX_TEXT_CHARACTERS]}}


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
