"""A demonstration of payments: webhooks over HTTP through all services, judged by the oracle."""

from pathlib import Path

from clearhouse.log.opening import LogPlace
from clearhouse.payments.arrivals import arrive
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.topics import WEBHOOKS
from clearhouse.settings import load_settings


def test_what_arrives_is_what_happened_and_arrives_once(tmp_path: Path) -> None:
    config = load_settings(clearhouse_home=tmp_path)
    said: list[str] = []

    with arrive(config, 1_000, said.append) as first:
        assert first.verdict.findings == ()
        assert first.settings.square_api_url is not None
    log = open_payment_log(LogPlace(config.log_url))
    accepted = log.end(WEBHOOKS.name)
    with arrive(config, 1_000, said.append) as again:
        assert again.verdict.findings == ()

    assert accepted > 1_000
    assert log.end(WEBHOOKS.name) == accepted
    assert first.window == again.window
    assert any("webhooks are taken" in line for line in said)


def test_a_home_of_real_accounts_is_sent_nothing(tmp_path: Path) -> None:
    config = load_settings(clearhouse_home=tmp_path, stripe_webhook_secret="whsec_real")

    with arrive(config, 1_000, lambda _: None) as arrived:
        assert arrived.settings == config
        assert "sends nothing" in arrived.verdict.told[0]
