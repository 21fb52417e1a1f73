"""A URL that may hold a secret: whole for the client alone, without its secrets for all others.

User name, password, query values and fragment are secrets here. They are no part of what a URL is
called in messages, in manifests and in the books, so that a new password is not another source.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "redis": 6379, "rediss": 6379}
_WEB = ("http", "https")
_LOOPBACK = "127.0.0.1"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?")
_END_OF_ADDRESS = re.compile(r"[/?#]")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")

_SAFE_IN_USERINFO = ":!$&'()*+,;=%~"
_SAFE_IN_PATH = _SAFE_IN_USERINFO + "/@"
_SAFE_IN_QUERY = _SAFE_IN_PATH + "?"


class UrlError(ValueError):
    """Says what is wrong with a URL, without a part of it."""


class SecretUrl:
    """A URL of a server. `str()` and `repr()` give its public form.

    No dataclass: what turns those into plain data (pydantic, `asdict`) would show the secrets.

    Attributes:
        public: scheme, host, port and path as they were written.
        identity: the same for every spelling of one place: names of the loopback address, default
            ports, case and a slash at the end make no difference.
        masked: the public form, with stars where a secret was left out.
    """

    def __init__(self, scheme: str, address: "_Address", path: str, query: str) -> None:
        self.public = f"{scheme}://{address.shown}{path}"
        self.identity = _identity(scheme, address, path)
        stars = "***@" if address.userinfo else ""
        self.masked = f"{scheme}://{stars}{address.shown}{path}" + ("?***" if query else "")
        user = quote(_escaped(address.userinfo), safe=_SAFE_IN_USERINFO)
        before = f"{user}@" if user else ""
        after = f"?{query}" if query else ""
        self._whole = f"{scheme}://{before}{address.shown}{path}{after}"

    @classmethod
    def parse(cls, text: str, schemes: Collection[str] = _WEB) -> Self:
        """Read a URL of one of the schemes.

        `/`, `?`, `#` and `@` in a password need no escape where it is clear.

        Raises:
            UrlError: it can't be read, or can be read in two ways.
        """
        scheme, found, rest = text.strip().partition("://")
        scheme = scheme.lower()
        if not found or scheme not in schemes:
            raise UrlError(f"it must begin with {' or '.join(f'{each}://' for each in schemes)}")
        if _NOT_IN_URLS.search(rest):
            raise UrlError("it has a space, a backslash or a control character: percent-encode it")
        address, tail = _split(rest)
        path, query = _path_and_query(tail)
        return cls(scheme, address, path, query)

    def for_client(self) -> str:
        """The whole URL but its fragment, which no server is ever sent."""
        return self._whole

    def __str__(self) -> str:
        return self.public

    def __repr__(self) -> str:
        return f"SecretUrl({self.masked!r})"


@dataclass(frozen=True)
class _Address:
    """What stands between the scheme and the path."""

    userinfo: str
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        userinfo, _, address = text.rpartition("@")
        try:
            parts = urlsplit(f"//{address}")
            host, port = parts.hostname or "", parts.port
            if ":" in host:
                return cls(userinfo, ipaddress.IPv6Address(host).compressed, port)
            host = host.encode("idna").decode()
        except ValueError:  # an idna error is one too
            raise UrlError(
                "its host or port can't be read: a port is a number up to 65535"
            ) from None
        if not _HOST.fullmatch(host) or port == 0:
            raise UrlError("its host or port can't be read: write it as http://host:port")
        return cls(userinfo, host, port)

    @property
    def shown(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def _split(rest: str) -> tuple[_Address, str]:
    """The address, and what follows it.

    An @ behind the first slash belongs to a password only if nothing else can be meant, as in
    `user:a/b@host`: otherwise a secret could be taken for a host or a path, and be shown.
    """
    end = _ends(rest)
    tail = rest[end:]
    try:
        address = _Address.parse(rest[:end])
    except UrlError:
        if "@" not in tail:
            raise
        end = _ends(rest, rest.rindex("@"))
        return _Address.parse(rest[:end]), rest[end:]
    if "@" in tail:
        raise UrlError(
            "it can be read in two ways: in a user name or password write / as %2F, ? as %3F, # as "
            "%23 and @ as %40, and behind the host write @ as %40"
        )
    return address, tail


def _ends(rest: str, start: int = 0) -> int:
    """Where the address ends."""
    found = _END_OF_ADDRESS.search(rest, start)
    return found.start() if found else len(rest)


def _path_and_query(tail: str) -> tuple[str, str]:
    before_fragment = tail.partition("#")[0]
    path, _, query = before_fragment.partition("?")
    return (
        quote(_escaped(path), safe=_SAFE_IN_PATH),
        quote(_escaped(query), safe=_SAFE_IN_QUERY),
    )


def _escaped(text: str) -> str:
    return _STRAY_PERCENT.sub("%25", text)


def _identity(scheme: str, address: _Address, path: str) -> str:
    name = address.host.rstrip(".")
    name = _LOOPBACK if name in _LOOPBACK_NAMES else name
    port = None if address.port == _DEFAULT_PORTS[scheme] else address.port
    one_spelling = _ESCAPE.sub(lambda found: found[0].upper(), path)
    return f"{scheme}://{_Address('', name, port).shown}{one_spelling.rstrip('/')}"
