"""The log as a person at a terminal reads it; elsewhere it stays as `telemetry` sets it up.

A command already shows, in sentences, which days were held and which failed, so their log events
would only repeat it: they are written where JSON is asked for by name. In a terminal, attempts
that are tried again get one short line.
"""

import sys
from typing import Any

import structlog

from clearhouse.core.telemetry import configure_logging
from clearhouse.settings import Settings

_TOLD_BY_THE_COMMAND = frozenset({"day held", "day_stopped"})
_OF_PROGRAMS = ("run_id", "window", "timestamp")


def set_up_logs(settings: Settings) -> None:
    """Log as the settings say."""
    configure_logging(settings.log_level, settings.log_format)
    is_console = (
        sys.stderr.isatty() if settings.log_format == "auto" else settings.log_format == "console"
    )
    if is_console:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                not_told_twice,
                told_shortly,
                structlog.dev.ConsoleRenderer(pad_level=False, pad_event_to=0),
            ],
            # Standard error as it is at each line: a live bar takes its place meanwhile.
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )
    elif settings.log_format == "auto":
        structlog.configure(processors=[not_told_twice, *structlog.get_config()["processors"]])


def not_told_twice(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """An event that the command does not tell anyway.

    Raises:
        structlog.DropEvent: it does.
    """
    if event["event"] in _TOLD_BY_THE_COMMAND:
        raise structlog.DropEvent
    return event


def told_shortly(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """An event without what only programs read."""
    if event["event"] == "stamina.retry_scheduled":
        cause, wait_seconds = event["caused_by"], event["wait_for"]
        told = f"{cause}: trying again in {wait_seconds:.1f} s"
        return {"level": event["level"], "event": told}
    return {name: value for name, value in event.items() if name not in _OF_PROGRAMS}
