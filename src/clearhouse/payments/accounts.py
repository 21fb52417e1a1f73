"""The accounts whose webhooks the gateway takes, each with its secrets."""

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import SecretStr

from clearhouse.payments.event import Provider

DEFAULT = "default"
"""The account of a webhook path that names none."""


class Scheme(StrEnum):
    """How an endpoint's webhooks are signed, where a provider has more than one way."""

    STANDARD = "standard"
    ADYEN_HEADER = "adyen_header"
    """Adyen's banking, management and token webhooks: the header signs the body."""


@dataclass(frozen=True, slots=True)
class Account:
    """One endpoint of one provider: `POST /webhooks/{provider}/{name}`.

    Attributes:
        name: in the path.
        of: another account of the provider, of which this endpoint tells too; "" where it is one of
            its own.
        secrets: those that are live, at most two; none refuses everything. (PayPal has none: its
            `webhook_id` goes into what is signed.)
        notification_url: as registered at Square, which signs it.
        webhook_id: PayPal's id of the webhook.
        automatic_capture: that Adyen captures payments as soon as they are authorized, and tells of
            no capture: it is a setting of the merchant account there, which no webhook names.
    """

    provider: Provider
    name: str = DEFAULT
    secrets: tuple[SecretStr, ...] = ()
    scheme: Scheme = Scheme.STANDARD
    notification_url: str = ""
    webhook_id: str = field(default="", repr=False)
    automatic_capture: bool = False
    of: str = ""

    @property
    def told_of(self) -> str:
        """What events are filed under that name no account of their own."""
        return self.of or self.name
