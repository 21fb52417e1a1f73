"""An S3 bucket opened: credentials, encryption, checksums and patience.

Region, endpoint and keys come from the usual AWS_* variables. What obstore does not read itself
(profiles, shared files, single sign-on, commands that give keys) is asked of boto3, the extra `s3`.
"""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import ObjectStore, S3Store

from clearhouse.core.errors import SettingsError
from clearhouse.core.urls import SecretUrl, UrlError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3CredentialProvider

_CONNECT = timedelta(seconds=3)
_SILENCE = timedelta(seconds=20)
_REQUEST = timedelta(minutes=5)
"""Of one request with its body: a day's object over a slow line."""
_RETRY: "RetryConfig" = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {
        "init_backoff": timedelta(milliseconds=200),
        "max_backoff": timedelta(seconds=2),
        "base": 2,
    },
}
"""A store that is not there is said to be so within seconds: a run is repeated as a whole."""

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
"""The first that is set is asked."""
_KNOWN_TO_OBSTORE = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_GIVING_KEYS = ("aws_access_key_id", "credential_process", "role_arn", "sso_")
"""Settings of a shared file that lead to keys. One may hold no more than a region."""

_CODE = re.compile(r"<Code>(\w+)</Code>")
_URL = re.compile(r"\bhttps?://\S+")
_REFUSALS = {
    "NoSuchBucket": "the bucket does not exist",
    "AccessDenied": "the keys have no right to do this",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "InvalidAccessKeyId": "the access key is not known there",
    "ExpiredToken": "the session's token has expired",
    "InvalidToken": "the session's token is not valid",
}
_ROLE_OF_MACHINE = ("/latest/api/token", "/latest/meta-data")
_UNREACHED = ("error sending request", "operation timed out", "HTTP error")


def open_bucket(url: str) -> ObjectStore:
    """The store at s3://bucket/prefix. Asks nothing of it.

    Every object is encrypted by the store (AES256, or as AWS_SERVER_SIDE_ENCRYPTION and
    AWS_SSE_KMS_KEY_ID say), and is sent with its SHA-256, which the store checks.

    Raises:
        SettingsError: credentials lie where only boto3 finds them, and it is missing or finds none;
            or the endpoint is no URL.
    """
    given = os.environ
    by_key = "aws:kms" if given.get("AWS_SSE_KMS_KEY_ID") else "AES256"
    config: S3Config = {
        "server_side_encryption": given.get("AWS_SERVER_SIDE_ENCRYPTION") or by_key,
        "checksum_algorithm": given.get("AWS_CHECKSUM_ALGORITHM") or "SHA256",
    }
    return S3Store.from_url(
        url,
        config=config,
        client_options=_client_options(),
        retry_config=_RETRY,
        credential_provider=_shared_credentials(),
    )


def _client_options() -> "ClientConfig":
    options: ClientConfig = {
        "connect_timeout": _CONNECT,
        "read_timeout": _SILENCE,
        "timeout": _REQUEST,
    }
    named = [(name, url) for name in _ENDPOINTS if (url := os.environ.get(name))]
    for name, url in named:
        try:
            SecretUrl.parse(url)
        except UrlError as error:  # the client's library panics on it
            raise SettingsError(f"{name} is set to a value that can't be used: {error}.") from None
    if named and named[0][1].startswith("http://"):  # refused on the first request otherwise
        options["allow_http"] = True
    return options


def _shared_credentials() -> "S3CredentialProvider | None":
    """What boto3 finds in profiles and shared files; None where obstore itself finds them."""
    if any(os.environ.get(name) for name in _KNOWN_TO_OBSTORE) or not _names_a_profile():
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise SettingsError(
            "The credentials for LANDING_URL are in a profile or a shared file of AWS, which needs "
            "the extra s3: pip install 'clearhouse[s3]', or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        ) from None
    from botocore.exceptions import BotoCoreError

    open_provider: Callable[[], S3CredentialProvider] = Boto3CredentialProvider
    try:
        return open_provider()
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(
            f"No credentials for LANDING_URL were found in AWS's profiles and shared files "
            f"({type(error).__name__}): check AWS_PROFILE and ~/.aws."
        ) from None


def _names_a_profile() -> bool:
    files = (
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials",
        os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config",
    )
    return bool(os.environ.get("AWS_PROFILE")) or any(map(_gives_keys, files))


def _gives_keys(file: str) -> bool:
    path = Path(file).expanduser()
    text = path.read_text(errors="replace") if path.is_file() else ""
    return any(name in text for name in _GIVING_KEYS)


def reason_of(error: Exception) -> str:
    """Why a store did not do what was asked, in few words, without its URL or what it answered."""
    text = str(error)
    if code := _CODE.search(text):
        return _REFUSALS.get(code[1], f"it answered {code[1]}")
    if any(path in text for path in _ROLE_OF_MACHINE):
        return "no credentials were found, and this machine has no role"
    if any(words in text for words in _UNREACHED):
        return "it can't be reached"
    told = text.partition("\n")[0].rpartition(" - ")[2].rstrip(": ")
    return f"its client says: {_URL.sub('…', told)}"
