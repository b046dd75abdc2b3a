"""From an honest file to pages, as whoever looks at them sees it."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from lti_tool.core.pictures import Busy, Darkroom, PagePicture
from tests.core.pictures.pictures import (
    BLUE,
    RED,
    SECRETS,
    document,
    looks_like,
    opened,
    photo,
    saved,
    telling_photo,
    two_halves,
)

FORMS = ["JPEG", "PNG", "WEBP", "HEIF"]
WHITE = (255, 255, 255)


@pytest.fixture
def develop(tmp_path: Path):
    """`develop(content)` gives the pages of a file of a misleading name."""
    room = Darkroom()

    def pages(content: bytes, **how: int) -> tuple[PagePicture, ...]:
        source = tmp_path / "upload.txt"
        source.write_bytes(content)
        return room.develop(source, **how).pages

    return pages


@pytest.mark.parametrize("form", FORMS)
def test_a_photo_becomes_one_page(develop, form: str) -> None:
    (page,) = develop(photo(form))

    picture = opened(page.jpeg)
    assert (page.width, page.height) == picture.size == (400, 200)
    assert page.sha256 == hashlib.sha256(page.jpeg).digest()
    assert looks_like(picture.getpixel((50, 100)), RED)
    assert looks_like(picture.getpixel((350, 100)), BLUE)


@pytest.mark.parametrize("form", FORMS)
def test_atk_74_nothing_but_colours_is_left(develop, form: str) -> None:
    told = telling_photo(form)
    assert b"SN-4711" in told

    (page,) = develop(told)

    assert not [secret for secret in SECRETS if secret.lower() in page.jpeg.lower()]
    assert not [key for key in opened(page.jpeg).info if not key.startswith(("jfif", "dpi"))]


def test_atk_74_the_author_of_a_pdf_is_not_told(develop) -> None:
    with pymupdf.open(stream=document()) as made:
        made.set_metadata({"author": "hello ada", "creator": "SN-4711"})
        told = made.tobytes()
    assert b"hello ada" in told

    (page,) = develop(told)

    assert b"hello ada" not in page.jpeg
    assert b"SN-4711" not in page.jpeg


@pytest.mark.parametrize(
    ("orientation", "size", "red_at"),
    [
        (1, (400, 200), (50, 100)),
        (2, (400, 200), (350, 100)),
        (3, (400, 200), (350, 100)),
        (4, (400, 200), (50, 100)),
        (5, (200, 400), (100, 50)),
        (6, (200, 400), (100, 50)),
        (7, (200, 400), (100, 350)),
        (8, (200, 400), (100, 350)),
        (99, (400, 200), (50, 100)),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_what_the_camera_noted_is_turned_upright(
    develop, form: str, orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    (page,) = develop(saved(two_halves(400, 200), form, exif=exif.tobytes()))

    assert (page.width, page.height) == size
    assert looks_like(opened(page.jpeg).getpixel(red_at), RED)


def test_a_broken_note_of_the_camera_is_overlooked(develop) -> None:
    (page,) = develop(saved(two_halves(400, 200), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff"))

    assert (page.width, page.height) == (400, 200)


@pytest.mark.parametrize("form", FORMS)
def test_the_longest_side_is_bounded_and_small_ones_are_not_blown_up(develop, form: str) -> None:
    (large,) = develop(photo(form, 3000, 1500), longest=500)
    (small,) = develop(photo(form, 30, 16), longest=500)

    assert (large.width, large.height) == (500, 250)
    assert looks_like(opened(large.jpeg).getpixel((50, 100)), RED)
    assert (small.width, small.height) == (30, 16)


def test_a_line_of_pixels_is_a_page_all_the_same(develop) -> None:
    (page,) = develop(photo("JPEG", 9000, 1))

    assert (page.width, page.height) == (2000, 1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "PA"])
def test_what_is_transparent_is_white(develop, mode: str) -> None:
    picture = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    picture.paste((*RED, 255), (30, 0, 60, 40))
    content = saved(picture.convert("P") if mode == "P" else picture.convert(mode), _form(mode))

    (page,) = develop(content)

    assert looks_like(opened(page.jpeg).getpixel((8, 20)), WHITE)
    assert not looks_like(opened(page.jpeg).getpixel((50, 20)), WHITE)


def _form(mode: str) -> str:
    return "PNG" if mode != "PA" else "WEBP"


@pytest.mark.parametrize(("mode", "form"), [("1", "PNG"), ("L", "JPEG"), ("CMYK", "JPEG")])
def test_other_ways_to_write_colours_are_read(develop, mode: str, form: str) -> None:
    (page,) = develop(saved(two_halves(60, 40, mode), form))

    assert (page.width, page.height) == (60, 40)


def test_sixteen_bits_of_grey_keep_their_shades(develop) -> None:
    picture = Image.new("I;16", (60, 40), 0x4000)

    (page,) = develop(saved(picture, "PNG"))

    assert looks_like(opened(page.jpeg).getpixel((30, 20)), (0x40, 0x40, 0x40))


def test_a_noisy_page_is_kept_small(develop) -> None:
    noisy = Image.effect_noise((2000, 1500), 30).convert("RGB")

    (page,) = develop(saved(noisy, "JPEG", quality=95))

    assert len(page.jpeg) <= 650_000


def test_a_pdf_becomes_its_pages_in_order(develop) -> None:
    with pymupdf.open() as made:
        for colour in ((1, 0, 0), (0, 0, 1)):
            sheet = made.new_page(width=300, height=200)
            sheet.draw_rect(sheet.rect, fill=colour)
        content = made.tobytes()

    first, second = develop(content)

    assert looks_like(opened(first.jpeg).getpixel((200, 200)), (255, 0, 0))
    assert looks_like(opened(second.jpeg).getpixel((200, 200)), (0, 0, 255))
    assert (first.width, first.height) == (834, 556)  # 200 dots per inch


def test_what_was_written_on_a_pdf_is_drawn(develop) -> None:
    with pymupdf.open(stream=document()) as made:
        note = made[0].add_rect_annot((100, 200, 500, 600))
        note.set_colors(stroke=(1, 0, 0), fill=(1, 0, 0))
        note.update()
        content = made.tobytes()

    (page,) = develop(content)

    assert looks_like(opened(page.jpeg).getpixel((page.width // 2, page.height // 2)), (255, 0, 0))


def test_who_finds_all_slots_taken_is_told_so_and_the_next_one_is_served(tmp_path: Path) -> None:
    source = tmp_path / "photo"
    source.write_bytes(photo())
    room = Darkroom(slots=1, patience=0.01)
    inside, done = threading.Event(), threading.Event()

    def dawdle() -> None:
        with room._slot():
            inside.set()
            done.wait()

    other = threading.Thread(target=dawdle)
    other.start()
    inside.wait()
    with pytest.raises(Busy):
        room.develop(source)
    done.set()
    other.join()

    assert len(room.develop(source).pages) == 1
