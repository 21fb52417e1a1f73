"""What `clearhouse doctor` asks the parts of payments: nothing is made or changed by it."""

import sqlite3
from collections.abc import Mapping
from functools import partial

import httpx
import sqlalchemy as sa

from clearhouse.core.checks import Answer, Check
from clearhouse.core.endpoint import Endpoint
from clearhouse.core.errors import ServerError, StoreError
from clearhouse.log.log import Log
from clearhouse.payments.account_settings import accounts_from
from clearhouse.payments.lag import lag_of
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.normalizer.loop import CONSUMER as NORMALIZER
from clearhouse.payments.services import health_urls
from clearhouse.payments.store import tables
from clearhouse.payments.topics import TOPICS, WEBHOOKS
from clearhouse.settings import Settings
from clearhouse.store.checks import is_missing, version_of
from clearhouse.store.database import open_to_watch

_HTTP_SECONDS = 3.0
_SQLITE = "sqlite:///"


def checks(settings: Settings, named: Mapping[str, str]) -> list[Check]:
    """One check for each part of payments.

    Args:
        settings: say where the parts are.
        named: by service, the URL where it must answer. One that is not named is looked for where
            it listens by default, and need not run.
    """
    services = {**health_urls(settings), **named}
    return [
        Check("payments log", partial(_log, settings), next_step=_see("payments-broker-down")),
        Check("payments store", partial(_store, settings), next_step=_see("payments-worker-stuck")),
        Check("payments accounts", partial(_accounts, settings)),
        *(
            Check(
                f"service {name}",
                partial(_service, name, url, must_run=name in named),
                next_step=_see("payments-service-down"),
            )
            for name, url in services.items()
        ),
    ]


def _see(runbook: str) -> str:
    return f"see docs/runbooks/{runbook}.md"


def _log(settings: Settings) -> Answer:
    """The log, its topics, and what waits for the normalizer."""
    url = settings.log_url
    if is_missing(url):
        return Answer("There is none yet: the first service of payments makes it.")
    log = open_payment_log(log_place(settings))
    try:
        partitions = {log.partitions(topic.name) for topic in TOPICS}
        waiting = _waiting_for_normalizer(log)
        told = f"{len(TOPICS)} topics of {' and '.join(map(str, sorted(partitions)))} partition(s)"
        version = f"SQLite {sqlite3.sqlite_version}" if url.startswith(_SQLITE) else "Kafka"
        return Answer(f"{told}; {waiting:,} webhooks wait for the normalizer.", version, waiting)
    finally:
        log.close()


def _waiting_for_normalizer(log: Log) -> int:
    topic = WEBHOOKS.name
    lags = lag_of(log, topic, lambda partition: log.progress(NORMALIZER, topic, partition))
    return sum(each.waiting for each in lags)


def _store(settings: Settings) -> Answer:
    """The operational store: its tables, and what waits to be published."""
    url = settings.payments_database_url
    if is_missing(url):
        return Answer("There is none yet: the first service of payments makes it.")
    engine = open_to_watch(url)
    try:
        with engine.connect() as connection:
            version = version_of(connection)
            if not sa.inspect(connection).has_table(tables.payment_event.name):
                raise StoreError(
                    "PAYMENTS_DATABASE_URL has no tables of payments: run `clearhouse payments "
                    "prepare`.",
                    "not_prepared",
                )
            tables_at = connection.scalar(sa.select(tables.version.c.version_num))
            waiting = connection.scalar(sa.select(sa.func.count()).select_from(tables.outbox)) or 0
            newest = connection.scalar(sa.select(sa.func.max(tables.payment_event.c.book_date)))
    finally:
        engine.dispose()
    recorded = "nothing is recorded" if newest is None else f"the newest event is of {newest}"
    detail = f"Tables at {tables_at}, {recorded}; {waiting:,} messages wait in the outbox."
    return Answer(detail, version, waiting)


def _accounts(settings: Settings) -> Answer:
    """The accounts whose webhooks are taken, by name."""
    accounts = accounts_from(settings)
    if not accounts:
        return Answer("No account of a provider is set: the gateway takes the sandbox's alone.")
    return Answer(f"Set: {', '.join(f'{each.provider}/{each.name}' for each in accounts)}.")


def _service(name: str, url: str, *, must_run: bool) -> Answer:
    """Whether a service is ready.

    Raises:
        ServerError: it is not, or does not answer where it must.
    """
    endpoint = Endpoint.parse(url, f"the service {name}")
    try:
        answer = httpx.get(
            endpoint.url.copy_with(path=f"{endpoint.url.path.rstrip('/')}/health/ready"),
            auth=endpoint.auth,
            timeout=_HTTP_SECONDS,
            trust_env=False,
        )
        said = answer.json()
        status = said.get("status")
    except httpx.TransportError as error:
        if must_run or not isinstance(error, httpx.ConnectError):
            raise ServerError(f"{endpoint.url} does not answer.", "no_answer") from None
        return Answer(f"It does not run at {endpoint.url}.")
    except (ValueError, AttributeError):
        status, said = None, {}
    if answer.is_success and status in ("ready", "ok"):
        return Answer(f"{endpoint.url} is ready.")
    if "code" in said:
        reason = said.get("reason") or said.get("detail") or "It is not ready."
        raise ServerError(f"{endpoint.url} is not ready: {reason}", str(said["code"]))
    if must_run:
        raise ServerError(f"{endpoint.url} is no service of Clearhouse.", "unknown_answer")
    return Answer(f"It does not run at {endpoint.url}: another program answers there.")
