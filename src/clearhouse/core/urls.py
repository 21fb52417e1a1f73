"""A URL that may hold a secret: whole for the client alone, without its secrets for all others.

User name, password, query values and fragment are secrets here. They are no part of what a URL is
called in messages, in manifests and in the books, so that a new password is not another source.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = "127.0.0.1"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?")
_END_OF_AUTHORITY = re.compile(r"[/?#]")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")

_SAFE_IN_USERINFO = "!$&'()*+,;=%"
_SAFE_IN_PATH = "/:@!$&'()*+,;=%~"
_SAFE_IN_QUERY = _SAFE_IN_PATH + "?"


class UrlError(ValueError):
    """Says what is wrong with a URL, without a part of it."""


@dataclass(frozen=True)
class SecretUrl:
    """An http or https URL. `str()` and `repr()` give its public form.

    Attributes:
        public: scheme, host, port and path as they were written.
        identity: the same for every spelling of one place: names of the loopback address, default
            ports, case and a slash at the end make no difference.
    """

    public: str
    identity: str
    _whole: str = field(repr=False)
    _has_user: bool = field(repr=False, default=False)
    _has_query: bool = field(repr=False, default=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL. `/`, `?`, `#` and `@` in a password need no escape where it is clear.

        Raises:
            UrlError: it can't be read, or can be read in two ways.
        """
        scheme, found, rest = text.strip().partition("://")
        scheme = scheme.lower()
        if not found or scheme not in _DEFAULT_PORTS:
            raise UrlError("it must begin with http:// or https://")
        if _NOT_IN_URLS.search(rest):
            raise UrlError("it has a space, a backslash or a control character: percent-encode it")
        userinfo, host, port, tail = _split(rest)
        path, query = _path_and_query(tail)
        shown_host = f"[{host}]" if ":" in host else host
        shown_port = f":{port}" if port is not None else ""
        user = f"{quote(_escaped(userinfo), safe=_SAFE_IN_USERINFO + ':')}@" if userinfo else ""
        public = f"{scheme}://{shown_host}{shown_port}{path}"
        whole = f"{scheme}://{user}{shown_host}{shown_port}{path}{'?' if query else ''}{query}"
        identity = _identity(scheme, host, port, path)
        return cls(public, identity, whole, bool(userinfo), bool(query))

    def for_client(self) -> str:
        """The whole URL but its fragment, which no server is ever sent."""
        return self._whole

    @property
    def masked(self) -> str:
        """The public form, with stars where a secret was left out."""
        scheme, _, rest = self.public.partition("://")
        user = "***@" if self._has_user else ""
        return f"{scheme}://{user}{rest}" + ("?***" if self._has_query else "")

    def __str__(self) -> str:
        return self.public


def _split(rest: str) -> tuple[str, str, int | None, str]:
    """User information, host, port, and what follows them.

    An @ behind the first slash belongs to a password only if nothing else can be meant, as in
    `user:a/b@host`: otherwise a secret could be taken for a host or a path, and be shown.
    """
    end = _END_OF_AUTHORITY.search(rest)
    authority, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    userinfo, _, address = authority.rpartition("@")
    try:
        host, port = _host_and_port(address)
    except UrlError:
        if "@" not in tail:
            raise
        userinfo, _, remainder = rest.rpartition("@")
        end = _END_OF_AUTHORITY.search(remainder)
        address, tail = (
            (remainder[: end.start()], remainder[end.start() :]) if end else (remainder, "")
        )
        host, port = _host_and_port(address)
        return userinfo, host, port, tail
    if "@" in tail:
        raise UrlError(
            "it can be read in two ways: in a user name or password write / as %2F, ? as %3F, # as "
            "%23 and @ as %40, and behind the host write @ as %40"
        )
    return userinfo, host, port, tail


def _host_and_port(address: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            return ipaddress.IPv6Address(host).compressed, port
        host = host.encode("idna").decode()
    except ValueError:  # an idna error is one too
        raise UrlError("its host or port can't be read: a port is a number up to 65535") from None
    if not _HOST.fullmatch(host) or port == 0:
        raise UrlError("its host or port can't be read: write it as http://host:port")
    return host, port


def _path_and_query(tail: str) -> tuple[str, str]:
    before_fragment = tail.partition("#")[0]
    path, _, query = before_fragment.partition("?")
    return (
        quote(_escaped(path), safe=_SAFE_IN_PATH),
        quote(_escaped(query), safe=_SAFE_IN_QUERY),
    )


def _escaped(text: str) -> str:
    return _STRAY_PERCENT.sub("%25", text)


def _identity(scheme: str, host: str, port: int | None, path: str) -> str:
    name = host.rstrip(".")
    name = _LOOPBACK if name in _LOOPBACK_NAMES else name
    shown_host = f"[{name}]" if ":" in name else name
    shown_port = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
    one_spelling = _ESCAPE.sub(lambda found: found[0].upper(), path)
    return f"{scheme}://{shown_host}{shown_port}{one_spelling.rstrip('/')}"
