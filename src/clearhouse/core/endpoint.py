"""Where an outside system is: its base URL, the credentials in it, and the proxy on the way.

- User, password and query of a base URL are sent with each request. They are taken out of the
  URL, so that no message, log line or stored request can hold them.
- A loopback host is asked directly. Any other host goes through the proxy that HTTP_PROXY,
  HTTPS_PROXY, ALL_PROXY and NO_PROXY name for it.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.request import getproxies, proxy_bypass

import httpx

from clearhouse.core.errors import SettingsError

_PORTS = range(1, 65_536)
_END_OF_HOST = re.compile("[/?#]")


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the variable of the environment that names it."""

    variable: str
    proxy: httpx.Proxy = field(repr=False)

    @property
    def shown(self) -> str:
        """The proxy for a message, without its credentials."""
        return f"{_origin(self.proxy.url)} ({self.variable})"


@dataclass(frozen=True)
class Endpoint:
    """A base URL that can be shown, and what is sent beside it."""

    url: httpx.URL
    auth: httpx.BasicAuth | None = field(repr=False)
    params: httpx.QueryParams = field(repr=False)
    proxy: Proxy | None

    @classmethod
    def parse(cls, base_url: str, name: str) -> "Endpoint":
        """The endpoint that a setting names.

        Args:
            base_url: http or https, with a host.
            name: what messages call the source.

        Raises:
            SettingsError: the URL, or the proxy set for its scheme, can't be used.
        """
        url = _usable(base_url, name)
        credentials = bool(url.username or url.password)
        return cls(
            url=url.copy_with(username=None, password=None, query=None, fragment=None),
            auth=httpx.BasicAuth(url.username, url.password) if credentials else None,
            params=url.params,
            proxy=_proxy_for(url),
        )


def shown_request(request: httpx.Request) -> str:
    """Method and URL for a message: without user, password and query string."""
    url = request.url
    return f"{request.method} {_origin(url)}{url.path}{'?…' if url.query else ''}"


def _origin(url: httpx.URL) -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{'' if url.port is None else f':{url.port}'}"


def _usable(base_url: str, name: str) -> httpx.URL:
    # A raw "/", "#" or "?" in a password ends the host early: the rest would pass for a path.
    if "@" in "".join(_END_OF_HOST.split(base_url.partition("://")[2])[1:]):
        raise SettingsError(
            f"The URL set for {name} is not usable: in its user, password and path, write "
            "/ as %2F, # as %23, ? as %3F and @ as %40."
        )
    try:
        url = httpx.URL(base_url)
        url.host.encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError(
            f"The URL set for {name} is not usable: write it as http://host:port or https://host."
        )
    if url.port is not None and url.port not in _PORTS:
        raise SettingsError(
            f"The URL set for {name} has the port {url.port}: set one from 1 to 65535."
        )
    return url


def _proxy_for(url: httpx.URL) -> Proxy | None:
    if _is_loopback(url.host):
        return None
    proxies = getproxies()
    scheme = next((s for s in (url.scheme, "all") if proxies.get(s)), None)
    port = "" if url.port is None else f":{url.port}"
    if scheme is None or proxy_bypass(f"{url.host}{port}"):
        return None
    variable, address = f"{scheme.upper()}_PROXY", proxies[scheme]
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (httpx.InvalidURL, ValueError):
        proxy = None
    if (
        proxy is None
        or not proxy.url.host
        or proxy.url.scheme not in {"http", "https"}
        or (proxy.url.port is not None and proxy.url.port not in _PORTS)
    ):
        raise SettingsError(f"The proxy in {variable} is not usable: write it as http://host:port.")
    return Proxy(variable, proxy)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
