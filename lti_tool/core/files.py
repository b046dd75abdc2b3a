"""The object store: page images and uploads under way, in a local folder or in S3.

It keeps bytes under keys that we made, and knows neither pupils nor pictures. What belongs to
whom stands in rows; a file without a row means nothing to anybody.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from lti_tool.core.durable import sweep_unfinished, write_durably
from lti_tool.core.errors import ToolError

if TYPE_CHECKING:
    from config.settings import Settings

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf"pages/{_UUID}/{_UUID}|arriving/{_UUID}/{_UUID}/[0-9]{{12}}")
_PREFIX = re.compile(rf"(?:(?:pages|arriving)/(?:{_UUID}/){{0,2}})?")

_CONNECT = timedelta(seconds=3)
# A try and the last retry, which begins at the latest when as long has passed: 20 s in all.
_TRY = timedelta(seconds=10)
_RETRIES = 2


class FilesError(ToolError):
    """Root of what the object store says no to."""


class FilesUnavailable(FilesError):
    """It does not answer, or has no room left; later the same may well succeed."""


class FileMissing(FilesError):
    """Nothing lies under this key, and no retry will help."""


class FileDamaged(FilesError):
    """What lies there is not what was put there."""


@dataclass(frozen=True)
class StoredFile:
    """One entry of a listing. `size` in bytes; `modified` is the store's own clock, with zone."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class S3Access:
    """How an S3 server is reached. Without an endpoint it is AWS itself."""

    endpoint: str | None
    region: str
    key: str
    secret: str


class FileStore:
    """Bytes under keys. Whole or not at all: what is listed can be read."""

    def __init__(self, store: LocalStore | S3Store, folder: Path | None) -> None:
        """`folder`: where a local store lies; it is written by ourselves, for good."""
        self._store = store
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        """Written for good when this returns; what lay there before is replaced.

        Raises:
            ValueError: it is none of our keys.
            FilesUnavailable: nothing has changed, or everything has; putting it again is safe.
        """
        _need_key(key)
        with _told_as_ours(key):
            if self._folder is not None:
                write_durably(self._folder, key, content)
            else:
                obstore.put(self._store, key, content)

    def get(self, key: str, sha256: bytes | None = None) -> bytes:
        """The whole content, compared with `sha256` (32 bytes) where one is known.

        Raises:
            ValueError, FileMissing, FileDamaged, FilesUnavailable.
        """
        _need_key(key)
        with _told_as_ours(key):
            content = bytes(obstore.get(self._store, key).bytes())
        if sha256 is not None and hashlib.sha256(content).digest() != sha256:
            raise FileDamaged(key)
        return content

    def delete(self, keys: Sequence[str]) -> None:
        """Afterwards none of them is there; missing ones are fine.

        Raises:
            ValueError: one is none of our keys; nothing was deleted.
            FilesUnavailable: some may be left; deleting all of them again is safe.
        """
        for key in keys:
            _need_key(key)
        if self._folder is None and keys:
            with _told_as_ours(keys[0]):
                obstore.delete(self._store, list(keys))
            return
        for key in keys:
            try:
                with _told_as_ours(key):
                    obstore.delete(self._store, key)
            except FileMissing:
                continue

    def list(self, prefix: str) -> Sequence[StoredFile]:
        """Everything below `prefix`, by key: "", `pages/`, `arriving/`, or one with ids and `/`.

        Raises:
            ValueError: it is none of our prefixes.
            FilesUnavailable.
        """
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"not a prefix of ours: {prefix!r}")
        with _told_as_ours(prefix):
            found = [meta for chunk in obstore.list(self._store, prefix or None) for meta in chunk]
        files = [StoredFile(m["path"], m["size"], m["last_modified"]) for m in found]
        return sorted((f for f in files if _KEY.fullmatch(f.key)), key=lambda f: f.key)

    def below(self, prefixes: Iterable[str]) -> Sequence[str]:
        """Keys of everything that lies below any of them. Raises as `list` does."""
        return [found.key for prefix in prefixes for found in self.list(prefix)]


def open_store(place: str, s3: S3Access | None = None) -> FileStore:
    """`place`: a folder, which is made if need be, or `s3://bucket/prefix`, with `s3` set.

    An S3 server is not asked before the first use. Of a folder, what killed writers left is swept.

    Raises:
        FilesUnavailable: the folder cannot be made or opened.
        ValueError: an s3:// address without a bucket or without access.
    """
    if place.startswith("s3://"):
        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        if not bucket or s3 is None:
            raise ValueError("s3:// needs a bucket, a key and a secret")
        return FileStore(_s3(bucket, prefix.strip("/"), s3), None)
    folder = Path(place).absolute()
    with _told_as_ours(place):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep_unfinished(folder)
        # Or drafts that were handed in would leave their empty folders behind for ever.
        return FileStore(LocalStore(folder, automatic_cleanup=True), folder)


def open_store_of(settings: Settings) -> FileStore:
    """The store that the settings name. Raises FilesUnavailable."""
    access = None
    if settings.s3_key is not None and settings.s3_secret is not None:
        secret = settings.s3_secret.get_secret_value()
        access = S3Access(settings.s3_endpoint, settings.s3_region, settings.s3_key, secret)
    return open_store(settings.files, access)


def _need_key(key: str) -> None:
    """Keys are made by us; anything else is a mistake of ours, or somebody's attempt."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a key of ours: {key!r}")


@contextmanager
def _told_as_ours(key: str) -> Iterator[None]:
    """Turns what obstore and the disk say into our three errors. The server's words are dropped:
    they repeat addresses and headers."""
    try:
        yield
    except FileNotFoundError:
        raise FileMissing(key) from None
    except (BaseError, OSError) as error:
        raise FilesUnavailable(f"{key}: {type(error).__name__}") from None


def _s3(bucket: str, prefix: str, s3: S3Access) -> S3Store:
    """The server compares what arrives with a SHA-256 that travels along."""
    return S3Store(
        bucket,
        prefix=prefix or None,
        config={
            "access_key_id": s3.key,
            "secret_access_key": s3.secret,
            "region": s3.region,
            "checksum_algorithm": "SHA256",
            **({"endpoint": s3.endpoint} if s3.endpoint else {}),
        },
        client_options={
            "allow_http": (s3.endpoint or "").startswith("http://"),
            "connect_timeout": _CONNECT,
            "timeout": _TRY,
        },
        retry_config={
            "max_retries": _RETRIES,
            "retry_timeout": _TRY,
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=1),
                "base": 2,
            },
        },
    )
