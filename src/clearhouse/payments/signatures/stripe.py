"""Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=…]` signs `<t>.<body>`."""

import re

from clearhouse.payments.signatures.checking import (
    Checked,
    Delivery,
    as_text,
    header,
    key_that_signed,
    live_secrets,
)
from clearhouse.payments.signatures.refusals import SignatureRefused

HEADER = "stripe-signature"
TOLERANCE_SECONDS = 300
"""How old a signature may be. One from the future passes, as with Stripe's own libraries."""

_SECONDS = re.compile("[0-9]{1,12}")


def check(delivery: Delivery) -> Checked:
    """See `signatures.verify`."""
    secrets = live_secrets(delivery.account)
    seconds, given = _parts(header(delivery.raw, HEADER))
    signed = seconds.encode() + b"." + delivery.raw.body
    key_id = key_that_signed(secrets, as_text, signed, given, lambda d: d.hex().encode())
    if int(seconds) < delivery.now.timestamp() - TOLERANCE_SECONDS:
        raise SignatureRefused(
            "too_old", f"It was signed more than {TOLERANCE_SECONDS} seconds ago."
        )
    return Checked(key_id, (delivery.raw.body,))


def _parts(signature: str) -> tuple[str, list[str]]:
    """The time and the signatures of scheme v1. Other schemes are not looked at."""
    seconds: str | None = None
    given = []
    for part in signature.split(","):
        name, _, value = part.partition("=")
        if name == "v1":
            given.append(value)
        elif name == "t" and seconds is None:
            seconds = value
    if seconds is None or not _SECONDS.fullmatch(seconds):
        raise SignatureRefused("bad_header", f"The header {HEADER} says no time.")
    if not given:
        raise SignatureRefused("no_signature", f"The header {HEADER} has no signature of v1.")
    return seconds, given
