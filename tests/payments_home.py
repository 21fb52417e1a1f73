"""One home of payments: a log and an operational store as the services leave them, and commands."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import msgspec
from cli_session import command
from click.testing import Result

from clearhouse.core.urls import SecretUrl
from clearhouse.landing import Landing
from clearhouse.log.log import Message, Progress
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.dead_letter import DeadLetter, Unmapped
from clearhouse.payments.domain import PAYMENTS
from clearhouse.payments.event import PaymentEvent, Provider, encode_event
from clearhouse.payments.normalizer.archive import Archive
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.progress import read_progress
from clearhouse.payments.store.recorder import Handled, Recorder
from clearhouse.payments.topics import EVENTS, NORMALIZER_DEAD, TOPICS, UNMAPPED, WEBHOOKS
from clearhouse.payments.webhook import StoredWebhook, encode_webhook
from clearhouse.pipeline.context import Run
from clearhouse.pipeline.opening import open_run
from clearhouse.settings import load_settings

DEAD, NOT_MAPPED = "dead", "not mapped"
Sent = PaymentEvent | str
"""A webhook by what it becomes: an event, or one that can't be read or follows nothing."""
_ENCODE = msgspec.json.Encoder().encode


@dataclass
class Home:
    """A home, filled day by day."""

    home: Path
    now: dt.datetime = field(default=dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC))

    def receive(self, day: dt.date, sent: Sequence[Sent], *, normalize: bool = True) -> None:
        """Webhooks come in on a day; unless told otherwise, the services do their work."""
        self.now = dt.datetime.combine(day, dt.time(12), dt.UTC)
        with self.log() as log:
            archive = Archive(log, Landing.from_url(self.settings.landing_url), lambda: self.now)
            first = log.end(WEBHOOKS.name)
            webhooks = [self._webhook(first + n) for n in range(len(sent))]
            log.append([Message(WEBHOOKS.name, "key", encode_webhook(w)) for w in webhooks])
            if normalize:
                made = [self._made(day, first + n, each) for n, each in enumerate(sent)]
                log.progress("normalizer", WEBHOOKS.name)
                progress = Progress("normalizer", WEBHOOKS.name, first + len(sent))
                log.append(made, progress)
                archive.flush()
        if normalize:
            self.record()

    def record(self, url: str | SecretUrl | None = None) -> None:
        """The worker records what the log has, in the home's store or in another one."""
        store = open_store(url or self.settings.payments_database_url)
        recorder = Recorder(store, lambda: self.now)
        with self.log() as log:
            with store.reading() as connection:
                began = read_progress(connection, "worker", EVENTS.name).of(0)
            records = log.read(EVENTS.name, began, 10_000)
            handled = [Handled(msgspec.json.decode(r.value, type=PaymentEvent), r) for r in records]
            recorder.record(handled, Progress("worker", EVENTS.name, began + len(records)), began)
        store.close()

    @contextmanager
    def log(self) -> Iterator[SqliteLog]:
        """The log, whose clock stands where the last webhooks came."""
        path = Path(self.settings.log_url.removeprefix("sqlite:///"))
        log = SqliteLog(path, [topic.name for topic in TOPICS], clock=lambda: self.now)
        try:
            yield log
        finally:
            log.close()

    @property
    def settings(self) -> Any:
        """Of the home."""
        return load_settings(_env_file=None, clearhouse_home=self.home)

    def _webhook(self, position: int) -> StoredWebhook:
        return StoredWebhook(
            provider=Provider.STRIPE,
            account="acct",
            key_id="1",
            received_at=self.now,
            verified_at=self.now,
            item=0,
            items=1,
            body="{}",
            body_sha256=_sha256(position),
        )

    def _made(self, day: dt.date, position: int, each: Sent) -> Message:
        of = {
            "provider": Provider.STRIPE,
            "account": "acct",
            "webhook_position": position,
            "book_date": day,
            "body_sha256": _sha256(position),
        }
        if each == DEAD:
            letter = DeadLetter(
                letter_id=f"normalizer:{WEBHOOKS.name}:{position}", stage="normalizer",
                code="unreadable", reason="It can't be read.", first_at=self.now,
                last_at=self.now, **of,
            )  # fmt: skip
            return Message(NORMALIZER_DEAD.name, "key", _ENCODE(letter))
        if each == NOT_MAPPED:
            unmapped = Unmapped(provider_type="price.created", why="no_money", event_id=None, **of)
            return Message(UNMAPPED.name, "key", _ENCODE(unmapped))
        assert isinstance(each, PaymentEvent)
        event = msgspec.structs.replace(
            each,
            webhook_position=position,
            book_date=day,
            body_sha256=_sha256(position),
            received_at=self.now,
        )
        return Message(EVENTS.name, event.payment_id or event.event_id, encode_event(event))

    def command(self, *args: object, **variables: str) -> Result:
        """A command of the command line, in this process."""
        return command(self.home, *args, **variables)

    def run(self, first: dt.date, last: dt.date) -> Result:
        """`clearhouse run payments` over days."""
        return self.command("run", "payments", "--from", first, "--to", last)

    @contextmanager
    def opened(self) -> Iterator[Run]:
        """The stores, for as long as the block lasts."""
        run = open_run(PAYMENTS, self.settings)
        try:
            yield run
        finally:
            run.engine.close()

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """What a reader is answered, who opens what is published."""
        with duckdb.connect(str(self.home / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def _sha256(position: int) -> str:
    return hashlib.sha256(str(position).encode()).hexdigest()
