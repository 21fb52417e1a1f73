"""A month of payments through gateway, normalizer and worker: the oracle agrees on every row.

The requests go over real HTTP, signed; thin events are fetched from the sandbox's API; nothing is
told to the services beside that.
"""

import asyncio
import datetime as dt
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from cli_session import clearhouse
from cryptography import x509
from served import served
from starlette.types import ASGIApp

from clearhouse.core.http import ResilientClient
from clearhouse.landing import Landing
from clearhouse.log.log import Log
from clearhouse.log.opening import LogPlace
from clearhouse.payments.gaps import Gap, accounts_of, fill, find_gaps, known_events
from clearhouse.payments.gateway.app import GatewayOptions, create_app
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.listed import NAME
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.normalizer.fetching import StripeObjects
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.signatures import Certificates
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.payments.worker.loop import Worker
from clearhouse.sandbox.payments import certificates
from clearhouse.sandbox.payments.accounts import STRIPE_KEY, sandbox_accounts
from clearhouse.sandbox.payments.app import create_app as create_providers
from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.payments.oracle import differences, differences_in, message_differences
from clearhouse.sandbox.payments.sender import SendReport, send
from clearhouse.sandbox.payments.world import World

TODAY = dt.date(2026, 11, 1)


@dataclass
class Run:
    """Services in this process, beside a sandbox whose API they ask."""

    world: World
    log: Log
    store: PaymentStore
    landing: Landing
    providers: ASGIApp
    report: SendReport

    def work(self) -> None:
        """Normalize and record all that has come."""
        fetcher = StripeObjects(
            "http://stripe.sandbox", STRIPE_KEY, transport=httpx.ASGITransport(app=self.providers)
        )
        normalizer = Normalizer(self.log, self.landing, fetcher)
        while normalizer.step():
            pass
        fetcher.close()
        worker = Worker(self.log, self.store, InProcess())
        while worker.step():
            pass


@contextmanager
def running(
    folder: Path, seed: int, webhooks: int, missed: int = 0, today: dt.date = TODAY
) -> Iterator[Run]:
    """A month that was sent to a gateway, and worked off."""
    world = World(seed, webhooks, today=today, missed=missed)
    options = PaymentOptions(seed, webhooks=webhooks, today=today, missed=missed)
    log_url = f"sqlite:///{folder}/log.db"
    with ExitStack() as stack:
        log = open_payment_log(LogPlace(log_url))
        stack.callback(log.close)
        store = open_store(f"sqlite:///{folder}/payments.db")
        stack.callback(store.engine.dispose)
        landing = Landing.from_url(f"file://{folder}/landing")
        report = _sent(world, log_url)
        run = Run(world, log, store, landing, create_providers(options), report)
        run.work()
        yield run


def _sent(world: World, log_url: str) -> SendReport:
    roots = x509.load_pem_x509_certificates(certificates.root())
    trusted = Certificates(roots, lambda _host, _path: certificates.chain())
    with served(create_app(GatewayOptions(LogPlace(log_url), sandbox_accounts(), trusted))) as url:
        return send(world.deliveries, url)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(tmp_path_factory.mktemp("payments"), 11, 1_200) as run:
        yield run


@pytest.fixture
def world(run: Run) -> World:
    return run.world


def test_all_but_forged_requests_are_acknowledged(world: World, run: Run) -> None:
    genuine = {each.number for each in world.deliveries if not each.is_forged}

    assert set(run.report.acknowledged) == genuine
    assert len(run.report.acknowledged) == len(genuine)


def test_the_store_holds_the_truth(world: World, run: Run) -> None:
    assert differences(world, run.store.engine) == []
    assert all(world.truth.values())


def test_what_is_no_fact_is_kept_as_what_it_is(world: World, run: Run) -> None:
    assert message_differences(world, run.log) == []


def test_no_card_number_is_at_rest(world: World, run: Run) -> None:
    assert world.output.card_numbers
    stored = b"".join(r.value for r in run.log.read(WEBHOOKS.name, 0, 10_000))
    for number in world.output.card_numbers:
        assert number.encode() not in stored
        assert number[-4:].encode() in stored  # the text is there, and masked


