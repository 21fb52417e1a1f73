"""The normalizer's loop: webhooks in, one message each out, its progress in the same commit.

On a server a commit is mostly waiting. While one is under way the next batch is read and worked
out; it is committed once the one before it is, and let go if that was refused.
"""

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from clearhouse.core import tracing
from clearhouse.core.errors import ClearhouseError, SourceError
from clearhouse.landing.store import Landing
from clearhouse.log.log import Log, Message, Record, StaleProgress
from clearhouse.payments.normalizer.breaker import Breaker, BreakerOpenError, BreakerSettings
from clearhouse.payments.normalizer.fetching import Fetcher, FetchRecords, is_gone, is_refused
from clearhouse.payments.normalizer.outcomes import (
    GONE,
    NO_API,
    REFUSED,
    Outcome,
    outcome_of,
    webhook_of,
)
from clearhouse.payments.normalizing import Fetched, thin_object
from clearhouse.payments.problem import Problem
from clearhouse.payments.providers.stripe import Thin
from clearhouse.payments.topics import NORMALIZER, WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook

DEFAULT_BATCH = 4_000
"""On a server the end of a commit takes some requests: few beside the work of so many webhooks."""
_IDLE_SECONDS = 0.1
_REFUSED_OFTEN = 3
"""Commits in a row: partitions that come and go cost one or two."""
_BACK_OFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_log = structlog.get_logger()

_Pairs = Sequence[tuple[Record, StoredWebhook | None]]


