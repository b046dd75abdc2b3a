"""Reads photos and PDFs and writes them anew as JPEGs that carry nothing but their colours.

Loaded by `child` only, in a process that may crash; nothing else may import it. Each decoder is
imported by the kind that needs it, because loading is a good part of what a small photo costs.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image

if TYPE_CHECKING:
    import pymupdf

MOST_PIXELS = 50_000_000
DOTS_PER_POINT = 200 / 72  # a PDF page is drawn with 200 dots per inch, if it is not too large
PAGE_BYTES = 650_000  # what a stored page should not exceed by much
QUALITIES = (82, 65, 45, 30)
WHITE = (255, 255, 255)

_ORIENTATION = 0x0112  # EXIF 2.32, tag 274, and how each of its values becomes upright
_UPRIGHT = 1
_BROKEN_NOTE = (ArithmeticError, LookupError, OSError, SyntaxError, TypeError, ValueError)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# We count ourselves, before anything is decoded; Pillow would only warn.
Image.MAX_IMAGE_PIXELS = None


class CannotRead(Exception):
    """`reason` is one of the reasons that `child` knows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def open_pages(
    source: BinaryIO, kind: str, most_pages: int, longest: int
) -> tuple[int, Iterable[bytes]]:
    """How many pages are left out, and the others as JPEGs. Raises CannotRead, or anything."""
    if kind == "PDF":
        return _open_pdf(source, most_pages, longest)
    return 0, [_developed(source, kind, longest)]


def _developed(source: BinaryIO, kind: str, longest: int) -> bytes:
    """One photo; of moving pictures the first frame."""
    if kind == "HEIF":
        _know_heif()
    with Image.open(source, formats=[kind]) as photo:
        if photo.width * photo.height > MOST_PIXELS:
            raise CannotRead("too_many_pixels")
        # A large JPEG is decoded at half the size or less, which is most of the work saved.
        photo.draft(None, (longest, longest))
        photo.load()
        turn = _TURNS.get(_orientation(photo))
        small = _shrunk(_plain_mode(photo), longest)
    return _jpeg(small if turn is None else small.transpose(turn))


def _know_heif() -> None:
    import pillow_heif  # noqa: PLC0415

    # Several would only wait for one another on a school's server.
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)


def _plain_mode(photo: Image.Image) -> Image.Image:
    """As RGB, RGBA or L, which can be shrunk well. 16 bits of grey would be cut off, not scaled."""
    if photo.mode.startswith("I"):
        # PNG keeps 16 bits in a mode of 32; what lies above is white.
        return photo.point(lambda value: value / 256).convert("L")
    if photo.has_transparency_data:
        return photo if photo.mode == "RGBA" else photo.convert("RGBA")
    return photo if photo.mode in ("RGB", "L") else photo.convert("RGB")


def _shrunk(photo: Image.Image, longest: int) -> Image.Image:
    scale = longest / max(photo.size)
    if scale >= 1:
        return photo
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return photo.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _orientation(photo: Image.Image) -> int:
    """As the camera noted it; a broken note is no reason to refuse the photo."""
    try:
        noted: int = photo.getexif().get(_ORIENTATION, _UPRIGHT)
    except (*_BROKEN_NOTE, struct.error):
        return _UPRIGHT
    return noted


def _jpeg(picture: Image.Image) -> bytes:
    """On white and into a picture of its own: what the old one knew besides colours stays there."""
    fresh = Image.new("RGB", picture.size, WHITE)
    fresh.paste(picture, mask=picture if picture.mode == "RGBA" else None)
    encoded = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        fresh.save(buffer, "JPEG", quality=quality)
        encoded = buffer.getvalue()
        if len(encoded) <= PAGE_BYTES:
            break
    return encoded


def _open_pdf(source: BinaryIO, most_pages: int, longest: int) -> tuple[int, Iterable[bytes]]:
    import pymupdf  # noqa: PLC0415

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    document = pymupdf.open(stream=source.read(), filetype="pdf")
    # It believes the content more than us: HTML and SVG open as well.
    if not document.is_pdf:
        raise CannotRead("not_a_picture")
    if document.needs_pass:
        raise CannotRead("locked")
    count = document.page_count
    if count < 1:
        raise CannotRead("damaged")
    return max(0, count - most_pages), _drawn(document, min(count, most_pages), longest)


def _drawn(document: pymupdf.Document, count: int, longest: int) -> Iterator[bytes]:
    for number in range(count):
        yield _jpeg(_drawn_page(document.load_page(number), longest))


def _drawn_page(page: pymupdf.Page, longest: int) -> Image.Image:
    """With comments and filled-in fields as they look; nothing in it is followed or run."""
    import pymupdf  # noqa: PLC0415

    side = max(page.rect.width, page.rect.height)
    if not side > 0:
        raise CannotRead("damaged")
    # A pixel less, because the drawn page is rounded up to whole pixels.
    scale = min(DOTS_PER_POINT, (longest - 1) / side)
    drawn = page.get_pixmap(
        matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False, annots=True
    )
    size = (drawn.width, drawn.height)
    return Image.frombuffer("RGB", size, drawn.samples_mv, "raw", "RGB", 0, 1)
