"""What the checks of all providers share: what they get, what they give, and HMACs."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from clearhouse.payments.accounts import Account
from clearhouse.payments.signatures.certificates import Certificates
from clearhouse.payments.signatures.refusals import SignatureRefused
from clearhouse.payments.webhook import RawWebhook


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request, and what its signature is checked with."""

    raw: RawWebhook
    account: Account
    now: dt.datetime
    certificates: Certificates | None


@dataclass(frozen=True, slots=True)
class Checked:
    """A request whose signature is right: which key signed it, and the notifications in it."""

    key_id: str
    items: tuple[bytes, ...] = field(repr=False)


def header(raw: RawWebhook, name: str) -> str:
    """A header that the signature needs.

    Raises:
        SignatureRefused: it is missing, or not ASCII.
    """
    value = raw.headers.get(name, "")
    if not value:
        raise SignatureRefused("no_signature", f"The header {name} is missing.")
    if not value.isascii():
        raise SignatureRefused("bad_header", f"The header {name} is not ASCII.")
    return value


def live_secrets(account: Account) -> list[str]:
    """The secrets of an account that are not empty.

    Raises:
        SignatureRefused: there are none, so that nothing can be genuine.
    """
    secrets = [secret.get_secret_value() for secret in account.secrets]
    found = [secret for secret in secrets if secret]
    if not found:
        raise SignatureRefused("no_secret", "The account has no secret: nothing is accepted.")
    return found


def key_that_signed(
    secrets: Iterable[str],
    key_of: Callable[[str], bytes],
    signed: bytes,
    given: Sequence[str],
    encode: Callable[[bytes], bytes],
) -> str:
    """The id of the secret by which bytes were signed with HMAC-SHA256.

    Every secret is compared with every signature, in constant time.

    Args:
        secrets: those that are live.
        key_of: a secret's text as the key.
        signed: the bytes.
        given: the signatures, of which one may be right.
        encode: a digest as signatures write it.

    Raises:
        SignatureRefused: none is right.
    """
    found = ""
    for secret in secrets:
        expected = encode(hmac.digest(key_of(secret), signed, "sha256"))
        for signature in given:
            if hmac.compare_digest(expected, signature.encode("ascii")):
                found = found or key_id(secret)
    if not found:
        raise SignatureRefused("bad_signature", "No live secret of the account has signed it.")
    return found


def as_text(secret: str) -> bytes:
    """The key where the secret's own characters are it."""
    return secret.encode()


@cache
def key_id(secret: str) -> str:
    """A name of a secret that does not give it away, and stays when another joins it."""
    return "key-" + hashlib.sha256(b"clearhouse key id:" + secret.encode()).hexdigest()[:8]
