"""Reads the markers of a JPEG, to be sure of what a decoder handed out. Pure, decodes nothing.

A JPEG is a row of segments FF xx, most with a length (ITU-T T.81, annex B). Ours have tables,
one frame and one scan; whatever else there is could tell where and by whom a photo was taken.
"""

from __future__ import annotations

_START, _END, _SCAN, _JFIF = 0xD8, 0xD9, 0xDA, 0xE0
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_ALLOWED = frozenset({_JFIF, 0xDB, 0xC4, 0xDD, _SCAN}) | _FRAMES  # tables: DQT, DHT, DRI
_JFIF_LENGTH = 16  # one with a thumbnail is longer


def size_of_plain(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a JPEG that carries nothing but its colours, else None."""
    if jpeg[:2] != bytes((0xFF, _START)) or jpeg[-2:] != bytes((0xFF, _END)):
        return None
    at, size = 2, None
    while at + 4 <= len(jpeg):
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at] != 0xFF or marker not in _ALLOWED or length < 2:
            return None
        if marker == _JFIF and length != _JFIF_LENGTH:
            return None
        if marker in _FRAMES:
            size = _sides(jpeg[at + 4 : at + 2 + length])
        at += 2 + length
        if marker == _SCAN:
            return size if _is_one_scan(jpeg, at) else None
    return None


def _sides(frame: bytes) -> tuple[int, int] | None:
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return (width, height) if width and height else None


def _is_one_scan(jpeg: bytes, at: int) -> bool:
    """Whether from here on there are only colours, and after them the end: within a scan FF is
    followed by 00 or by a restart marker."""
    while (at := jpeg.find(b"\xff", at)) >= 0:
        following = jpeg[at + 1 : at + 2]
        if following == bytes((_END,)):
            return at + 2 == len(jpeg)
        if following != b"\x00" and not b"\xd0" <= following <= b"\xd7":
            return False
        at += 2
    return False
