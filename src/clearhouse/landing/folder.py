"""Keys and bytes in a local folder or an S3 bucket, by one code: obstore.

A write creates a key or finds it taken; nothing is overwritten and nothing half is ever seen.

Durability. S3 answers a put when it is durable. obstore's LocalStore writes to another name and
links the file to its own, which is atomic, but calls no fsync (seen with strace, obstore 0.12):
after a power cut a name could stand for an empty file. So a local write goes to a staging name, is
synced, takes its name by a link that fails if the name is taken, and then its folder, and those
above it that may be new, are synced. So a name never stands for bytes that are not on the disk.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from clearhouse.core.durable import sync
from clearhouse.core.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_STAGING = ".staging"


class ObjectFolder:
    """Immutable objects by key.

    Args:
        store: where they are.
        root: the same place as a local folder, if it is one.
    """

    def __init__(self, store: ObjectStore, root: Path | None = None) -> None:
        self._store = store
        self.root = root
        self._settled: set[Path] = set()
        """Folders whose own names are known to be on the disk: no need to sync above them."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """A local folder (file:///path, made where it is missing) or s3://bucket/prefix.

        S3's region, keys and endpoint come from the usual AWS_* variables.

        Raises:
            SettingsError: another kind of URL, or one that can't be used.
        """
        parts = urlsplit(url)
        try:
            if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
                root = Path(url2pathname(parts.path))
                return cls(LocalStore(root, mkdir=True), root)
            if parts.scheme == "s3" and parts.netloc:
                return cls(S3Store.from_url(url, client_options=_s3_client_options()))
        except (BaseError, OSError) as error:
            raise SettingsError(
                f"The landing at {url} can't be opened ({_first_line(error)}): check LANDING_URL."
            ) from error
        raise SettingsError(
            f"{url!r} is no landing: set LANDING_URL to file:///absolute/path or s3://bucket/prefix."
        )

    def create(self, key: str, data: bytes) -> bool:
        """Put bytes under a new key, durably. False: the key is taken, and is left as it is.

        Raises:
            StoreError: the store can't be written.
        """
        with _failing_clearly("write", key):
            try:
                if self.root is None:
                    obstore.put(self._store, key, data, mode="create")
                else:
                    self._create_durably(key, data, self.root)
            except AlreadyExistsError:
                return False
        return True

    def get(self, key: str) -> bytes | None:
        """The bytes under a key; None where there is none.

        Raises:
            StoreError: the store can't be read.
        """
        with _failing_clearly("read", key):
            try:
                return obstore.get(self._store, key).bytes().to_bytes()
            except FileNotFoundError:
                return None

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix (whole path segments), in order.

        Raises:
            StoreError: the store can't be listed.
        """
        with _failing_clearly("list", prefix):
            return sorted(meta["path"] for meta in obstore.list(self._store, prefix).collect())

    def _create_durably(self, key: str, data: bytes, root: Path) -> None:
        staged = f"{_STAGING}/{uuid.uuid4().hex}"
        obstore.put(self._store, staged, data, use_multipart=False)
        try:
            sync(root / staged)
            obstore.rename(self._store, staged, key, overwrite=False)
        except BaseException:
            obstore.delete(self._store, staged)
            raise
        for folder in (root / key).parents:
            sync(folder)
            if folder == root or folder in self._settled:
                break
            self._settled.add(folder)


def _s3_client_options() -> "ClientConfig":
    """Without this an endpoint set as http:// is refused on the first request, not here."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "") or os.environ.get("AWS_ENDPOINT", "")
    return {"allow_http": True} if endpoint.startswith("http://") else {}


@contextmanager
def _failing_clearly(verb: str, key: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise StoreError(
            f"Landing can't {verb} {key} ({_first_line(error)}): check that its store is there, "
            "has room and may be used.",
            "landing_unavailable",
        ) from error


def _first_line(error: Exception) -> str:
    """The error in one line: obstore puts a dump of its source below that."""
    return str(error).partition("\n")[0]
