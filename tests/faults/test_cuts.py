"""The connection cut at every byte of a submission: none lost, none doubled, the page says true.

FLT-12 from both ends: at every byte of the request, and at every byte of the answer. Then the
pupil's browser sends the same form again, as it does when somebody reloads.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from PIL import Image
from sqlalchemy import select

from lti_tool import invariants
from lti_tool.launch.secrets import Secrets
from lti_tool.submissions.models import Submission
from tests.classroom import Classroom, open_classroom
from tests.entrance import SECRET
from tests.fakes.fault_proxy import FaultProxy, Line
from tests.faults.web import BYTES, FORM, Pupil, Reached, Unanswered, pupils, url_of, web
from tests.specs import FOTOSYNTHESE

MOST_ATTEMPTS = 20  # that a task may allow
AT_ONCE = 4
TEXT = "Licht: Energie ✓"


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database, replace(FOTOSYNTHESE, max_attempts=MOST_ATTEMPTS))


@pytest.fixture
def address(room: Classroom) -> Iterator[Reached]:
    with web(url_of(room.database)) as (address, _):
        yield address


def cut(pupil: Pupil, attempt: int, line: Line, proxy: FaultProxy) -> None:
    """One submission over a line that breaks, and the same form again."""
    form = pupil.form(attempt, f"{TEXT} {attempt}")
    proxy.line = line
    try:
        told = pupil.browser.sends(form, at=("127.0.0.1", proxy.port)).is_receipt
    except Unanswered:
        told = False
    if told:
        assert shows(pupil.page(), attempt), line
    again = pupil.browser.sends(form)
    assert again.is_receipt, (line, again.status)


def shows(page: str, attempt: int) -> bool:
    """Whether this attempt stands on the page as handed in."""
    return f"{TEXT} {attempt}\n" in page.replace("</div>", "\n").replace("</p>", "\n")


def cut_all(crowd: list[Pupil], address: Reached, lines: list[Line]) -> None:
    """Each pupil has as many cuts as attempts."""
    shares = [lines[at : at + MOST_ATTEMPTS] for at in range(0, len(lines), MOST_ATTEMPTS)]

    def suffers(pupil: Pupil, share: list[Line]) -> None:
        with FaultProxy(address) as proxy:
            for attempt, line in enumerate(share, start=1):
                cut(pupil, attempt, line, proxy)
        assert shows(pupil.page(), len(share))

    with ThreadPoolExecutor(AT_ONCE) as together:
        list(together.map(suffers, crowd, shares))


def all_is_kept_once(room: Classroom, crowd: list[Pupil]) -> None:
    assert kept(room) == Counter(item for pupil in crowd for item in pupil.sent.items())
    assert invariants.check(room.database.begin, [room.school.platform_id]) == []


def kept(room: Classroom) -> Counter:
    with room.database.begin(room.service) as db:
        rows = db.execute(select(Submission.client_key, Submission.answer))
        return Counter((row.client_key, row.answer) for row in rows)


def test_flt_12_a_request_cut_at_every_byte(room: Classroom, address: Reached):
    crowd = pupils(room, address, 60)
    length = len(replace(crowd[0], sent={}).form(1, f"{TEXT} 20"))

    cut_all(crowd, address, [Line(ask_ends=at) for at in range(length + 1)])

    all_is_kept_once(room, crowd)


def test_flt_12_an_answer_cut_at_every_byte(room: Classroom, address: Reached):
    first, *crowd = pupils(room, address, 80)
    length = len(first.browser.raw(first.form(1)))

    cut_all(crowd, address, [Line(answer_ends=at) for at in range(length + 1)])

    all_is_kept_once(room, [first, *crowd])


def test_flt_13_a_photo_over_a_slow_line_that_breaks_at_nine_tenths(
    room: Classroom, address: Reached
):
    """The part is not there, and no file of it; sent again, it is a page."""
    (ada,) = pupils(room, address, 1)
    photo = a_photo()
    token = Secrets(SECRET).csrf(ada.session_id)
    pages = ada.path.replace("/work/", "/pages/")

    def asks(path: str, body: bytes = b"", kind: str = FORM) -> bytes:
        return ada.browser.request("POST", pages + path, body, kind, token)

    announced = urlencode({"name": "a.jpg", "size": len(photo)}).encode()
    upload = json.loads(ada.browser.sends(asks("uploads", announced)).body)["id"]
    part = asks(f"uploads/{upload}?from=0", photo, BYTES)

    with FaultProxy(address) as proxy:
        proxy.line = Line(rate=2_000_000, ask_ends=len(part) - len(photo) // 10)
        with pytest.raises(Unanswered):
            ada.browser.sends(part, at=("127.0.0.1", proxy.port))

    there = ada.browser.get(f"{pages}uploads/{upload}").body
    assert json.loads(there) == {"received": 0}
    assert json.loads(ada.browser.sends(part).body) == {"received": len(photo)}
    done = ada.browser.sends(asks(f"uploads/{upload}/finish"))
    assert done.status == 200
    assert len(set(re.findall(r"[0-9a-f-]{36}\.jpg", done.body))) == 1


def a_photo() -> bytes:
    kept = io.BytesIO()
    Image.effect_noise((600, 800), 60).save(kept, "JPEG")
    return kept.getvalue()
