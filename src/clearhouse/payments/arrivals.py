"""A month of the sandbox's webhooks arriving at the services, for a demonstration.

The services are processes of their own under a supervisor, as with `clearhouse serve payments`, and
the webhooks come over HTTP. When everything has come to its end the services are stopped, and the
sandbox's oracle says what the store holds otherwise than it is true.
"""

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import sqlalchemy as sa
from pydantic import SecretStr

from clearhouse.core.errors import ClearhouseError
from clearhouse.core.money import text_from_minor
from clearhouse.core.supervisor import Supervisor
from clearhouse.core.urls import SecretUrl
from clearhouse.core.window import Window
from clearhouse.log.log import Log
from clearhouse.payments.account_settings import accounts_from
from clearhouse.payments.flow import Flow, counted, measure
from clearhouse.payments.opening import opened
from clearhouse.payments.services import Places, services
from clearhouse.payments.store import tables
from clearhouse.pipeline.domain import Arrived, Verdict
from clearhouse.sandbox.payments import accounts
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.oracle import differences, message_differences
from clearhouse.sandbox.payments.sender import SendReport, send
from clearhouse.sandbox.payments.source import PROVIDERS
from clearhouse.sandbox.payments.world import World
from clearhouse.sandbox.server import free_port, running_sources
from clearhouse.settings import Settings

SEED = 42
_TELLS_EVERY_SECONDS = 0.2
_PATIENCE_SECONDS = 120.0
"""Without any progress, before it is taken for a failure."""
_LINES_KEPT = 12


@dataclass
class _Stage:
    """What is made ready for the arrival."""

    settings: Settings
    world: World
    log: Log
    store: sa.Engine
    tell: Callable[[str], None] = field(repr=False)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))

    def flow(self) -> Flow:
        workflows = self.settings.has_workflow_server
        return measure(self.log, self.store, has_workflows=workflows)

    def verdict(self, sent: str) -> Verdict:
        """What came of all webhooks, and the oracle's opinion of it."""
        flow, truth = counted(self.flow(), self.log), self.world.truth
        dead = sum(flow.dead_letters.values())
        rows = ", ".join(f"{len(truth[name]):,} {name}s" for name in truth)
        findings = differences(self.world, self.store) + message_differences(self.world, self.log)
        oracle = f"differs in {len(findings):,} places" if findings else "agrees"
        told = (
            sent,
            f"{flow.accepted:,} notifications: {flow.normalized:,} events, {flow.unmapped:,} not "
            f"mapped; {dead:,} dead letters. Recorded once each: {flow.recorded:,}.",
            f"The oracle of the sandbox {oracle}: {rows}.",
        )
        return Verdict(told, tuple(findings))


@contextmanager
def arrive(settings: Settings, count: int, tell: Callable[[str], None]) -> Iterator[Arrived]:
    """See `pipeline.domain.Arrivals`. Where accounts of providers are set, nothing is sent.

    Raises:
        ClearhouseError: the services do not come to an end with what was sent.
    """
    with ExitStack() as stack:
        log, store = stack.enter_context(opened(settings))
        if accounts_from(settings):
            said = "Accounts of payment providers are set: the sandbox sends nothing."
            yield Arrived(settings, _window(store.engine), Verdict((said,)), lambda _: Verdict())
            return
        window = _window(store.engine)
        options = PaymentOptions(seed=SEED, webhooks=count, today=window.first)
        urls = stack.enter_context(running_sources({PROVIDERS.name: options}))
        tell("making a month of payments")
        world = World(SEED, count, today=window.first)
        asking = settings.model_copy(update=_apis(urls[PROVIDERS.name]))
        stage = _Stage(asking, world, log, store.engine, tell)
        if stage.flow().is_settled and not differences(world, store.engine):
            sent = "All webhooks of the sandbox have arrived before: none is sent again."
        else:
            sent = _sent(stage)
        yield Arrived(asking, _window(store.engine), stage.verdict(sent), _tie_out(world))


def _apis(url: str) -> Mapping[str, Any]:
    """The settings by which the sandbox is asked as the providers are."""
    api = SecretUrl.parse(url)
    return {
        "stripe_api_url": api,
        "stripe_api_key": SecretStr(accounts.STRIPE_KEY),
        "square_api_url": api,
        "square_access_token": SecretStr(accounts.SQUARE_KEY),
        "adyen_report_url": api,
        "adyen_report_key": SecretStr(accounts.ADYEN_REPORT_KEY),
        "paypal_api_url": api,
        "paypal_client_id": SecretStr(accounts.PAYPAL_CLIENT_ID),
        "paypal_client_secret": SecretStr(accounts.PAYPAL_CLIENT_SECRET),
    }


def _window(store: sa.Engine) -> Window:
    """The book dates on which webhooks came; today where none did."""
    with store.connect() as connection:
        days = tables.delivery.c.book_date
        ends: Sequence[dt.date | None] = (
            connection.execute(sa.select(sa.func.min(days), sa.func.max(days))).tuples().one()
        )
    today = dt.datetime.now(dt.UTC).date()
    return Window(ends[0] or today, ends[1] or today)


