"""What a setting may hold: URLs of stores, paths of local ones, and the proxies beside them.

Each check raises `SettingsError`, in one sentence that names the setting and holds no secret.
"""

import re
from urllib.request import getproxies_environment

from clearhouse.core.errors import SettingsError
from clearhouse.core.urls import SecretUrl, UrlError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

_SERVERS = ("kafka", "kafka+ssl", "temporal", "temporal+tls")
_HOSTS_AND_PATH = re.compile(r"[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*(/[\w.-]*)?", re.ASCII)
_BUCKET_AND_PREFIX = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()=-]+)*/?")

# In the path of a local store: URLs and SQL end or escape at % ? # ' ", DuckDB takes * [ ] for a
# pattern of names, and a shell reads the others in the commands that are printed to be typed.
_UNUSABLE = frozenset("%?#'\"*[]$`\\")

_PROXIES = ("http", "https", "all")


def check_store(name: str, url: str, schemes: tuple[str, ...]) -> None:
    """See that the URL of a store has a scheme that is known, and that it leads somewhere."""
    scheme, found, rest = url.partition("://")
    if not found or not _SCHEME.fullmatch(scheme):
        raise SettingsError(f"{name} is not a URL: write {schemes[0]}://….")
    if scheme not in schemes:
        raise SettingsError(
            f"{name}={scheme}://… is not supported: use "
            f"{' or '.join(s + '://' for s in schemes)} or leave it unset."
        )
    if scheme == "inline":
        return
    if scheme in _SERVERS:
        _check_server(name, scheme, rest)
        return
    if scheme == "s3":
        _check_bucket(name, rest)
        return
    if rest in ("", "/", "/:memory:") and scheme == "sqlite":
        raise SettingsError(
            f"{name} names a store in memory, which no other process sees and which is gone with "
            f"this one: name a file, as {scheme}:///path/to/it.db."
        )
    if not rest.startswith("/"):
        raise SettingsError(f"{name} needs three slashes and a path: {scheme}:///path/to/it.")
    if scheme != "file":
        check_path(name, rest)
    elif {"?", "#"} & set(rest):
        raise SettingsError(f"{name} has a ? or a #: write them as %3F and %23.")


def _check_server(name: str, scheme: str, rest: str) -> None:
    if not _HOSTS_AND_PATH.fullmatch(rest):
        raise SettingsError(
            f"{name} can't be read: write {scheme}://host:port, without a user or a password: "
            "they have settings of their own."
        )


def _check_bucket(name: str, rest: str) -> None:
    if not _BUCKET_AND_PREFIX.fullmatch(rest):
        raise SettingsError(
            f"{name} names no bucket and prefix: write s3://bucket/prefix, with letters, digits "
            "and any of ! _ . * ' ( ) - = in the prefix, and keys in AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        )


def check_path(name: str, path: str) -> None:
    """See that no URL, SQL or shell reads the path of a local store as something else."""
    if _UNUSABLE & set(path) or not path.isprintable():
        raise SettingsError(
            f"{name} names a path with a character that URLs, SQL or a shell read as something "
            f"else: take one in UTF-8 without any of {' '.join(sorted(_UNUSABLE))}."
        )


def check_proxies() -> None:
    """See that the proxies that the environment names can be used: clients fail on them late."""
    named = getproxies_environment()
    for scheme in _PROXIES:
        try:
            if url := named.get(scheme):
                _check_proxy(url if "://" in url else f"http://{url}")
        except UrlError as error:
            raise SettingsError(
                f"{scheme.upper()}_PROXY is set to a value that can't be used: {error}."
            ) from None


def _check_proxy(url: str) -> None:
    from httpx import InvalidURL, Proxy  # which few commands need, and few shells name a proxy

    SecretUrl.parse(url)
    try:
        Proxy(url)
    except (InvalidURL, ValueError):
        raise UrlError(
            "in its user name or password write / as %2F, ? as %3F, # as %23 and @ as %40"
        ) from None
