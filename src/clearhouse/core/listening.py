"""Listening at an address, which another program may have."""

import socket

from clearhouse.core.errors import UsageError


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address.

    Raises:
        UsageError: it can't be (address_in_use).
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise refused(host, port, error) from error
    return listener


def check_is_free(host: str, port: int) -> None:
    """See that a server can listen at an address, before it says so in its own words.

    Raises:
        UsageError: it can't (address_in_use).
    """
    listen(host, port).close()


def refused(host: str, port: int, error: OSError) -> UsageError:
    """What to raise where nothing can listen."""
    return UsageError(
        f"Nothing can listen at {host}:{port}: {error.strerror}; choose another port.",
        "address_in_use",
    )
