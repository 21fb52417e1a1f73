"""The certificates that PayPal signs with: found by URL, checked once, kept until they expire."""

import datetime as dt
import re
import ssl
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import certifi
import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import verification

from clearhouse.core.endpoint import Endpoint
from clearhouse.core.errors import SettingsError
from clearhouse.core.urls import SecretUrl
from clearhouse.payments.signatures.refusals import CertificateUnavailable, SignatureRefused

Fetch = Callable[[str, str], bytes]
"""Bytes at a host of PayPal and a path; raises `CertificateUnavailable`, `SignatureRefused`."""

_OWNER = ".paypal.com"
_URL = re.compile(r"https://((?:[a-z0-9-]+\.)+paypal\.com)(?::443)?(/[A-Za-z0-9/_.-]+)", re.I)
_MOST_KEPT = 64
_MOST_BYTES = 64 << 10
_SECONDS_TO_ANSWER = 5.0
_SECONDS_OF_A_REFUSAL = 60


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate that was checked.

    Attributes:
        valid_from, valid_until: of it and all above it, in UTC.
    """

    key: RSAPublicKey
    key_id: str
    valid_from: dt.datetime
    valid_until: dt.datetime


@dataclass(frozen=True, slots=True)
class _Refused:
    """A URL that led to none, and until when that is believed."""

    reason: SignatureRefused
    until: dt.datetime


class Certificates:
    """Certificates by URL. Threads share it; one fetches at a time.

    Args:
        roots: the authorities that are trusted.
        fetch: how what is not known yet is asked for.
    """

    def __init__(self, roots: Sequence[x509.Certificate], fetch: Fetch) -> None:
        self._store = verification.Store(list(roots))
        self._fetch = fetch
        self._found: OrderedDict[str, Signer | _Refused] = OrderedDict()
        self._one_fetch = threading.Lock()

    def knows(self, url: str, now: dt.datetime) -> bool:
        """Whether `signer` answers without asking anyone."""
        return not _URL.fullmatch(url) or self._known(url, now) is not None

    def signer(self, url: str, now: dt.datetime) -> Signer:
        """The signer whose certificate a URL names.

        Raises:
            SignatureRefused: the URL is not PayPal's, or its certificate is not: chain, name or
                time are wrong.
            CertificateUnavailable: it can't be had now.
        """
        host, path = _host_and_path(url)
        found = self._known(url, now) or self._ask(url, host, path, now)
        if isinstance(found, _Refused):
            raise found.reason
        if not found.valid_from <= now <= found.valid_until:
            raise SignatureRefused("certificate_expired", "PayPal's certificate is not valid now.")
        return found

    def _known(self, url: str, now: dt.datetime) -> Signer | _Refused | None:
        found = self._found.get(url)
        return None if isinstance(found, _Refused) and found.until < now else found

    def _ask(self, url: str, host: str, path: str, now: dt.datetime) -> Signer | _Refused:
        if not self._one_fetch.acquire(timeout=_SECONDS_TO_ANSWER):
            raise CertificateUnavailable(
                "certificate_unavailable", "Other certificates are being fetched."
            )
        try:
            found = self._known(url, now) or self._checked(self._fetch(host, path), now)
        except SignatureRefused as refused:
            found = _Refused(refused, now + dt.timedelta(seconds=_SECONDS_OF_A_REFUSAL))
        finally:
            self._one_fetch.release()
        self._found[url] = found
        while len(self._found) > _MOST_KEPT:
            self._found.popitem(last=False)
        return found

    def _checked(self, pem: bytes, now: dt.datetime) -> Signer:
        try:
            leaf, *above = x509.load_pem_x509_certificates(pem)
            name = _name_of_owner(leaf)
            verifier = verification.PolicyBuilder().store(self._store).time(now)
            chain = verifier.build_server_verifier(x509.DNSName(name)).verify(leaf, above)
        except (ValueError, verification.VerificationError):
            raise SignatureRefused(
                "bad_certificate", "The certificate is not one that PayPal signs with."
            ) from None
        key = leaf.public_key()
        if not isinstance(key, RSAPublicKey):
            raise SignatureRefused("bad_certificate", "The certificate's key is not of RSA.")
        return Signer(
            key,
            "cert-" + leaf.fingerprint(SHA256()).hex()[:16],
            max(each.not_valid_before_utc for each in chain),
            min(each.not_valid_after_utc for each in chain),
        )


def certificates_of(base_url: SecretUrl | None, ca_file: Path | None) -> Certificates:
    """Certificates as the settings say.

    Args:
        base_url: asked instead of PayPal's hosts.
        ca_file: the authorities that are trusted, in PEM; None: the system's.

    Raises:
        SettingsError: the file can't be used.
    """
    system = ssl.get_default_verify_paths().cafile or certifi.where()
    file = ca_file or Path(system)
    try:
        with warnings.catch_warnings():
            # Systems trust authorities with odd serial numbers; nobody here can mend those.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            roots = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        raise SettingsError(
            f"PAYPAL_CA_FILE: {file} can't be read as certificates in PEM."
        ) from None
    return Certificates(roots, fetching_from(base_url.for_client() if base_url else None))


def _host_and_path(url: str) -> tuple[str, str]:
    found = _URL.fullmatch(url)
    if found is None or ".." in found[2]:
        raise SignatureRefused("bad_certificate_url", "The certificate's URL is not PayPal's.")
    return found[1].lower(), found[2]


def _name_of_owner(leaf: x509.Certificate) -> str:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise ValueError("it has no names") from None
    for name in names.get_values_for_type(x509.DNSName):
        if name.lower().endswith(_OWNER) and "*" not in name:
            return name
    raise ValueError("it is not PayPal's")


def fetching_from(base_url: str | None) -> Fetch:
    """Fetching by HTTP: from a base URL, or where that is None from PayPal's hosts."""

    def fetch(host: str, path: str) -> bytes:
        endpoint = Endpoint.parse(base_url or f"https://{host}", "PayPal's certificates")
        proxy = endpoint.proxy.proxy if endpoint.proxy else None
        address = str(endpoint.url).rstrip("/") + path
        try:
            with (
                httpx.Client(
                    auth=endpoint.auth,
                    params=endpoint.params,
                    proxy=proxy,
                    trust_env=False,
                    timeout=_SECONDS_TO_ANSWER,
                ) as client,
                client.stream("GET", address) as answer,
            ):
                return _body(answer)
        except httpx.HTTPError as error:
            raise CertificateUnavailable(
                "certificate_unavailable",
                f"PayPal's certificate can't be had ({type(error).__name__}).",
            ) from None

    return fetch


def _body(answer: httpx.Response) -> bytes:
    if answer.status_code >= 500 or answer.status_code == 429:
        raise CertificateUnavailable(
            "certificate_unavailable", f"Asked for a certificate, PayPal says {answer.status_code}."
        )
    if answer.status_code != 200:
        raise SignatureRefused("bad_certificate_url", "No certificate is at the URL.")
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise SignatureRefused("bad_certificate", "What is at the URL is too large.")
    return body
