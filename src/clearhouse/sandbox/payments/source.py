"""The declaration of the payment providers' APIs as a sandbox source."""

from collections.abc import Collection

from starlette.types import ASGIApp

from clearhouse.sandbox.payments.options import PaymentOptions
from clearhouse.sandbox.source import SandboxSource


def _create_app(options: PaymentOptions) -> ASGIApp:
    from clearhouse.sandbox.payments.app import create_app

    return create_app(options)


def _row_faults() -> Collection[str]:
    return ()


PROVIDERS = SandboxSource(
    name="payment_providers",
    description="the APIs of Stripe, Square, Adyen and PayPal",
    options=PaymentOptions,
    create_app=_create_app,
    row_faults=_row_faults,
)
