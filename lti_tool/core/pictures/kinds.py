"""Which kind of file it is, by its first bytes alone; names and declared types count nothing."""

from __future__ import annotations

from enum import StrEnum

import filetype

HEAD = 8192  # bytes; more than any of the signatures needs


class Kind(StrEnum):
    """What the decoder can read. The values are Pillow's names, besides PDF."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    HEIC = "HEIF"
    PDF = "PDF"


_BY_MIME = {
    "image/jpeg": Kind.JPEG,
    "image/png": Kind.PNG,
    "image/apng": Kind.PNG,  # of moving pictures the first frame is taken
    "image/webp": Kind.WEBP,
    "application/pdf": Kind.PDF,
}

# Still pictures in HEVC, of 8 and of more bits (ISO/IEC 23008-12); filetype knows the first only.
_HEIF_BRANDS = frozenset({b"heic", b"heix"})


def kind_of(head: bytes) -> Kind | None:
    """None for everything that is none of ours. A promise only: decoding has to confirm it."""
    if _is_heif(head):
        return Kind.HEIC
    kind = _BY_MIME.get(filetype.guess_mime(head) or "")
    if kind is Kind.PDF and not head.startswith(b"%PDF-"):
        return None
    return kind


def _is_heif(head: bytes) -> bool:
    """By the first box: its length, `ftyp`, a brand, a version, more brands."""
    if head[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(head[:4], "big"), 256)
    return not _HEIF_BRANDS.isdisjoint(head[at : at + 4] for at in (8, *range(16, end, 4)))
