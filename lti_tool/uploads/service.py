"""Receiving files and keeping the pages that become of them.

A file arrives in parts, so that a broken connection loses one part at most. Parts, decoding and
storage run between short transactions; a page's file is there before its row is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.clock import Clock
from lti_tool.core.errors import Conflict, Invalid, NotFound, ToolError
from lti_tool.core.files import FileStore, FilesUnavailable
from lti_tool.core.pictures import Darkroom, PagePicture, PictureRefused
from lti_tool.core.retries import in_one
from lti_tool.core.statements import in_single_file
from lti_tool.uploads import pages
from lti_tool.uploads.allowance import check_room
from lti_tool.uploads.limits import MOST_PAGES, PART
from lti_tool.uploads.models import (
    Attachment,
    Upload,
    UploadState,
    page_key,
    part_key,
    parts_folder,
)
from lti_tool.uploads.names import shown_name
from lti_tool.uploads.pages import Whose

Here = Callable[[], AbstractContextManager[Session]]  # opens a transaction of the pupil


class NotReadable(ToolError):
    """This file is no picture that can be shown; `why` is a code, for the page to say."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Lab:
    """What files are made safe with, and where pages are kept. The roof builds it."""

    files: FileStore
    darkroom: Darkroom
    clock: Clock

    def forget(self, keys: Sequence[str]) -> None:
        """Files that no row names any more. One that cannot be deleted now is found later, by
        `orphans`."""
        with suppress(FilesUnavailable):
            self.files.delete(keys)


@dataclass(frozen=True)
class Part:
    """A piece of a file, and at which byte it begins."""

    offset: int
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Arrived:
    """What became of a file: how many pages were added, and how many found no room."""

    pages: int
    left_out: int


def announce(db: Session, whose: Whose, name: str, size: int, now: datetime) -> Upload:
    """A file of so many bytes is going to come.

    Raises:
        Invalid: "file": "empty_file".
        TooMuchSent: a limit would be broken.
    """
    if size < 1:
        raise Invalid({"file": "empty_file"})
    in_single_file(db, whose.resource_link_id, whose.person_id)
    check_room(db, whose, size, now)
    upload = Upload(
        id=uuid7(),
        platform_id=whose.platform_id,
        course_id=whose.course_id,
        resource_link_id=whose.resource_link_id,
        person_id=whose.person_id,
        name=shown_name(name),
        size=size,
        received=0,
        state=UploadState.ARRIVING,
    )
    db.add(upload)
    db.flush()
    return upload


def find(db: Session, whose: Whose, upload_id: UUID) -> Upload:
    """A file of this pupil's draft. Raises NotFound."""
    found = db.scalar(
        select(Upload).where(
            Upload.id == upload_id,
            Upload.resource_link_id == whose.resource_link_id,
            Upload.person_id == whose.person_id,
        )
    )
    if found is None:
        raise NotFound("upload")
    return found


def receive(lab: Lab, here: Here, whose: Whose, upload_id: UUID, part: Part) -> int:
    """Keep one part; returns how many bytes are there, which is where the next one begins.

    A part that is there already, or comes too early, changes nothing: the number tells.

    Raises:
        NotFound: there is no such file on its way.
        Invalid: "part": "too_long": larger than agreed, or than what was announced.
    """
    with here() as db:
        upload = find(db, whose, upload_id)
        if part.offset != upload.received or upload.state is not UploadState.ARRIVING:
            return upload.received
        if not 0 < len(part.content) <= min(PART, upload.size - part.offset):
            raise Invalid({"part": "too_long"})
    lab.files.put(part_key(whose.platform_id, upload_id, part.offset), part.content)
    return in_one(here, lambda db: _count_in(db, whose, upload_id, part))


