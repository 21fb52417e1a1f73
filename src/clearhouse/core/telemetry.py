"""Logging: readable in a terminal, one JSON object a line elsewhere; each with run and window."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import structlog


def configure_logging(
    level: str = "warning", log_format: Literal["auto", "console", "json"] = "auto"
) -> None:
    """Set up structlog on standard error. Standard output is left to what a command answers."""
    console = sys.stderr.isatty() if log_format == "auto" else log_format == "console"
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries that log what they ask for would show URLs, in which keys can stand.
    for chatty in (
        "httpx", "httpcore", "urllib3", "pyiceberg", "great_expectations", "opentelemetry",
    ):  # fmt: skip
        logging.getLogger(chatty).setLevel(logging.ERROR)


@contextmanager
def run_context(run_id: str, window: str) -> Iterator[None]:
    """Every line logged inside carries the run and its window."""
    with structlog.contextvars.bound_contextvars(run_id=run_id, window=window):
        yield


@contextmanager
def timed(event: str, **values: Any) -> Iterator[None]:
    """Log an event with the seconds that the block took."""
    began = time.perf_counter()
    yield
    structlog.get_logger().info(event, seconds=round(time.perf_counter() - began, 3), **values)
