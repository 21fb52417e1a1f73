"""Keys and bytes in a local folder or an S3 bucket, by one code: obstore.

What landed is written by `create`, which makes a key or finds it taken; `replace` is for what may
be made again. Nothing half is ever seen.

Durability. S3 answers a put when it is durable. obstore's LocalStore writes to another name and
links the file to its own, which is atomic, but calls no fsync (seen with strace, obstore 0.12):
after a power cut a name could stand for an empty file. So a local write goes to a staging name, is
synced, takes its name by a link that fails if the name is taken, and then its folder, and those
above it that may be new, are synced. So a name never stands for bytes that are not on the disk.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore

from clearhouse.core.durable import sync
from clearhouse.core.errors import ServerError, SettingsError, StoreError, first_line
from clearhouse.landing.s3 import open_bucket, reason_of

if TYPE_CHECKING:
    from obstore import ObjectMeta, PutMode

_STAGING = ".staging"
_STAGED_SECONDS = 24 * 3600
"""Longer than any write takes: what is staged for longer was left by a process that was killed."""
_NAMES = {"LANDING_URL": "Landing", "EXPORT_URL": "Export"}
_NO_BUCKET = "<Code>NoSuchBucket</Code>"
"""Answered as 404, as for a missing key."""


class Stored(NamedTuple):
    """What a store says of an object without sending it.

    Attributes:
        size: in bytes.
        e_tag: names its content to the store; "" for a local file.
    """

    size: int
    e_tag: str


class ObjectFolder:
    """Objects by key.

    Args:
        store: where they are.
        root: the same place as a local folder, if it is one.
        url: of the bucket and prefix, if it is one.
        setting: what names the place, for what people are told.
    """

    def __init__(
        self,
        store: ObjectStore,
        root: Path | None = None,
        *,
        url: str = "",
        setting: str = "LANDING_URL",
    ) -> None:
        self._store = store
        self.root = root
        self.url = url.rstrip("/")
        self._setting = setting
        self._settled: set[Path] = set()
        """Folders whose own names are known to be on the disk: no need to sync above them."""
        self._is_swept = False

    @classmethod
    def from_url(cls, url: str, setting: str = "LANDING_URL") -> Self:
        """A local folder (file:///path, made where it is missing) or s3://bucket/prefix.

        Args:
            url: where.
            setting: the name of the setting that says so.

        Raises:
            SettingsError: another kind of URL, or one that can't be used.
        """
        parts = urlsplit(url)
        try:
            if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
                root = Path(url2pathname(parts.path))
                return cls(LocalStore(root, mkdir=True), root, setting=setting)
            if parts.scheme == "s3" and parts.netloc:
                return cls(open_bucket(url), url=url, setting=setting)
        except (BaseError, OSError) as error:
            raise SettingsError(
                f"The store at {url} can't be opened ({first_line(error)}): check {setting}."
            ) from error
        raise SettingsError(
            f"{url!r} can't be used: set {setting} to file:///absolute/path or s3://bucket/prefix."
        )

    def create(self, key: str, data: bytes) -> Stored | None:
        """Put bytes under a new key, durably. None: the key is taken, and is left as it is.

        Raises:
            StoreError, ServerError: the store can't be written.
        """
        with self._failing_clearly("write", key):
            try:
                return self._put(key, data, overwrites=False)
            except AlreadyExistsError:
                return None

    def replace(self, key: str, data: bytes) -> Stored:
        """Put bytes under a key, durably, in the place of what is there.

        Raises:
            StoreError, ServerError: the store can't be written.
        """
        with self._failing_clearly("write", key):
            return self._put(key, data, overwrites=True)

    def remove(self, key: str) -> None:
        """Take away what is under a key, if anything is.

        Raises:
            StoreError, ServerError: the store can't be written.
        """
        with self._failing_clearly("remove", key), suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    def get(self, key: str) -> bytes | None:
        """The bytes under a key; None where there is none.

        Raises:
            StoreError, ServerError: the store can't be read.
        """
        with self._failing_clearly("read", key):
            try:
                if self.root is not None:  # obstore hands a local file to a thread of its own
                    return (self.root / key).read_bytes()
                return obstore.get(self._store, key).bytes().to_bytes()
            except FileNotFoundError as error:
                if _NO_BUCKET in str(error):
                    raise
                return None

    def stat(self, key: str) -> Stored | None:
        """What the store says of an object; None where there is none.

        Raises:
            StoreError, ServerError: the store can't be read.
        """
        with self._failing_clearly("read", key):
            try:
                return self._stored(obstore.head(self._store, key))
            except FileNotFoundError:
                return None

    def keys(self, prefix: str) -> dict[str, Stored]:
        """All keys below a prefix (whole path segments), in order, with what is said of each.

        Raises:
            StoreError, ServerError: the store can't be listed.
        """
        with self._failing_clearly("list", prefix):
            listed = obstore.list(self._store, prefix).collect()
        found = {meta["path"]: self._stored(meta) for meta in listed}
        return {key: found[key] for key in sorted(found)}

    def check(self) -> None:
        """See that the store answers.

        Raises:
            StoreError, ServerError: it does not.
        """
        self.keys("none")

    def _stored(self, meta: "ObjectMeta") -> Stored:
        return Stored(meta["size"], self._e_tag(meta["e_tag"]))

    def _e_tag(self, given: str | None) -> str:
        return (given or "").strip('"') if self.root is None else ""

    def _put(self, key: str, data: bytes, *, overwrites: bool) -> Stored:
        if self.root is not None:
            self._put_durably(key, data, self.root, overwrites=overwrites)
            return Stored(len(data), "")
        mode: PutMode = "overwrite" if overwrites else "create"
        put = obstore.put(self._store, key, data, mode=mode, use_multipart=False)
        return Stored(len(data), self._e_tag(put["e_tag"]))

    def _put_durably(self, key: str, data: bytes, root: Path, *, overwrites: bool) -> None:
        if not self._is_swept:
            self._is_swept = True
            _delete_left(root / _STAGING)
        staged = f"{_STAGING}/{uuid.uuid4().hex}"
        obstore.put(self._store, staged, data, use_multipart=False)
        try:
            sync(root / staged)
            obstore.rename(self._store, staged, key, overwrite=overwrites)
        except BaseException:
            obstore.delete(self._store, staged)
            raise
        for folder in (root / key).parents:
            sync(folder)
            if folder == root or folder in self._settled:
                break
            self._settled.add(folder)

    @contextmanager
    def _failing_clearly(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            told = _NAMES[self._setting]
            code = f"{told.lower()}_unavailable"
            if self.root is None:
                raise ServerError(
                    f"{told} can't {verb} {key}, as {reason_of(error)}: nothing is known of what "
                    f"is stored; see to {self._setting} and the AWS_* variables, and run again.",
                    code,
                ) from None
            raise StoreError(
                f"{told} can't {verb} {key} ({first_line(error)}): check that its store is there, "
                "has room and may be used.",
                code,
            ) from error


def _delete_left(staging: Path) -> None:
    """Delete what killed processes left; another process may be doing the same."""
    long_ago = time.time() - _STAGED_SECONDS
    for path in staging.glob("*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < long_ago:
                path.unlink()
