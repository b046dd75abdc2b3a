"""After the deadline no page comes to a draft that could not be handed in: said at once, and with
what to do. What began in time arrives, however long it travels."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from uuid import UUID

import pytest

from lti_tool.core.clock import utc_now
from lti_tool.launch.secrets import Secrets
from lti_tool.submissions import deadlines
from tests.classroom import Classroom
from tests.content.browser import SECRET, TOOL
from tests.uploads.photos import ids, photo, script, sends
from tests.visitor import Visitor

SENTENCE = "deshalb kommen keine Seiten mehr dazu. Was schon da ist, bleibt als Entwurf."
OVER = timedelta(seconds=61)


def closes(room: Classroom, until: datetime, person_id: UUID | None = None) -> None:
    with room.database.begin(room.curie.actor) as db:
        deadlines.set_deadline(db, room.curie, until, person_id)


def announces(ada: Visitor, size: int):
    return script(ada, "/pages/uploads", data={"name": "a.jpg", "size": size})


def phone_of(browsers, ada: Visitor):
    """A phone that has opened the link, and the link's path."""
    found = re.search(r'data-address="([^"]+)"', ada.post("/pages/phone").html)
    assert found
    phone, path = browsers.app.test_client(), unescape(found[1]).removeprefix(TOOL)
    phone.post(f"{TOOL}{path}")
    return phone, f"{TOOL}/phone/{path.split('/')[2]}"


def test_a_file_after_the_deadline_is_refused_before_it_travels(room: Classroom, ada: Visitor):
    sends(ada, ("a.jpg", photo()))
    closes(room, utc_now() - OVER)

    said = announces(ada, 100)
    whole = sends(ada, ("b.jpg", photo()), ("c.jpg", photo()))

    assert (said.status, whole.status) == (409, 409)
    assert SENTENCE in said.text
    assert whole.text.count(SENTENCE) == 2
    assert "Frag deine Lehrkraft" in said.text
    assert len(room.ada.sees().pages) == 1


def test_within_the_minute_of_grace_pages_are_taken(room: Classroom, ada: Visitor):
    closes(room, utc_now() - timedelta(seconds=30))

    assert announces(ada, 100).status == 201
    assert sends(ada, ("a.jpg", photo())).status == 303
    assert len(ids(ada.get("/work/"))) == 1


def test_what_began_in_time_arrives_after_the_deadline(room: Classroom, ada: Visitor):
    """FLT-72, for photos."""
    jpeg = photo()
    closes(room, utc_now() + timedelta(hours=1))
    upload = announces(ada, len(jpeg)).response.json["id"]
    closes(room, utc_now() - OVER)

    part = script(
        ada, f"/pages/uploads/{upload}?from=0", data=jpeg, kind="application/octet-stream"
    )
    kept = script(ada, f"/pages/uploads/{upload}/finish")

    assert (part.status, kept.status) == (200, 200)
    assert "Was jetzt noch ankam, bleibt als Entwurf" in kept.text
    assert len(room.ada.sees().pages) == 1


def test_who_has_longer_may_still_add_pages(room: Classroom, browsers):
    closes(room, utc_now() - OVER)
    closes(room, utc_now() + timedelta(days=1), room.ada.launch.person_id)

    assert announces(browsers.ada(), 100).status == 201
    assert announces(browsers.ben(), 100).status == 409


def test_a_phone_is_told_too_and_its_pages_are_not_taken(room: Classroom, browsers, ada: Visitor):
    phone, link = phone_of(browsers, ada)
    sends(ada, ("a.jpg", photo()))
    closes(room, utc_now() - OVER)

    shown = phone.get(f"{link}/")
    csrf = Secrets(SECRET).csrf(UUID(link.rsplit("/", 1)[1]))
    sent = phone.post(f"{link}/uploads", data={"csrf": csrf, "name": "a.jpg", "size": 100})

    for answer in (shown, sent):
        assert SENTENCE in unescape(answer.text)
    assert 'type="file"' not in shown.text
    assert "Seiten bisher: 1." in shown.text
    assert "Abgeben kannst du" not in shown.text
    assert sent.status_code == 409


@pytest.mark.parametrize("scripts", [True, False])
def test_there_is_no_link_for_a_phone_that_could_add_nothing(
    room: Classroom, ada: Visitor, scripts: bool
):
    closes(room, utc_now() - OVER)

    page = script(ada, "/pages/phone") if scripts else ada.post("/pages/phone")

    assert page.status == 409
    assert SENTENCE in page.text
    assert "data-address" not in page.html


def test_a_later_deadline_opens_the_draft_again(room: Classroom, ada: Visitor):
    closes(room, utc_now() - OVER)
    assert announces(ada, 100).status == 409

    closes(room, utc_now() + timedelta(hours=1))

    assert announces(ada, 100).status == 201
