"""Why a webhook is not taken. No reason holds a secret, or anything of the body."""

from clearhouse.core.errors import ClearhouseError


class WebhookError(ClearhouseError):
    """A webhook that is not taken.

    Args:
        code: a stable word for programs.
        reason: a sentence for people.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason, code)

    @property
    def reason(self) -> str:
        """The sentence for people."""
        return self.message


class SignatureRefused(WebhookError):  # noqa: N818
    """It is not shown that the provider has signed it."""


class MalformedWebhook(WebhookError):  # noqa: N818
    """The provider has signed it, and it is no notification.

    Attributes:
        key_id: which key has signed it.
    """

    key_id = ""


class CertificateUnavailable(WebhookError):  # noqa: N818
    """The certificate that signed it can't be had now: whether it is genuine is not known."""
