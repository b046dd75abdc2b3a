"""Files that mean harm: each is refused with its reason or becomes harmless pages, and the next
file is read as if nothing had been."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from lti_tool.core.pictures import Darkroom, Developed, Limits, PictureRefused, Unreadable
from lti_tool.core.pictures.decoder import open_pages
from tests.core.pictures import bombs
from tests.core.pictures.pictures import document, photo, saved, two_halves

Develop = Callable[..., Developed]


@pytest.fixture
def develop(tmp_path: Path):
    """Afterwards, whatever happened, the same darkroom reads an honest file of that kind."""
    room, read = Darkroom(limits=Limits(cpu=5)), []

    def pages(content: bytes, **how: int) -> Developed:
        read.append(content[:5])
        source = tmp_path / "upload.jpg"
        source.write_bytes(content)
        return room.develop(source, **how)

    yield pages
    honest = document() if b"%PDF-" in read else photo()
    assert len(pages(honest).pages) == 1


def refused(develop: Develop, content: bytes) -> Unreadable:
    with pytest.raises(PictureRefused) as told:
        develop(content)
    return told.value.reason


@pytest.mark.parametrize(
    "content",
    [
        bombs.SVG,
        bombs.HTML,
        bombs.archive(),
        bombs.EXE,
        bombs.PHP,
        b"%PDF-1.7",  # ATK-64 too: none of what follows is on the list
        saved(two_halves(9, 9), "GIF"),
        saved(two_halves(9, 9), "TIFF"),
        saved(two_halves(9, 9), "BMP"),
        saved(two_halves(16, 16), "ICO"),
        saved(two_halves(9, 9), "PPM"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"x",
        b"\xff",
        bytes(10_000),
    ],
    ids=str,
)
def test_atk_63_what_only_says_that_it_is_a_picture_is_none(
    develop: Develop, content: bytes
) -> None:
    wanted = {Unreadable.NOT_A_PICTURE, Unreadable.DAMAGED}

    assert refused(develop, content) in wanted


def test_atk_64_html_behind_the_mark_of_a_pdf_is_not_opened(develop: Develop) -> None:
    assert refused(develop, b"%PDF-1.7\n" + bombs.HTML) is Unreadable.DAMAGED


def test_atk_63_of_a_picture_that_is_a_pdf_as_well_only_the_picture_is_left(
    develop: Develop,
) -> None:
    (page,) = develop(photo() + document(3)).pages

    assert b"%PDF" not in page.jpeg
    assert page.width == 400


def test_atk_63_of_a_picture_that_is_an_archive_as_well_only_the_picture_is_left(
    develop: Develop,
) -> None:
    (page,) = develop(photo() + bombs.archive()).pages

    assert b"PK\x03\x04" not in page.jpeg


def test_atk_65_an_empty_file_is_told_as_empty(develop: Develop) -> None:
    assert refused(develop, b"") is Unreadable.EMPTY


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_atk_65_a_picture_that_ends_too_early_is_damaged(
    develop: Develop, form: str, part: float
) -> None:
    whole = saved(Image.effect_noise((300, 300), 90), form)

    assert refused(develop, whole[: int(len(whole) * part)]) is Unreadable.DAMAGED


def test_atk_65_a_picture_behind_another_mark_is_not_decoded() -> None:
    """Only the one format is tried that the first bytes promise, whatever else Pillow knows."""
    with pytest.raises(UnidentifiedImageError):
        open_pages(io.BytesIO(photo("PNG")), "JPEG", 30, 2000)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bombs.png_that_says(65_535, 65_535), id="65535² in its header"),
        pytest.param(bombs.png_of(20_000, 20_000), id="20000² of one bit"),
        pytest.param(bombs.png_of(7_072, 7_072), id="a little more than allowed"),
    ],
)
def test_atk_66_too_many_pixels_are_counted_before_any_is_read(
    develop: Develop, content: bytes
) -> None:
    assert refused(develop, content) is Unreadable.TOO_MANY_PIXELS


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_atk_66_as_many_as_are_allowed_fit_into_the_limits(develop: Develop, form: str) -> None:
    how = {"quality": 50, "method": 0} if form == "WEBP" else {}

    (page,) = develop(saved(Image.new("RGB", (8_000, 6_250)), form, **how)).pages

    assert (page.width, page.height) == (2000, 1562)


def test_atk_66_of_a_moving_picture_the_first_frame_is_taken(develop: Develop) -> None:
    frames = [Image.new("RGB", (40, 40), (number, 0, 0)) for number in range(200)]

    for form in ("PNG", "WEBP"):
        moving = saved(frames[0], form, save_all=True, append_images=frames[1:])
        assert len(develop(moving).pages) == 1


def test_atk_66_a_comment_that_explodes_is_refused(develop: Develop) -> None:
    assert refused(develop, bombs.png_with_a_novel(100)) is Unreadable.DAMAGED


def test_atk_68_of_five_thousand_pages_thirty_are_drawn_and_the_rest_is_told(
    develop: Develop,
) -> None:
    developed = develop(document(5_000), longest=100)

    assert (len(developed.pages), developed.left_out) == (30, 4_970)


def test_atk_68_a_page_as_large_as_a_wall_is_drawn_small(develop: Develop) -> None:
    (page,) = develop(document(width=200 * 72, height=200 * 72)).pages

    assert max(page.width, page.height) <= 2000


def test_atk_68_a_table_of_contents_that_names_itself_ends(develop: Develop) -> None:
    _ends(develop, bombs.xref_loop())


def test_atk_69_gigabytes_from_a_few_bytes_end(develop: Develop) -> None:
    content = bombs.nested_flate(2)
    assert len(content) < 100_000

    _ends(develop, content)


@pytest.mark.parametrize(
    "content",
    [bombs.page_tree_loop(), bombs.form_that_draws_itself(), bombs.deep_outline(200_000)],
    ids=["pages within themselves", "a form that draws itself", "a deep outline"],
)
def test_atk_70_what_contains_itself_ends(develop: Develop, content: bytes) -> None:
    _ends(develop, content)


def _ends(develop: Develop, content: bytes) -> None:
    """In pages or in a refusal, but in nothing else."""
    try:
        developed = develop(content)
    except PictureRefused:
        return
    assert len(developed.pages) == 1


def test_atk_71_a_pdf_with_a_password_is_told_as_locked(develop: Develop) -> None:
    assert refused(develop, bombs.locked_pdf()) is Unreadable.LOCKED


def test_atk_71_scripts_attachments_and_forms_are_only_drawn(develop: Develop) -> None:
    content = bombs.acting_pdf()
    assert b"/JavaScript" in content
    assert b"virus.exe" in content

    (page,) = develop(content).pages

    for word in (b"JavaScript", b"virus.exe", b"MZ\x00\x00", b"launchURL"):
        assert word not in page.jpeg


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_atk_76_xml_is_dropped_unread(develop: Develop, form: str) -> None:
    (page,) = develop(saved(two_halves(40, 40), form, exif=b"Exif\0\0" + bombs.LAUGHS)).pages
    (other,) = develop(saved(two_halves(40, 40), "JPEG", xmp=bombs.LAUGHS)).pages

    assert b"ENTITY" not in page.jpeg + other.jpeg
    assert refused(develop, bombs.LAUGHS) is Unreadable.NOT_A_PICTURE
