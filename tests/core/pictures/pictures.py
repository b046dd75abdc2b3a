"""Photos and PDFs made by code: honest ones, and what they can carry."""

from __future__ import annotations

import io

import pillow_heif
import pymupdf
from PIL import Image
from PIL.PngImagePlugin import PngInfo

RED, BLUE = (220, 30, 30), (30, 30, 220)
SECRETS = (b"Exif", b"GPS", b"http://ns.adobe.com/xap", b"SN-4711", b"ICC_PROFILE", b"hello ada")


def two_halves(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture.convert(mode)


def saved(picture: Image.Image, form: str, **how: object) -> bytes:
    if form == "HEIF":
        pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    picture.save(buffer, form, **how)
    return buffer.getvalue()


def photo(form: str = "JPEG", width: int = 400, height: int = 200) -> bytes:
    return saved(two_halves(width, height), form)


def telling_photo(form: str) -> bytes:
    """With everything that tells where, when and with which device it was taken."""
    exif = Image.Exif()
    exif[0x010F], exif[0xA431] = "Handy", "SN-4711"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)}
    xmp = b'<x:xmpmeta xmlns:x="http://ns.adobe.com/xap/1.0/">SN-4711</x:xmpmeta>'
    how: dict[str, object] = {"exif": exif.tobytes(), "icc_profile": b"ICC_PROFILE" + bytes(128)}
    if form in ("JPEG", "WEBP", "HEIF"):
        how["xmp"] = xmp
    if form == "JPEG":
        how["comment"] = b"hello ada"
    if form == "PNG":
        how["pnginfo"] = notes = PngInfo()
        notes.add_text("Comment", "hello ada")
        notes.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return saved(two_halves(400, 200), form, **how)


def document(pages: int = 1, text: str = "Seite", width: float = 595, height: float = 842) -> bytes:
    with pymupdf.open() as made:
        for number in range(pages):
            made.new_page(width=width, height=height).insert_text((72, 72), f"{text} {number + 1}")
        return made.tobytes()


def opened(jpeg: bytes) -> Image.Image:
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
        picture.load()
        return picture


def looks_like(colour: tuple[int, ...], wanted: tuple[int, int, int]) -> bool:
    """JPEG does not keep colours exactly."""
    return all(abs(one - other) < 25 for one, other in zip(colour, wanted, strict=True))