def test_the_oracle_names_what_is_missing_invented_and_changed(world: World, run: Run) -> None:
    payments, payouts = world.truth["payment"], world.truth["payout"]
    changed, lost, invented = (
        payments[0]["payment_key"],
        payouts[0]["payout_key"],
        "stripe:x:live:y",
    )
    tampered = run.store.engine.connect()
    with tampered, tampered.begin() as transaction:
        payment, payout = tables.payment, tables.payout
        tampered.execute(
            sa.update(payment)
            .where(payment.c.payment_key == changed)
            .values(captured_minor=payment.c.captured_minor + 1)
        )
        tampered.execute(sa.delete(payout).where(payout.c.payout_key == lost))
        row = tampered.execute(sa.select(payment).limit(1)).mappings().one()
        tampered.execute(sa.insert(payment).values({**row, "payment_key": invented}))
        found = sorted(differences_in(tampered, world))
        transaction.rollback()

    before = payments[0]["captured_minor"]
    assert found == sorted(
        [
            f"payment {changed}: captured_minor is {before + 1}, not {before}",
            f"payment {invented}: invented",
            f"payout {lost}: missing",
        ]
    )


def test_what_stripe_never_sent_is_found_and_filled(tmp_path: Path) -> None:
    with running(tmp_path, 5, 300, missed=9) as run:
        assert differences(run.world, run.store.engine)

        gaps = asyncio.run(_gaps(run))
        fill(run.log, gaps, dt.datetime.now(dt.UTC))
        run.work()

        assert len(gaps) == 9
        assert differences(run.world, run.store.engine) == []
        assert asyncio.run(_gaps(run)) == []


def test_an_event_that_never_came_is_an_entry_of_the_books(tmp_path: Path) -> None:
    def answer(*args: str, code: int = 0) -> str:
        answered = clearhouse(tmp_path, *args, **home)
        assert answered.returncode == code, answered.stdout + answered.stderr
        return answered.stdout

    today = dt.datetime.now(dt.UTC).date()
    with (
        running(tmp_path, 5, 300, missed=9, today=today) as run,
        served(run.providers) as url,  # type: ignore[arg-type]
    ):
        home = {"CLEARHOUSE_HOME": str(tmp_path)}
        home |= {"STRIPE_API_URL": url, "STRIPE_API_KEY": STRIPE_KEY}
        gaps = json.loads(answer("payments", "gaps", "--json"))["gaps"]
        named = answer("books", "--domain", "payments", code=4)
        archive = tmp_path / "landing/raw/payments_webhooks"
        before = {*archive.rglob("*.zst")}
        answer("payments", "gaps", "--apply")
        answer("books", "--domain", "payments")
        (filled,) = {*archive.rglob("*.zst")} - before
        filled.unlink()
        filled.with_suffix("").with_suffix(".manifest.json").unlink()
        stolen = answer("books", "--domain", "payments", code=4)
        day = gaps[0]["created_at"][:10]
        (listed,) = (tmp_path / f"landing/raw/stripe_events/{_folder(day)}").glob("*.zst")
        listed.unlink()
        unlisted = answer("books", "--domain", "payments", code=4)

    assert re.search(rf"{NAME}, {day}: .*{listed.name}", unlisted)
    assert gaps
    for gap in gaps:
        assert f"{NAME}, {gap['created_at'][:10]}" in named
        assert gap["event_id"] in named
        assert gap["event_id"] in stolen


def _folder(day: str) -> str:
    year, month, number = day.split("-")
    return f"year={year}/month={month}/day={number}"


async def _gaps(run: Run) -> list[Gap]:
    since = dt.datetime.combine(TODAY, dt.time(), dt.UTC) - dt.timedelta(days=30)
    # What came is archived by the day on which the log took it.
    known = known_events(run.log, run.landing, since.date(), dt.datetime.now(dt.UTC).date())
    async with ResilientClient(
        "http://stripe.sandbox",
        name="Stripe's API",
        headers={"Authorization": f"Bearer {STRIPE_KEY}"},
        transport=httpx.ASGITransport(app=run.providers),
    ) as client:
        return (await find_gaps(client, accounts_of(run.store), since, known)).gaps
