"""Parts that PayPal's objects share."""

from typing import Any

import msgspec

from clearhouse.payments.providers.notice import Notice
from clearhouse.payments.providers.refusal import RefusedError

AT = "resource"

Said = dict[str, Any]
"""Fields of a PaymentEvent."""


class Amount(msgspec.Struct):
    """An amount: v2 says `value` and `currency_code`, v1 `total` or `value` and `currency`."""

    value: str | None = None
    total: str | None = None
    currency_code: str | None = None
    currency: str | None = None

    @property
    def code(self) -> str:
        """The currency."""
        return self.currency_code or self.currency or ""

    def text(self, at: str) -> str:
        """The decimal text.

        Raises:
            RefusedError: it is missing.
        """
        text = self.value if self.value is not None else self.total
        if text is None:
            raise RefusedError.of("field_missing", f"{at}.value", "The amount has no value.")
        return text


class Link(msgspec.Struct):
    """A link to another object."""

    href: str = ""
    rel: str = ""


def amount_of(notice: Notice, amount: Amount, at: str, *, is_payout: bool = False) -> Said:
    """`amount_minor` and `currency` of an event.

    Raises:
        RefusedError: it is missing, or not exactly an amount of its currency.
    """
    return notice.amount_of_text(amount.text(at), amount.code, f"{at}.value", is_payout=is_payout)
