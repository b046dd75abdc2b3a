"""What comes out of the darkroom, and why sometimes nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lti_tool.core.errors import ToolError


class Unreadable(StrEnum):
    """Why a file gave no pages; the page has a sentence for each that says what to do."""

    NOT_A_PICTURE = "not_a_picture"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"
    LOCKED = "locked"
    EMPTY = "empty"
    TOOK_TOO_LONG = "took_too_long"


class PictureRefused(ToolError):
    """This file gives no pages, and no retry will help."""

    def __init__(self, reason: Unreadable) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Busy(ToolError):
    """All slots were taken for as long as one may be kept waiting; later it will do."""


@dataclass(frozen=True)
class PagePicture:
    """One page: a JPEG of colours alone, its sides in pixels, its SHA-256 (32 bytes)."""

    jpeg: bytes
    width: int
    height: int
    sha256: bytes


@dataclass(frozen=True)
class Developed:
    """The pages in order, at least one; `left_out` counts those beyond the limit."""

    pages: tuple[PagePicture, ...]
    left_out: int
