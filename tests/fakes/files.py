"""A store of files in memory: as the real one, but it forgets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from tempfile import TemporaryDirectory, mkdtemp

from lti_tool.core.files import FileDamaged, FileMissing, StoredFile


@cache
def _house() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="gustav-files-")


def a_folder() -> str:
    """For the pages of one application; gone when the tests are."""
    return mkdtemp(dir=_house().name)


class MemoryFiles:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self.kept[key] = content

    def get(self, key: str, sha256: bytes | None = None) -> bytes:
        if key not in self.kept:
            raise FileMissing(key)
        content = self.kept[key]
        if sha256 is not None and hashlib.sha256(content).digest() != sha256:
            raise FileDamaged(key)
        return content

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.kept.pop(key, None)

    def list(self, prefix: str) -> Sequence[StoredFile]:
        now = datetime.now(UTC)
        return [
            StoredFile(key, len(content), now)
            for key, content in self.kept.items()
            if key.startswith(prefix)
        ]
