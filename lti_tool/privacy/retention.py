"""What is kept no longer than it is needed, without anybody asking (GDPR Art. 5(1)(e)).

A draft that nobody has touched for 30 days goes with its photos; a file that never became a page,
and a link for a phone, go after a day. Older texts of drafts have their own rule in
`submissions.drafts`. What was handed in is not in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from lti_tool.core.db import WORKER, Begin
from lti_tool.core.files import FileStore, FilesUnavailable
from lti_tool.core.statements import ask
from lti_tool.submissions.drafts import KEPT_DAYS
from lti_tool.uploads.models import page_key, parts_folder

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Due:
    """What goes by then: drafts, photos in them, and older texts of drafts."""

    drafts: int
    pages: int
    older: int


def due(db: Session, within: timedelta) -> Due:
    """What will have gone after so long, if nobody touches it before."""
    (row,) = ask(
        db,
        "SELECT * FROM will_be_forgotten(now() + %(within)s - %(kept)s)",
        {"within": within, "kept": timedelta(days=KEPT_DAYS)},
    )
    return Due(row.drafts, row.pages, row.older)


def forget(begin: Begin, files: FileStore) -> None:
    """Delete what is over; done twice, or broken off, it does no harm. Rows go first: a file that
    stays behind belongs to nothing, and `gustav files` finds it."""
    with begin(WORKER) as db:
        pages = ask(db, "SELECT * FROM forget_old_drafts()", {})
        uploads = ask(db, "SELECT * FROM forget_old_uploads()", {})
        ask(db, "SELECT forget_old_phone_links()", {})
    try:
        files.delete([page_key(row.platform, row.page) for row in pages])
        files.delete(files.below(_folders(uploads)))
    except FilesUnavailable:
        log.warning("files of old drafts not deleted")
    if pages or uploads:
        log.info("forgotten", pages=len(pages), uploads=len(uploads))


def _folders(uploads: Iterable[Any]) -> list[str]:
    """Of files that became no pages; of the others the parts are gone already."""
    return [parts_folder(row.platform, row.upload) for row in uploads if not row.came]
