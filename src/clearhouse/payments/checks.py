"""What `clearhouse doctor` asks the parts of payments: nothing is made or changed by it."""

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import httpx
import sqlalchemy as sa

from clearhouse.core.checks import Answer, Check
from clearhouse.core.endpoint import Endpoint
from clearhouse.core.errors import ServerError, StoreError
from clearhouse.log.log import Log
from clearhouse.payments.account_settings import accounts_from
from clearhouse.payments.flow import worker_lags
from clearhouse.payments.lag import kept_lag
from clearhouse.payments.log_opening import log_place, open_payment_log
from clearhouse.payments.services import health_urls
from clearhouse.payments.store import outbox, tables
from clearhouse.payments.store.database import SCHEMA
from clearhouse.payments.topics import EVENTS, NORMALIZER, TOPICS, WEBHOOKS
from clearhouse.payments.unrecorded import STARTER
from clearhouse.settings import Settings
from clearhouse.store.checks import is_missing, version_of
from clearhouse.store.database import open_to_watch

_HTTP_SECONDS = 3.0
_SECONDS = 10.0
"""For a part. Clients of servers say after 3 to 5 s what is wrong."""
_NONE_YET = "There is none yet: the first service of payments makes it."


def checks(settings: Settings, named: Mapping[str, str]) -> list[Check]:
    """One check for each part of payments.

    Args:
        settings: say where the parts are.
        named: by service, the URL where it must answer. One that is not named is looked for where
            it listens by default, and need not run.
    """
    parts = (
        ("log", _log, "payments-broker-down"),
        ("lag", _lag, "payments-worker-stuck"),
        ("store", _store, "payments-worker-stuck"),
        ("workflows", _workflows, "payments-temporal-down"),
        ("accounts", _accounts, "payments-signatures-refused"),
    )
    services = {**health_urls(settings), **named}
    return [
        *(
            Check(f"payments {name}", partial(ask, settings), _SECONDS, _see(runbook))
            for name, ask, runbook in parts
        ),
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
    """The log and its topics."""
    if is_missing(settings.log_url):
        return Answer(_NONE_YET)
    with _opened_log(settings) as log:
        partitions = {log.partitions(topic.name) for topic in TOPICS}
        each = " or ".join(f"{number:,}" for number in sorted(partitions))
        found = f"{len(TOPICS)} topics, of {each} partition{'s' if partitions != {1} else ''} each."
        if settings.log_url.startswith("sqlite:"):
            return Answer(found, f"SQLite {sqlite3.sqlite_version}")
        return Answer(found, f"Kafka, cluster {log.identity.partition(':')[0]}")


def _lag(settings: Settings) -> Answer:
    """What waits for each service."""
    if any(map(is_missing, (settings.log_url, settings.payments_database_url))):
        return Answer("Nothing waits: no service of payments has run yet.")
    with _opened_log(settings) as log:
        lags = {"normalizer": kept_lag(log, NORMALIZER, WEBHOOKS.name)}
        if settings.has_workflow_server:
            lags["starter"] = kept_lag(log, STARTER, EVENTS.name)
        else:
            with _disposing(open_to_watch(settings.payments_database_url)) as store:
                lags["worker"] = worker_lags(log, store)
    waiting = {name: sum(lag.waiting for lag in found) for name, found in lags.items()}
    now = dt.datetime.now(dt.UTC)
    oldest = max((lag.age_seconds(now) for found in lags.values() for lag in found), default=0.0)
    told = ", ".join(f"{count:,} for the {name}" for name, count in waiting.items())
    age = f"; the oldest for {oldest:,.0f} s" if oldest else ""
    return Answer(f"Records that wait: {told}{age}.", lag=sum(waiting.values()))


@contextmanager
def _opened_log(settings: Settings) -> Iterator[Log]:
    log = open_payment_log(log_place(settings))
    try:
        yield log
    finally:
        log.close()


@contextmanager
def _disposing(engine: sa.Engine) -> Iterator[sa.Engine]:
    """An engine whose connections are closed at the end of the block."""
    try:
        yield engine
    finally:
        engine.dispose()


def _store(settings: Settings) -> Answer:
    """The operational store: its tables, and what waits to be published."""
    url = settings.payments_database_url
    if is_missing(url):
        return Answer(_NONE_YET)
    with _disposing(open_to_watch(url)) as engine, engine.connect() as connection:
        version = version_of(connection)
        if not sa.inspect(connection).has_table(tables.payment_event.name):
            raise StoreError(
                "PAYMENTS_DATABASE_URL has no tables of payments: run `clearhouse payments "
                "prepare`.",
                "not_prepared",
            )
        tables_at: str = connection.execute(sa.select(tables.version.c.version_num)).scalar_one()
        if tables_at < SCHEMA.version:
            raise StoreError(
                f"Its tables are at {tables_at}, and this version of Clearhouse needs them at "
                f"{SCHEMA.version}: start one of the services of payments, which changes them.",
                "older_tables",
            )
        waiting = outbox.waiting(connection)
        newest = connection.scalar(sa.select(sa.func.max(tables.payment_event.c.book_date)))
    recorded = "nothing is recorded" if newest is None else f"the newest event is of {newest}"
    detail = f"Tables at {tables_at}, {recorded}; {waiting:,} messages wait in the outbox."
    return Answer(detail, version, waiting)


def _workflows(settings: Settings) -> Answer:
    """Whether the workflows' server answers, has the namespace, and has workers."""
    if not settings.has_workflow_server:
        return Answer("They run in the worker's own process.")
    from clearhouse.payments.workflows.asking import server_now  # its client need not be there

    now = server_now(settings)
    detail = f"{now.workers:,} workers ask for tasks, {now.runs:,} runs of events are under way."
    return Answer(detail, f"Temporal {now.version}", now.runs)


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