def _sent(stage: _Stage) -> str:
    """Send all webhooks to the services, wait for what comes of them, and say how it went."""
    places = Places(gateway=free_port(), inference=None)
    supervisor = Supervisor(
        services(
            places,
            _environment(stage.settings),
            of_sandbox=True,
            has_starter=stage.settings.has_workflow_server,
        ),
        lambda name, line: stage.said.append(f"{name}: {line}"),
    )
    report = SendReport()
    deliveries = stage.world.deliveries
    with supervisor.keeping_on():
        _wait(stage, lambda: _is_ready(places.gateway_url), lambda: "the services start")
        sending = threading.Thread(
            target=send,
            args=(deliveries, places.gateway_url),
            kwargs={"report": report},
            daemon=True,
        )
        sending.start()
        _wait(
            stage,
            lambda: not sending.is_alive() and stage.flow().is_settled,
            lambda: (
                f"{len(report.acknowledged):,} of {len(deliveries):,} webhooks are taken, "
                f"{stage.flow().recorded:,} events recorded"
            ),
        )
    seconds = max(report.took_seconds, 0.001)
    return (
        f"{len(report.acknowledged):,} signed webhooks of four providers taken over HTTP in "
        f"{seconds:.1f} s ({len(report.acknowledged) / seconds:,.0f} a second), "
        f"{len(report.given_up):,} forged ones refused."
    )


def _wait(stage: _Stage, holds: Callable[[], bool], what: Callable[[], str]) -> None:
    """Wait until something holds, telling what is under way.

    Raises:
        ClearhouseError: nothing moves any more.
    """
    said, moved_at = "", time.monotonic()
    while not holds():
        now = what()
        stage.tell(now)
        if now != said:
            said, moved_at = now, time.monotonic()
        if time.monotonic() - moved_at > _PATIENCE_SECONDS:
            lines = "; ".join(stage.said) or "they said nothing"
            raise ClearhouseError(f"The services of payments stand still ({lines}).", "no_progress")
        time.sleep(_TELLS_EVERY_SECONDS)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).is_success
    except httpx.TransportError:
        return False


def _environment(settings: Settings) -> Mapping[str, str]:
    """What the services are to use, whatever is set around this process."""
    store = settings.payments_database_url
    key = settings.stripe_api_key
    return {
        "CLEARHOUSE_HOME": str(settings.clearhouse_home),
        "LOG_URL": settings.log_url,
        "WORKFLOWS_URL": settings.workflows_url,
        "LANDING_URL": settings.landing_url,
        "PAYMENTS_DATABASE_URL": store if isinstance(store, str) else store.for_client(),
        "STRIPE_API_URL": settings.stripe_api_url.for_client(),
        "STRIPE_API_KEY": key.get_secret_value() if key else "",
    }


# PayPal's payouts pay third parties: no payment of ours explains them.
_TIE_OUT = """
    SELECT provider, currency, count(DISTINCT payout_key) AS payouts,
        sum(CASE WHEN is_explained THEN amount_minor ELSE 0 END) AS explained,
        sum(CASE WHEN is_explained THEN 0 ELSE amount_minor END) AS unexplained
    FROM marts.payout_tie_out WHERE provider <> 'paypal'
    GROUP BY provider, currency ORDER BY provider, currency"""
_UNEXPLAINED = """
    SELECT payout_key, sum(amount_minor) AS amount FROM marts.payout_tie_out
    WHERE NOT is_explained AND provider <> 'paypal' GROUP BY payout_key"""


def _tie_out(world: World) -> Callable[[Any], Verdict]:
    """Says what explains payouts, and whether the rest is what nothing explains in this world."""

    def judge(run: Any) -> Verdict:
        relation = "marts.payout_tie_out"
        lines = run.engine.query_readers(relation, _TIE_OUT)
        unexplained = run.engine.query_readers(relation, _UNEXPLAINED)
        if lines is None or unexplained is None:
            return Verdict(findings=("No tie-out of payouts is published.",))
        found = {row["payout_key"]: int(row["amount"]) for row in unexplained.to_pylist()}
        keys = sorted(found.items() ^ world.unexplained.items())
        return Verdict(
            ("", "Payouts and what explains them:", *map(_line, lines.to_pylist())),
            tuple(
                f"payout {key}: {amount} minor units, unexplained on one side"
                for key, amount in keys
            ),
        )

    return judge


def _line(row: Mapping[str, Any]) -> str:
    explained, unexplained = (
        text_from_minor(int(row[name]), row["currency"]) for name in ("explained", "unexplained")
    )
    return (
        f"  {row['provider']:<8}{row['payouts']:>5}  {explained:>18} {row['currency']} explained"
        f"  {unexplained:>16} not"
    )
