"""Files and rows, compared both ways: what a crash or a deletion left behind, and what is missing.

A file is written before its row and deleted after it, so a file without a row is young or lost; a
row without a file is damage that somebody has to know of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from lti_tool.core.db import Begin, service_of
from lti_tool.core.files import FileStore, StoredFile
from lti_tool.uploads.models import Attachment, page_key

YOUNG = timedelta(days=1)  # so long a file may be on its way


@dataclass(frozen=True)
class Comparison:
    """Keys of files that no row names, and of pages whose file is not there."""

    orphans: tuple[str, ...]
    missing: tuple[str, ...]


def compare(begin: Begin, files: FileStore, platforms: Sequence[UUID], now: datetime) -> Comparison:
    """Over all platforms, those that are gone included: their files are orphans. What is younger
    than a day is left alone. Raises FilesUnavailable."""
    stored = {file.key: file for file in files.list("pages/")}
    named = set().union(*(_named(begin, platform_id) for platform_id in platforms))
    lost = [file for key, file in stored.items() if key not in named]
    parts = files.list("arriving/")
    return Comparison(
        orphans=tuple(file.key for file in [*lost, *parts] if _is_old(file, now)),
        missing=tuple(sorted(named - stored.keys())),
    )


def _named(begin: Begin, platform_id: UUID) -> set[str]:
    with begin(service_of(platform_id)) as db:
        pages = db.scalars(select(Attachment.id).where(Attachment.deleted_at.is_(None)))
        return {page_key(platform_id, page_id) for page_id in pages}


def _is_old(file: StoredFile, now: datetime) -> bool:
    return file.modified < now - YOUNG
