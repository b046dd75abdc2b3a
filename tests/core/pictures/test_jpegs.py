"""The rule that looks at each page once more, on real JPEGs with one thing added."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from lti_tool.core.pictures.jpegs import size_of_plain

BUFFER = io.BytesIO()
Image.effect_noise((60, 40), 50).convert("RGB").save(BUFFER, "JPEG")
PLAIN = BUFFER.getvalue()


def with_segment(marker: int, content: bytes) -> bytes:
    segment = bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content
    return PLAIN[:2] + segment + PLAIN[2:]


def test_a_plain_one_tells_its_size() -> None:
    assert size_of_plain(PLAIN) == (60, 40)


@pytest.mark.parametrize(
    "jpeg",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        PLAIN[:-2],
        PLAIN + b"PK\x03\x04",
        PLAIN + b"PK\x03\x04\xff\xd9",
        PLAIN + PLAIN,
        with_segment(0xE1, b"Exif\0\0"),
        with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
        with_segment(0xE2, b"ICC_PROFILE\0"),
        with_segment(0xED, b"Photoshop 3.0\0"),
        with_segment(0xFE, b"hello"),
        with_segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\2\2" + bytes(12)),
        PLAIN[:2] + b"\xff\xdb\x00\x00" + PLAIN[2:],
        b"\x89PNG" + PLAIN,
    ],
)
def test_anything_else_is_none(jpeg: bytes) -> None:
    assert size_of_plain(jpeg) is None


def test_no_part_of_one_and_no_bytes_bring_it_down() -> None:
    for end in range(len(PLAIN)):
        assert size_of_plain(PLAIN[:end]) is None
        size_of_plain(PLAIN[:end] + b"\xff\xd9")
