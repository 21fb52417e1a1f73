"""The gateway over HTTP: signed bodies of 2.6 KB, each answered when the log has it durably.

Beside it the same gateway with a log that does nothing.
"""

from contextlib import ExitStack
from pathlib import Path

from benchmarks.jobs import BenchmarkError, Job, Task, nothing_to_compare
from benchmarks.parts.served import served
from benchmarks.parts.webhook_load import FEW, MANY, REQUESTS, loaded
from clearhouse.log.opening import LogPlace
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.topics import WEBHOOKS


def few_connections(job: Job, stack: ExitStack) -> Task:
    """16 connections, each of which sends when it is answered."""
    return _task(job, stack, FEW, "log")


def many_connections(job: Job, stack: ExitStack) -> Task:
    """The same with 64."""
    return _task(job, stack, MANY, "log")


def few_connections_no_log(job: Job, stack: ExitStack) -> Task:
    """16 connections and a log that does nothing."""
    return _task(job, stack, FEW, "no_log")


def many_connections_no_log(job: Job, stack: ExitStack) -> Task:
    """The same with 64."""
    return _task(job, stack, MANY, "no_log")


def _task(job: Job, stack: ExitStack, connections: int, what: str) -> Task:
    file = job.home / "log.db"
    server = stack.enter_context(served("benchmarks.parts.gateway_process", what, str(file)))

    def content() -> dict[str, str]:
        if what == "log" and _kept(file) != REQUESTS + connections:
            raise BenchmarkError(f"The log has {_kept(file)} webhooks.")
        return nothing_to_compare()

    return Task(loaded(server, connections), content)


def _kept(file: Path) -> int:
    log = open_payment_log(LogPlace(f"sqlite:///{file}"))
    try:
        return log.end(WEBHOOKS.name)
    finally:
        log.close()