class _Batch(NamedTuple):
    """What webhooks say, for a commit.

    Attributes:
        is_full: whether more is likely to wait in the log.
        begun: when they had been read, by `time.perf_counter`.
    """

    pairs: _Pairs
    outcomes: Sequence[Outcome]
    messages: Sequence[Message]
    is_full: bool
    begun: float


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Normalizer:
    """Reads webhooks and appends what they say.

    Processes share the partitions of the topic; of one partition, one comes further.

    Args:
        log: holds webhooks, what they say, and how far this has come.
        landing: where fetched objects are recorded.
        fetcher: of the objects that thin events name; None: thin events are dead letters.
        breaker: when to stop at a flood of dead letters; None: never.
        batch: most webhooks of one step.
        now: the clock (aware).
        on_outcomes: told of each batch that was committed, such as metrics.
        on_seconds: told of each such batch how long it took, its commit included.
    """

    def __init__(  # noqa: PLR0913 (each is a part of it)
        self,
        log: Log,
        landing: Landing,
        fetcher: Fetcher | None = None,
        *,
        breaker: BreakerSettings | None = BreakerSettings(),  # noqa: B008 (frozen)
        batch: int = DEFAULT_BATCH,
        now: Callable[[], dt.datetime] = _now,
        on_outcomes: Callable[[Sequence[Outcome]], None] = lambda _: None,
        on_seconds: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._webhooks = log.subscribe(NORMALIZER, WEBHOOKS.name)
        self._fetcher = fetcher
        self._fetches = FetchRecords(landing, now)
        self._breaker = Breaker(breaker)
        self._batch = self._most = batch
        self._refused = 0
        self._under_way: tuple[_Batch, deque[bool]] | None = None
        """What is being committed, and what the breaker is to keep with it."""
        self._now = now
        self._on_outcomes = on_outcomes
        self._on_seconds = on_seconds

    def step(self) -> int:
        """Handle one batch: read it and work it out, end the commit before it, begin its own.

        Returns:
            How many webhooks it has handled; 0 where there are none, or what was read is given
            again. The commit of a full batch may be under way yet: the next step ends it.

        Raises:
            BreakerOpenError: a flood of dead letters; nothing of the batch was committed.
            SourceError: the object of the first webhook can't be fetched now.
            LogError, StoreError, ServerError: the log or landing can't be used.
        """
        try:
            batch = self._worked_out()
        finally:
            is_next = self._end()
        if not is_next:
            return 0
        if batch is None:
            self._refused = 0
            return 0
        return len(batch.outcomes) if self._begin(batch) else 0

    def _worked_out(self) -> _Batch | None:
        """What the next webhooks say; None where there are none."""
        records = self._webhooks.read(self._most)
        is_full = len(records) == self._most
        pairs, fetched = self._with_fetched([(each, webhook_of(each)) for each in records])
        if not pairs:
            return None
        begun, now = time.perf_counter(), self._now()
        with tracing.handled("normalize", [record.headers for record, _ in pairs]) as carried:
            outcomes = [
                outcome_of(r, webhook, fetched.get(r.position), now) for r, webhook in pairs
            ]
            messages = _messages(outcomes, carried)
        return _Batch(pairs, outcomes, messages, is_full, begun)

    def _begin(self, batch: _Batch) -> bool:
        """Commit what a batch says; False where it is refused. A full one is left under way."""
        after = self._breaker.check(
            outcome.code
            for (_, webhook), outcome in zip(batch.pairs, batch.outcomes, strict=True)
            if (webhook is None or not webhook.redrive_of) and outcome.code != NO_API.code
        )
        try:
            self._webhooks.begin_commit([record for record, _ in batch.pairs], batch.messages)
        except StaleProgress:
            self._note_refusal()
            return False
        self._under_way = batch, after
        return batch.is_full or self._end()

    def _end(self) -> bool:
        """End the commit that is under way; False where it is refused: what was read behind it is
        given again.
        """
        if self._under_way is None:
            return True
        (batch, after), self._under_way = self._under_way, None
        try:
            self._webhooks.end_commit()
        except StaleProgress:
            self._note_refusal()
            return False
        self._most = min(self._batch, 2 * self._most)
        self._refused = 0
        self._breaker.keep(after)
        self._on_outcomes(batch.outcomes)
        self._on_seconds(time.perf_counter() - batch.begun)
        return True

    def _note_refusal(self) -> None:
        # Another process has these webhooks now. Or the commit took longer than the log lets one
        # take: fewer at once do not.
        self._most = max(1, self._most // 2)
        self._refused += 1

    def close(self) -> None:
        """Leave what is not handled to other processes, once what is being committed is."""
        self._webhooks.close()

    def run_until(
        self,
        stop: threading.Event,
        on_state: Callable[[ClearhouseError | None], None] = lambda _: None,
    ) -> None:
        """Handle webhooks as they come, until `stop` is set; the batch at hand is ended.

        An outage of the log, landing or Stripe's API is waited for. An open breaker ends the work
        but not this call: whoever asks is told until the process is started again.

        Args:
            stop: ends it.
            on_state: told after each step what is in the way; None: nothing.
        """
        failures = 0
        while self._under_way is not None or not stop.is_set():
            try:
                handled = self._end() if stop.is_set() else self.step()
            except BreakerOpenError as error:
                _log.error("normalizer_stopped", code=error.code, reason=error.message)
                on_state(error)
                stop.wait()
                return
            except ClearhouseError as error:
                _log.warning("normalizer_waits", code=error.code, reason=error.message)
                on_state(error)
                stop.wait(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])
                failures += 1
                continue
            failures = 0
            on_state(self._hindrance())
            if not handled:
                stop.wait(_IDLE_SECONDS)

    def _hindrance(self) -> ClearhouseError | None:
        """What is in the way though nothing failed: the log refuses one commit after another."""
        if self._refused < _REFUSED_OFTEN:
            return None
        return StaleProgress(
            f"The log has refused {self._refused} commits in a row: other processes have the "
            "partitions, or it is too slow for what is committed."
        )

    def _with_fetched(self, pairs: _Pairs) -> tuple[_Pairs, Mapping[int, Fetched | Problem]]:
        """The webhooks before the first whose object can't be fetched now, with all fetched ones.

        Raises:
            SourceError: that is the first webhook of all.
        """
        thin = [
            (index, record, named)
            for index, (record, webhook) in enumerate(pairs)
            if webhook is not None and (named := thin_object(webhook)) is not None
        ]
        if self._fetcher is None:
            # One missing setting stops nobody else: these are redriven when it is set.
            return pairs, {record.position: NO_API for _, record, _ in thin}
        if not thin:
            return pairs, {}
        answers = self._fetcher.fetch([named for _, _, named in thin])
        found: dict[int, Fetched | Problem] = {}
        kept: list[tuple[Record, Thin, Fetched | None]] = []
        for (index, record, named), answer in zip(thin, answers, strict=True):
            if not isinstance(answer, SourceError):
                found[record.position] = answer
                kept.append((record, named, answer))
            elif is_gone(answer):
                found[record.position] = GONE
                kept.append((record, named, None))
            elif is_refused(answer):
                found[record.position] = REFUSED
            else:
                if index == 0:
                    raise answer
                pairs = pairs[:index]
                break
        self._fetches.keep(kept)
        return pairs, found


def _messages(outcomes: Sequence[Outcome], carried: Sequence[tracing.Headers]) -> list[Message]:
    """What is to be appended, each message with the headers of its webhook's trace."""
    return [
        Message(made.topic, made.key, made.value, headers) if headers else made
        for (made, _), headers in zip(outcomes, carried, strict=True)
    ]
