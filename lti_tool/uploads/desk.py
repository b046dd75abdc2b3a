"""What the pages of this context work with, put into the application by `web.py`; and the sentences
of what is refused, by their codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from lti_tool.core.db import Begin
from lti_tool.core.errors import Conflict, Invalid, ToolError
from lti_tool.core.files import FilesUnavailable
from lti_tool.core.pictures import Busy
from lti_tool.launch.secrets import Secrets
from lti_tool.uploads.allowance import TooMuchSent
from lti_tool.uploads.pages import Whose
from lti_tool.uploads.service import Lab, NotReadable


class TooLate(ToolError):
    """The deadline and its grace are over; `until`: when it was."""

    def __init__(self, until: datetime) -> None:
        super().__init__("too_late")
        self.until = until


# What a page can say in a sentence; each is kept from the file that it is about, and no other.
REFUSALS = (TooLate, TooMuchSent, NotReadable, Invalid, Conflict, Busy, FilesUnavailable)


ClosedAt = Callable[[Session, Whose, datetime], datetime | None]


@dataclass(frozen=True)
class UploadDesk:
    """`closed_at`: the deadline of a pupil's activity, if it was over at that moment."""

    lab: Lab
    closed_at: ClosedAt
    begin: Begin
    secrets: Secrets
    base_url: str


@dataclass(frozen=True)
class Refused:
    """A file that was not taken: which, why, and from when on it would be."""

    name: str
    why: str
    until: datetime | None = None

    @property
    def status(self) -> int:
        return _STATUS.get(self.why, 415)


_STATUS = {
    "empty_file": 400,
    "too_long": 400,
    "not_whole": 409,
    "too_late": 409,
    "file_too_large": 413,
    "too_many_pages": 413,
    "work_too_large": 413,
    "too_many_pixels": 413,
    "hour_used_up": 429,
    "later": 503,
}


def desk() -> UploadDesk:
    found: UploadDesk = current_app.extensions["uploads"]
    return found


def need_time(db: Session, whose: Whose, began: datetime) -> None:
    """Raises TooLate: what a request that began then brings could not be handed in any more."""
    until = desk().closed_at(db, whose, began)
    if until is not None:
        raise TooLate(until)


def refused(name: str, error: ToolError) -> Refused:
    """One of `REFUSALS` as the page says it."""
    if isinstance(error, TooMuchSent):
        return Refused(name, error.refusal.why.value, error.refusal.until)
    if isinstance(error, TooLate):
        return Refused(name, "too_late", error.until)
    if isinstance(error, NotReadable):
        return Refused(name, error.why)
    if isinstance(error, Invalid):
        return Refused(name, next(iter(error.problems.values())))
    return Refused(name, error.code if isinstance(error, Conflict) else "later")
