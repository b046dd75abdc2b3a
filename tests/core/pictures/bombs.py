"""Files that mean harm, made by code: small to send, and large, endless or false to read."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pymupdf

from tests.core.pictures.pictures import document, photo


def png_of(width: int, height: int, depth: int = 1) -> bytes:
    """A PNG of one grey whose header tells the truth and whose pixels cost next to nothing."""
    row = bytes(1 + (width * depth + 7) // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _END


def png_that_says(width: int, height: int) -> bytes:
    """Only its header."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _END
    )


def png_with_a_novel(megabytes: int) -> bytes:
    """A comment that grows a thousandfold when it is read."""
    text = b"zTXt", b"Comment\0\0" + zlib.compress(bytes(megabytes * 1_000_000), 9)
    head, rest = photo("PNG")[:33], photo("PNG")[33:]
    return head + _chunk(*text) + rest


def _chunk(name: bytes, content: bytes) -> bytes:
    summed = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + summed


_END = _chunk(b"IEND", b"")


def pdf_of(objects: dict[int, bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects; the first is the catalogue."""
    made, places = bytearray(b"%PDF-1.7\n"), {}
    for number, content in objects.items():
        places[number] = len(made)
        made += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(made)
    made += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        made += b"%d 1\n%010d 00000 n \n" % (number, place)
    made += b"trailer\n<</Root 1 0 R/Size %d%s>>\n" % (max(objects) + 1, trailer)
    return bytes(made + b"startxref\n%d\n%%%%EOF\n" % start)


def _stream(content: bytes, filters: int) -> bytes:
    names = b"/FlateDecode" * filters
    return b"<</Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(content), names, content)


CATALOGUE, PAGES = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"


def nested_flate(gigabytes: int) -> bytes:
    """A page whose drawing is packed twice: a few kB become gigabytes of zeros."""
    packer = zlib.compressobj(9)
    million = bytes(1_000_000)
    once = b"".join(packer.compress(million) for _ in range(gigabytes * 1_000)) + packer.flush()
    twice = zlib.compress(once, 9)
    return pdf_of({1: CATALOGUE, 2: PAGES, 3: PAGE, 4: _stream(twice, 2)})


def xref_loop() -> bytes:
    """Each table of contents names itself as the one before."""
    return pdf_of({1: CATALOGUE, 2: PAGES, 3: PAGE, 4: _stream(zlib.compress(b""), 1)}, b"/Prev 9")


def page_tree_loop() -> bytes:
    """A folder of pages that contains itself."""
    return pdf_of({1: CATALOGUE, 2: b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"})


def form_that_draws_itself() -> bytes:
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>"
    drawing = b"/F Do " * 50
    page = PAGE[:-2] + b"/Resources<</XObject<</F 5 0 R>>>>>>"
    content = b"/Length %d>>stream\n%s\nendstream" % (len(drawing), drawing)
    return pdf_of({1: CATALOGUE, 2: PAGES, 3: page, 4: b"<<" + content, 5: form + content})


def deep_outline(depth: int) -> bytes:
    """Arrays within arrays, as deep as a stack cannot be."""
    catalogue = CATALOGUE[:-2] + b"/Names " + b"[" * depth + b"]" * depth + b">>"
    return pdf_of({1: catalogue, 2: PAGES, 3: PAGE, 4: _stream(zlib.compress(b""), 1)})


def locked_pdf() -> bytes:
    with pymupdf.open(stream=document()) as made:
        how = pymupdf.PDF_ENCRYPT_AES_256
        locked: bytes = made.tobytes(encryption=how, user_pw="geheim", owner_pw="geheim")
        return locked


def acting_pdf() -> bytes:
    """JavaScript at the opening, an attachment, a form that sends itself, a program to launch."""
    with pymupdf.open(stream=document()) as made:
        made.embfile_add("virus.exe", b"MZ" + bytes(100))
        field = pymupdf.Widget()
        field.field_name, field.field_type = "name", pymupdf.PDF_WIDGET_TYPE_TEXT
        field.rect, field.field_value = pymupdf.Rect(100, 200, 500, 240), "Ada"
        field.script_calc = "app.launchURL('http://127.0.0.1:1/')"
        made[0].add_widget(field)
        script = "<</S/JavaScript/JS(app.launchURL\\('http://127.0.0.1:1/'\\))>>"
        made.xref_set_key(made.pdf_catalog(), "OpenAction", script)
        launch = "<</O<</S/Launch/F(/bin/sh)>>>>"
        made.xref_set_key(made[0].xref, "AA", launch)
        acting: bytes = made.tobytes()
        return acting


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("photo.jpg", photo())
    return buffer.getvalue()


SVG = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
)
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
EXE = b"MZ\x90\x00" + bytes(200)
PHP = b"<?php system($_GET['c']); ?>"
