"""Keys of the service: who asks, and what that one may do.

Keys are held as digests alone, and compared without telling by the time taken how much was right.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from clearhouse.core.errors import SettingsError
from clearhouse.gl.journal import is_user
from clearhouse.gl.service.errors import NotAllowedError, NotAuthenticatedError


class Scope(StrEnum):
    """What a key may do. `admin` includes all others, `close` posting to soft-closed periods."""

    READ = "read"
    POST = "post"
    CLOSE = "close"
    ADMIN = "admin"


_FIRST_USER = 901
_LEAST_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    user: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether the caller has a scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


class Keys:
    """The keys that the service takes."""

    def __init__(self, known: Sequence[tuple[bytes, Caller]]) -> None:
        self._known = known

    def caller(self, key: str | None, scope: Scope) -> Caller:
        """Who has a key.

        Raises:
            NotAuthenticatedError: nobody has.
            NotAllowedError: the key lacks the scope.
        """
        found = None
        digest = _digest(key or "")
        for known, caller in self._known:  # all of them: the time taken tells nothing
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None:
            raise NotAuthenticatedError(
                "Send a key of this service in the header X-API-Key.",
                headers={"WWW-Authenticate": 'ApiKey realm="general ledger"'},
            )
        if not found.may(scope):
            raise NotAllowedError(f"The key lacks the scope {scope}.")
        return found


def keys_from(text: str) -> Keys:
    """Keys of a text such as `key:read+post,other:admin:USER-777`, or of one a line.

    Lines that begin with # are left out.

    Raises:
        SettingsError: it can't be read, in a sentence that holds no key.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    entries = [each.strip() for line in lines for each in line.split(",") if each.strip()]
    known = [_entry(entry, at) for at, entry in enumerate(entries)]
    if not known:
        raise SettingsError("GL_SERVICE_KEYS holds no key: write it as key:read+post,….")
    if len({digest for digest, _ in known}) < len(known):
        raise SettingsError("GL_SERVICE_KEYS holds a key twice: which scopes it has can't be told.")
    return Keys(known)


def keys_in(path: Path) -> Keys:
    """Keys of a file, which is made with one key of all scopes where there is none.

    Raises:
        SettingsError: it can't be read.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(
                f"# key:scopes:user, one a line\n{secrets.token_urlsafe(24)}:admin:USER-901\n"
            )
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(
            f"The keys of the service can't be kept in {path} ({error.strerror})."
        ) from None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"The keys of the service can't be read in {path} ({why}).") from None
    return keys_from(text)


def _entry(entry: str, at: int) -> tuple[bytes, Caller]:
    key, scopes, user = (*entry.split(":"), "", "")[:3]
    named = scopes.split("+")
    wrong = set(named) - set(Scope)
    if len(key) < _LEAST_CHARACTERS or wrong or (user and not is_user(user)):
        raise SettingsError(
            f"Key {at + 1} of GL_SERVICE_KEYS can't be used: write it as key:scope+scope:USER-123 "
            f"with at least {_LEAST_CHARACTERS} characters in the key, scopes of "
            f"{', '.join(Scope)}, and the user if it matters who."
        )
    caller = Caller(user or f"USER-{_FIRST_USER + at}", frozenset(map(Scope, named)))
    return _digest(key), caller


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()
