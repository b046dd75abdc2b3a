"""Whatever bytes arrive on a pupil's way, the answer is one of ours: a page, or a sentence that
says no."""

from __future__ import annotations

from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.core.db import Database
from lti_tool.core.errors import Invalid
from lti_tool.core.pictures.jpegs import size_of_plain
from lti_tool.core.pictures.kinds import HEAD, Kind, kind_of
from lti_tool.launch.session import SESSION_COOKIE
from lti_tool.live.door import session_cookie
from lti_tool.submissions import forms
from tests.classroom import open_classroom
from tests.uploads.photos import photo, script
from tests.visitor import Visitor, open_browsers

STARTS = (
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    b"\x00\x00\x00\x18ftypheic",
    b"\xff\xff\xff\xffftypmif1heic",
    b"%PDF-1.7\n",
    b"\xef\xbb\xbf%PDF-1.7\n",
    b"PK\x03\x04",
    b"<svg",
    b"",
)
HEADS = st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary(max_size=64))
# Often with what no database keeps: NUL, and one half of a surrogate pair.
TEXT = st.text(st.sampled_from("\x00\ud800\r\nä😀") | st.characters(), max_size=40)
NUMBER = st.integers(-1, 2**70).map(str) | st.sampled_from(["²", "١", "1.5", ""])
VALUE = TEXT | NUMBER | st.uuids().map(str)
NAMES, COUNTS = ("client_key", "name", "by"), ("attempt", "version", "turn", "size")
FIELDS = st.fixed_dictionaries(
    {"text": TEXT}, optional=dict.fromkeys(NAMES, VALUE) | dict.fromkeys(COUNTS, NUMBER)
)
CORRECTIONS = st.dictionaries(st.builds("page-{}".format, st.uuids() | TEXT), TEXT)
ANY_ID = uuid4()
PLACES = st.sampled_from(
    [
        "/work/",
        "/work/draft",
        f"/work/attempts/{ANY_ID}/reading",
        "/pages/",
        "/pages/uploads",
        f"/pages/uploads/{ANY_ID}/finish",
        f"/pages/{ANY_ID}/move",
    ]
)
KINDS = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-16",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json",
        "application/octet-stream",
        "\x7f",
        "",
    ]
)
BODIES = (
    st.binary(max_size=200)
    | FIELDS.map(lambda fields: urlencode(fields, errors="surrogatepass").encode())
    | st.binary(max_size=80).map(
        lambda inside: (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            + inside
            + b"\r\n--x--\r\n"
        )
    )
)


@given(HEADS)
def test_a_file_is_of_one_of_five_kinds_or_of_none(head: bytes) -> None:
    kind = kind_of(head[:HEAD])

    assert kind is None or kind in Kind
    assert kind is not Kind.PDF or head.startswith(b"%PDF-")


GOOD = photo()
SIDES = GOOD.index(b"\xff\xc0") + 5  # of its frame: two bytes for each (ITU-T T.81, B.2.2)


@given(
    st.binary(max_size=12) | st.just(b"\0\0"),
    st.integers(0, len(GOOD)) | st.integers(SIDES, SIDES + 2),
    st.integers(0, 4),
)
def test_what_a_decoder_hands_out_is_a_plain_jpeg_or_refused(
    foreign: bytes, at: int, instead: int
) -> None:
    """A good one, into which something has got."""
    size = size_of_plain(GOOD[:at] + foreign + GOOD[at + instead :])

    assert size is None or min(size) > 0


@given(FIELDS)
def test_a_form_is_read_or_refused_and_what_is_read_can_be_kept(fields: dict[str, str]) -> None:
    try:
        draft = forms.read_draft(fields)
    except Invalid:
        return

    assert "\x00" not in draft.text
    assert draft.text.encode().decode() == draft.text
    assert 0 <= draft.version < 2**63
    assert 0 <= draft.turn < 2**31


@given(CORRECTIONS)
def test_corrections_are_read_or_refused(fields: dict[str, str]) -> None:
    try:
        read = forms.read_corrections(fields)
    except Invalid:
        return

    assert all("\x00" not in text and text == text.encode().decode() for text in read.values())


COOKIE_HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"cookie", b"Cookie", b"x"]),
        st.binary(max_size=60)
        | st.binary(max_size=20).map(lambda value: SESSION_COOKIE.encode() + b"=" + value),
    ),
    max_size=4,
)


@given(COOKIE_HEADERS)
def test_a_live_page_proves_itself_with_a_cookie_or_with_none(
    headers: list[tuple[bytes, bytes]],
) -> None:
    secret = session_cookie(headers)

    assert secret is None or isinstance(secret, str)


@pytest.fixture
def ada(database: Database) -> Visitor:
    return open_browsers(open_classroom(database)).ada()


# The same pupil sends all of it: nothing has to be as it was before.
ALL_BY_ONE = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ALL_BY_ONE
@given(PLACES, KINDS, BODIES)
def test_any_bytes_at_any_place_are_answered(ada: Visitor, place: str, kind: str, body: bytes):
    assert script(ada, place, kind=kind, data=body).status < 500


@ALL_BY_ONE
@given(TEXT | NUMBER, st.binary(max_size=40))
def test_any_part_of_a_file_is_answered(ada: Visitor, offset: str, piece: bytes):
    told = script(ada, "/pages/uploads", data={"name": "a.jpg", "size": "30"}).response
    upload = told.json["id"] if told.status_code == 201 else ANY_ID
    place = f"/pages/uploads/{upload}?from={quote(offset, errors='surrogatepass')}"

    assert script(ada, place, kind="application/octet-stream", data=piece).status < 500
    assert script(ada, f"/pages/uploads/{upload}/finish").status < 500
