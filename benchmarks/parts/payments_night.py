"""One more day of payments, as a person runs it: `clearhouse run payments` in a process of its own.

The home with the days before is made once, through normalizer, archive and worker, and each round
adds a day to it. Nothing is asked of the providers' APIs, so no payout is itemized.
"""

import datetime as dt
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.jobs import FIRST_DAY, SEED, BenchmarkError, Done, Job, Stopwatch, Task
from benchmarks.parts.night import as_from_nothing, clearhouse, next_day
from benchmarks.parts.payments_normalizer import stored_webhooks
from benchmarks.parts.warehouse import audited, opened, settings_in
from clearhouse.landing.store import Landing
from clearhouse.log.log import Message
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.domain import PAYMENTS
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.normalizer.archive import Archive
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.store.database import open_store
from clearhouse.payments.topics import EVENTS, TOPICS, WEBHOOKS
from clearhouse.payments.worker.loop import Worker

_A_DAY = 1_000
"""Webhooks of each day, about."""


def one_more(job: Job, _: ExitStack) -> Task:
    """The day after the last one."""
    home = job.inputs.with_name(f"{job.part}-{job.days}")
    if not home.exists():
        for day in job.window:
            _received(home, day)
        _run(home, FIRST_DAY, job.window.last)
    day = next_day(home, PAYMENTS)
    events = _received(home, day)

    def measured() -> Done:
        watch = Stopwatch()
        with watch.timed("all"):
            _run(home, day, day)
        return Done(events, 0, watch.seconds)

    def content() -> dict[str, str]:
        run = opened(settings_in(home), domain=PAYMENTS)
        with closing(run.engine):
            audited(run)
            as_from_nothing(run)
        return {}

    return Task(measured, content)


def _run(home: Path, first: dt.date, last: dt.date) -> None:
    clearhouse(home, "run", "payments", "--from", str(first), "--to", str(last))


def _received(home: Path, day: dt.date) -> int:
    """A day's webhooks, all recorded. Returns how many events became of them."""
    settings = settings_in(home)
    at = dt.datetime.combine(day, dt.time(12), dt.UTC)
    path = Path(settings.log_url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    landing = Landing.from_url(settings.landing_url)
    with (
        closing(SqliteLog(path, [topic.name for topic in TOPICS], clock=lambda: at)) as log,
        closing(open_store(settings.payments_database_url)) as store,
    ):
        before = log.end(EVENTS.name)
        webhooks = stored_webhooks(_A_DAY, SEED + day.toordinal(), at)
        log.append([Message(WEBHOOKS.name, "k", webhook) for webhook in webhooks])
        normalizer = Normalizer(log, landing, now=lambda: at)
        while normalizer.step():
            pass
        Archive(log, landing, lambda: at).flush()
        worker = Worker(log, store, InProcess(), clock=lambda: at)
        while worker.step():
            pass
        events = log.end(EVENTS.name) - before
    if not events:
        raise BenchmarkError("The webhooks did not become events.")
    return events