def finish(lab: Lab, here: Here, whose: Whose, upload_id: UUID) -> Arrived:
    """Make pages of a file that is there whole. Asked twice, it does it once.

    Raises:
        NotFound: there is no such file.
        Conflict: "not_whole": parts are missing.
        NotReadable: it is no picture that can be shown; it is forgotten.
        Busy: too many others are being looked at; ask again.
    """
    with here() as db:
        upload = find(db, whose, upload_id)
        state, size, received = upload.state, upload.size, upload.received
    if state is UploadState.KEPT:
        return Arrived(0, 0)
    if received != size or state is UploadState.REFUSED:
        raise Conflict("not_whole")
    keys = [part_key(whose.platform_id, upload_id, at) for at in _offsets(lab, whose, upload_id)]
    with _put_together(lab.files.get(key) for key in keys) as whole:
        if whole.stat().st_size != size:
            raise Conflict("not_whole")
        arrived = _develop(lab, here, whose, upload_id, whole)
    lab.forget(keys)
    return arrived


def take_whole(lab: Lab, here: Here, whose: Whose, name: str, content: IO[bytes]) -> Arrived:
    """A file that came in one piece, from a browser without scripts. Raises as `announce`, `finish`
    do."""
    with _put_together(iter(lambda: content.read(PART), b"")) as whole:
        size = whole.stat().st_size
        upload_id = in_one(here, lambda db: announce(db, whose, name, size, lab.clock()).id)
        return _develop(lab, here, whose, upload_id, whole)


def _count_in(db: Session, whose: Whose, upload_id: UUID, part: Part) -> int:
    upload = find(db, whose, upload_id)
    db.refresh(upload, with_for_update=True)
    if upload.received == part.offset:
        upload.received = part.offset + len(part.content)
        db.flush()
    return upload.received


def _refuse(db: Session, whose: Whose, upload_id: UUID) -> None:
    find(db, whose, upload_id).state = UploadState.REFUSED


def _develop(lab: Lab, here: Here, whose: Whose, upload_id: UUID, whole: Path) -> Arrived:
    with here() as db:
        room = MOST_PAGES - len(pages.of_draft(db, whose))
    try:
        developed = lab.darkroom.develop(whole, most_pages=max(1, room))
    except PictureRefused as refused:
        in_one(here, lambda db: _refuse(db, whose, upload_id))
        raise NotReadable(refused.reason.value) from None
    stored = [(uuid7(), picture) for picture in developed.pages]
    for page_id, picture in stored:
        lab.files.put(page_key(whose.platform_id, page_id), picture.jpeg)
    kept = in_one(here, lambda db: _keep(db, whose, upload_id, stored))
    lost = [page_key(whose.platform_id, page_id) for page_id, _ in stored[kept:]]
    if lost:
        lab.forget(lost)
    return Arrived(kept, developed.left_out + len(lost))


def _keep(
    db: Session,
    whose: Whose,
    upload_id: UUID,
    stored: Sequence[tuple[UUID, PagePicture]],
) -> int:
    """Rows for as many of these pages as there is room for; none if somebody else was faster."""
    in_single_file(db, whose.resource_link_id, whose.person_id)
    upload = find(db, whose, upload_id)
    db.refresh(upload, with_for_update=True)
    if upload.state is not UploadState.ARRIVING:
        return 0
    upload.state, upload.received = UploadState.KEPT, upload.size
    there = pages.of_draft(db, whose)
    last = max((page.position for page in there), default=0)
    fitting = stored[: max(0, MOST_PAGES - len(there))]
    for number, (page_id, picture) in enumerate(fitting, start=last + 1):
        db.add(
            Attachment(
                id=page_id,
                platform_id=whose.platform_id,
                course_id=whose.course_id,
                resource_link_id=whose.resource_link_id,
                person_id=whose.person_id,
                position=number,
                name=upload.name,
                sha256=picture.sha256,
                size=len(picture.jpeg),
                width=picture.width,
                height=picture.height,
            )
        )
    db.flush()
    return len(fitting)


def _offsets(lab: Lab, whose: Whose, upload_id: UUID) -> list[int]:
    """Where the parts of a file begin, in order."""
    arrived = lab.files.list(parts_folder(whose.platform_id, upload_id))
    return sorted(int(found.key.rpartition("/")[2]) for found in arrived)


@contextmanager
def _put_together(parts: Iterator[bytes]) -> Iterator[Path]:
    """One temporary file out of many parts; it is gone at the end."""
    with NamedTemporaryFile(prefix="upload-") as whole:
        for part in parts:
            whole.write(part)
        whole.flush()
        yield Path(whole.name)
