"""`clearhouse payments`: a month is sent and compared with the truth, by commands alone."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
from cli_session import clearhouse
from cryptography import x509
from served import served

from clearhouse.landing import Landing
from clearhouse.log.opening import LogPlace
from clearhouse.payments.gateway.app import GatewayOptions, create_app
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.normalizer.fetching import StripeObjects
from clearhouse.payments.normalizer.loop import Normalizer
from clearhouse.payments.signatures import Certificates
from clearhouse.payments.store.database import open_store
from clearhouse.payments.worker.loop import Worker
from clearhouse.sandbox.payments import certificates
from clearhouse.sandbox.payments.accounts import STRIPE_KEY, sandbox_accounts
from clearhouse.sandbox.payments.app import create_app as create_providers
from clearhouse.sandbox.payments.options import PaymentOptions

MONTH = ("--seed", "6", "--count", "200", "--today", "2026-11-01")


def test_a_simulated_month_is_checked_and_a_changed_amount_is_named_and_folded_again(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    urls = {
        "CLEARHOUSE_HOME": str(home),
        "LOG_URL": f"sqlite:///{home}/log.db",
        "PAYMENTS_DATABASE_URL": f"sqlite:///{home}/payments.db",
    }
    roots = x509.load_pem_x509_certificates(certificates.root())
    trusted = Certificates(roots, lambda _host, _path: certificates.chain())
    with served(
        create_app(GatewayOptions(LogPlace(urls["LOG_URL"]), sandbox_accounts(), trusted))
    ) as url:
        sent = clearhouse(tmp_path, "payments", "simulate", "--to", url, *MONTH, **urls)
    before = clearhouse(tmp_path, "payments", "check", *MONTH, **urls)
    _work(home, urls)
    after = clearhouse(tmp_path, "payments", "check", *MONTH, **urls)
    with closing(sqlite3.connect(home / "payments.db")) as store:
        store.execute("UPDATE payment SET captured_minor = captured_minor + 1 WHERE rowid = 1")
        store.commit()
    changed = clearhouse(tmp_path, "payments", "check", *MONTH, **urls)
    told = clearhouse(tmp_path, "payments", "refold", **urls)
    folded = clearhouse(tmp_path, "payments", "refold", "--apply", **urls)
    mended = clearhouse(tmp_path, "payments", "check", *MONTH, **urls)

    assert sent.returncode == 0, sent.stderr
    assert "webhooks acknowledged" in sent.stdout
    assert before.returncode == 4
    assert ": missing" in before.stdout
    assert (after.returncode, after.stdout.splitlines()[-1]) == (0, "All agree.")
    assert changed.returncode == 4
    assert "captured_minor is" in changed.stdout
    assert changed.stdout.splitlines()[-1].startswith("1 difference. The truth is that of --count ")
    assert told.stdout.splitlines()[-1] == (
        "1 row would differ. Nothing was written: run it again with --apply."
    )
    assert folded.stdout.splitlines()[-1] == "1 row written anew."
    assert mended.returncode == 0


def _work(home: Path, urls: dict[str, str]) -> None:
    log = open_payment_log(LogPlace(urls["LOG_URL"]))
    store = open_store(urls["PAYMENTS_DATABASE_URL"])
    asked = PaymentOptions(6, webhooks=200, today=dt.date(2026, 11, 1))
    fetcher = StripeObjects(
        "http://stripe.sandbox",
        STRIPE_KEY,
        transport=httpx.ASGITransport(app=create_providers(asked)),
    )
    normalizer = Normalizer(log, Landing.from_url(f"file://{home}/landing"), fetcher)
    worker = Worker(log, store, InProcess())
    while normalizer.step() or worker.step():
        pass
    fetcher.close()
    store.engine.dispose()
    log.close()


def test_gaps_need_a_key(tmp_path: Path) -> None:
    answer = clearhouse(tmp_path, "payments", "gaps", CLEARHOUSE_HOME=str(tmp_path / "home"))

    assert answer.returncode == 2
    assert "STRIPE_API_KEY" in answer.stderr


def test_what_is_no_url_of_a_gateway_is_refused(tmp_path: Path) -> None:
    answer = clearhouse(tmp_path, "payments", "simulate", "--to", "ftp://example", *MONTH)

    assert answer.returncode == 2
    assert "--to is the URL of a gateway" in answer.stderr
