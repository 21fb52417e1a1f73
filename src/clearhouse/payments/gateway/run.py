"""Starting the gateway with the settings, in one process or in several workers."""

import sys
from collections.abc import Callable

from cryptography import x509

from clearhouse.core import serving, tracing
from clearhouse.core.errors import SettingsError
from clearhouse.payments.account_settings import accounts_from
from clearhouse.payments.gateway.app import create_app, opened_log
from clearhouse.payments.gateway.intake import GatewayOptions
from clearhouse.payments.gateway.webhooks import Webhooks
from clearhouse.payments.log_opening import log_place
from clearhouse.payments.signatures.certificates import (
    Certificates,
    certificates_of,
    fetching_from,
)
from clearhouse.settings import Settings, load_settings

GRACE_SECONDS = 20
_MOST_AT_ONCE = 1_000
"""Requests in progress: more are answered with 503, so that memory is bounded."""
_SECONDS_BETWEEN_THREADS = 0.0005
"""A group commit is in a thread: it should not wait for the interpreter by the default of 5 ms."""


def options_from(settings: Settings) -> GatewayOptions:
    """What the gateway runs with, as the settings say.

    Raises:
        SettingsError: an account can't be used.
    """
    return GatewayOptions(
        log=log_place(settings),
        accounts=accounts_from(settings),
        certificates=certificates_of(settings.paypal_certs_url, settings.paypal_ca_file),
    )


def sandbox_options_from(settings: Settings) -> GatewayOptions:
    """The same with the accounts of the sandbox, and the certificates of its PayPal."""
    from clearhouse.sandbox.payments import accounts
    from clearhouse.sandbox.payments.certificates import chain, root

    url = settings.paypal_certs_url
    return GatewayOptions(
        log=log_place(settings),
        accounts=accounts.sandbox_accounts(),
        certificates=Certificates(
            x509.load_pem_x509_certificates(root()),
            fetching_from(url.for_client()) if url else lambda _host, _path: chain(),
        ),
    )


def from_settings() -> Webhooks:
    """The application of a worker."""
    return _app(options_from)


def of_sandbox() -> Webhooks:
    """The application of a worker that takes the sandbox's webhooks."""
    return _app(sandbox_options_from)


def prepare(settings: Settings, *, is_of_sandbox: bool = False) -> GatewayOptions:
    """See that the gateway can start: what is wrong is said once, and not by every worker.

    Raises:
        SettingsError: there is no account, or one can't be used.
        LogError: the log can't be opened.
    """
    options = (sandbox_options_from if is_of_sandbox else options_from)(settings)
    if not options.accounts:
        raise SettingsError(
            "No account of a payment provider is set: set STRIPE_WEBHOOK_SECRET, "
            "SQUARE_WEBHOOK_KEY, ADYEN_HMAC_KEY, PAYPAL_WEBHOOK_ID or PAYMENT_ACCOUNTS_FILE."
        )
    opened_log(options).close()
    return options


def serve(host: str, port: int, workers: int, *, is_of_sandbox: bool = False) -> None:
    """Serve what was prepared until a signal ends it. What was answered is in the log."""
    factory = "of_sandbox" if is_of_sandbox else "from_settings"
    serving.serve(
        f"{__name__}:{factory}",
        host,
        port,
        workers,
        GRACE_SECONDS,
        limit_concurrency=_MOST_AT_ONCE,
        backlog=2048,
        ws="none",
        server_header=False,
        proxy_headers=False,  # nothing is made of where a request comes from
    )


def _app(options: Callable[[Settings], GatewayOptions]) -> Webhooks:
    sys.setswitchinterval(_SECONDS_BETWEEN_THREADS)
    tracing.start("gateway")
    return create_app(options(load_settings()))
