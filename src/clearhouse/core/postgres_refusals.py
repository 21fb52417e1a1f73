"""Why a PostgreSQL server, or libpq on the way to it, refuses a connection, in a sentence each.

Such a refusal comes without a code. What was said is not shown: it can hold the name of the user.
A database that can't hold every text is refused by us.
"""

from typing import Protocol

_WRONG_USER = "refuses the user or the password: correct {setting}"
_NO_ROOM = "has no connection left: close some, or raise its max_connections"
_REFUSALS = {
    "authentication failed": _WRONG_USER,
    "no password supplied": _WRONG_USER,
    "too many clients": _NO_ROOM,
    "remaining connection slots": _NO_ROOM,
    "root certificate file": "can't be told from another, as the file that sslrootcert in "
    "{setting} names can't be read: correct it",
    "certificate verify failed": "has a certificate that the authority in sslrootcert did not "
    "sign: correct {setting}, or see who answers there",
    "does not match host name": "has the certificate of another host: use the name that is in it "
    "in {setting}, or see who answers there",
    "does not support SSL": "takes no TLS, which sslmode in {setting} asks for: switch it on there",
    "does not exist": "is not there: make the database and its user, or correct {setting}",
}
"""By a part of what was said. Of two parts in one text the first here holds."""


def why_refused(told: str, setting: str) -> str | None:
    """What is wrong, and what to do about it; None where nothing is known of it.

    Args:
        told: what the driver's error says.
        setting: what names the server, such as DATABASE_URL.
    """
    found = (sentence for part, sentence in _REFUSALS.items() if part in told)
    sentence = next(found, None)
    return sentence and sentence.format(setting=setting)


class ConnectionInfo(Protocol):
    """What the driver knows of a connection."""

    def parameter_status(self, name: str, /) -> str | None:
        """What the server said of one of its settings."""
        ...


def other_encoding(connection: ConnectionInfo) -> str | None:
    """Why a database can't be used that keeps texts in another encoding than UTF-8; else None.

    It refuses characters that a source may send, or counts bytes of a text as its characters.
    """
    encoding = connection.parameter_status("server_encoding")
    if encoding == "UTF8":
        return None
    return (
        f"keeps texts in the encoding {encoding}: make a database with the encoding UTF8, and "
        "name it in {setting}"
    )
