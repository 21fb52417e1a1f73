"""The normalizer as a process: the loop, the archive beside it, and what says how they are.

On SIGTERM or Ctrl-C the batch at hand is ended, the archive lands what the log holds, and the
process ends. Whatever else ends it: what was not committed is done again at the next start.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import structlog
from prometheus_client import Counter, Gauge

from clearhouse.core import tracing
from clearhouse.core.errors import ClearhouseError
from clearhouse.core.watched_loops import watched_until_a_signal
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log
from clearhouse.payments import aging
from clearhouse.payments.lag import kept_lag
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.loop_state import LoopState
from clearhouse.payments.normalizer.aging import read_by_all
from clearhouse.payments.normalizer.archive import Archive
from clearhouse.payments.normalizer.breaker import BreakerSettings
from clearhouse.payments.normalizer.fetching import StripeObjects
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.normalizer.outcomes import Outcome
from clearhouse.payments.topics import NORMALIZER, WEBHOOKS
from clearhouse.settings import Settings

_ARCHIVE_SECONDS = 5.0
_log = structlog.get_logger()


class State(LoopState):
    """How the service is, for who asks over HTTP.

    Args:
        log: another object than the one that the loop moves its progress with.
    """

    def __init__(self, log: Log) -> None:
        super().__init__(lambda: kept_lag(log, NORMALIZER, WEBHOOKS.name))
        self.archive_in_the_way: ClearhouseError | None = None
        self._outcomes = Counter(
            "normalizer_outcomes",
            "Webhooks by the topic that what they say went to, and the code of dead letters.",
            ["topic", "code"],
            registry=self.registry,
        )
        archives = Gauge(
            "normalizer_archive_ready",
            "1 while nothing keeps webhooks from being archived in landing.",
            registry=self.registry,
        )
        archives.set_function(lambda: float(self.archive_in_the_way is None))

    def count(self, outcomes: Sequence[Outcome]) -> None:
        """Count what a batch became."""
        for outcome in outcomes:
            self._outcomes.labels(outcome.message.topic, outcome.code or "").inc()


def serve(settings: Settings, host: str, port: int | None, *, has_breaker: bool = True) -> None:
    """Normalize until a signal ends it.

    Args:
        settings: name the log, landing and Stripe's API.
        host: where health and metrics are served.
        port: the same; None: they are not.
        has_breaker: whether a flood of dead letters stops it.

    Raises:
        ClearhouseError: it could not start.
    """
    tracing.start("normalizer")
    with ExitStack() as stack:
        # Two objects: one that is asked for the normalizer's progress beside the loop would hide
        # from it that another process has come further.
        log, beside = _opened(settings, stack), _opened(settings, stack)
        landing = Landing.from_url(settings.landing_url)
        fetcher = fetcher_from(settings)
        if fetcher is not None:
            stack.callback(fetcher.close)
        state = State(beside)
        breaker = BreakerSettings() if has_breaker else None
        loop = Normalizer(
            log,
            landing,
            fetcher,
            breaker=breaker,
            on_outcomes=state.count,
            on_seconds=state.took,
        )
        stack.callback(loop.close)
        archive = Archive(beside, landing)
        stop = stack.enter_context(watched_until_a_signal("Normalizer", state, host, port))
        _run_side_by_side(
            stop,
            lambda: loop.run_until(stop, state.tell),
            lambda: _keep(archive, beside, state, stop),
        )


def _opened(settings: Settings, stack: ExitStack) -> Log:
    log = open_payment_log(log_place(settings))
    stack.callback(log.close)
    return log


def fetcher_from(settings: Settings) -> StripeObjects | None:
    """What fetches the objects of thin events; None where no key is set."""
    key = settings.stripe_api_key
    if key is None:
        return None
    return StripeObjects(settings.stripe_api_url.for_client(), key.get_secret_value())


def _keep(archive: Archive, log: Log, state: State, stop: threading.Event) -> None:
    """Archive what is whole, and let the log forget what is kept and old; at the end, all."""
    forget_at = dt.datetime.now(dt.UTC)
    while not stop.wait(_ARCHIVE_SECONDS):
        with _noting(state):
            while archive.step() and not stop.is_set():
                pass
            now = dt.datetime.now(dt.UTC)
            if now >= forget_at:
                aging.age_out(log, now.date(), read_by_all(log))
                forget_at = now + aging.EVERY
    with _noting(state):
        archive.flush()


@contextmanager
def _noting(state: State) -> Iterator[None]:
    """The archive waits for an outage of its stores to end; webhooks are normalized meanwhile."""
    try:
        yield
        state.archive_in_the_way = None
    except ClearhouseError as error:
        state.archive_in_the_way = error
        _log.warning("archive_waits", code=error.code, reason=error.message)


def _run_side_by_side(stop: threading.Event, *parts: Callable[[], None]) -> None:
    """Run parts in threads until `stop` is set; a defect of one ends all, and is raised."""
    defects: list[BaseException] = []

    def run(part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:  # noqa: BLE001 (raised below)
            defects.append(error)
            stop.set()

    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join()
    if defects:
        raise defects[0]
