"""A pupil on bad Wi-Fi, in a real browser: no connection when they hand in, and one again later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from lti_tool.core.db import Actor, ActorRole, Database
from lti_tool.submissions.models import Draft, Submission
from tests.classroom import Classroom, open_classroom
from tests.fakes.chromium import CHROMIUM, Tab, open_tab
from tests.faults.web import pupils, url_of, wait_until, web

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

TOOL = "http://gustav.localhost"  # without https only such a name may encrypt in the browser
FIRST = "Pflanzen nehmen Kohlenstoffdioxid auf"
MORE = " und geben Sauerstoff ab. Ümläute, 😀 und العربية bleiben."
BANNER = "document.querySelector('[data-draft-banner]')"
IN_SIGHT = f"(({BANNER}).getBoundingClientRect().top >= 0) && !({BANNER}).hidden"
HANDS_IN = "document.querySelector('form[data-draft] .btn-primary').click()"


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


@dataclass(frozen=True)
class Writer:
    """Somebody at the task, in a browser; and what the database has of them."""

    tab: Tab
    database: Database
    actor: Actor

    def drafts(self) -> list[str]:
        with self.database.begin(self.actor) as db:
            return list(db.scalars(select(Draft.text)))

    def handed_in(self) -> list[str]:
        with self.database.begin(self.actor) as db:
            return list(db.scalars(select(Submission.answer)))


@pytest.fixture(params=[360, 1280], ids=["phone", "laptop"])
def ada(request: pytest.FixtureRequest, room: Classroom) -> Iterator[Writer]:
    school = room.school
    with web(url_of(room.database), GUSTAV_BASE_URL=TOOL) as (address, _):
        (ada,) = pupils(room, address, 1)
        actor = Actor(ActorRole.LEARNER, school.platform_id, school.bio, ada.person_id)
        name, _, secret = ada.browser.cookie.partition("=")
        host = urlsplit(TOOL).hostname
        with open_tab(width=request.param, hosts=f"MAP {host}:80 127.0.0.1:{address[1]}") as tab:
            tab.call("Network.setCookie", name=name, value=secret, url=TOOL + ada.path)
            tab.opens(TOOL + ada.path)
            yield Writer(tab, room.database, actor)


def test_flt_8_offline_while_handing_in_and_online_again_later(ada: Writer):
    tab = ada.tab
    tab.types("textarea[name=text]", FIRST)
    wait_until(lambda: ada.drafts() == [FIRST])

    tab.is_offline(True)
    tab.types("textarea[name=text]", MORE)
    tab.sees(HANDS_IN)
    tab.waits_for(f"!({BANNER}).hidden")

    assert "Du bist offline, und es ist noch nichts abgegeben." in tab.sees(f"{BANNER}.textContent")
    assert tab.sees(IN_SIGHT)
    assert tab.sees("document.documentElement.scrollWidth <= innerWidth")
    assert tab.sees("document.querySelector('textarea').value") == FIRST + MORE
    assert ada.drafts() == [FIRST]

    tab.is_offline(False)
    wait_until(lambda: ada.drafts() == [FIRST + MORE])
    tab.waits_for(f"({BANNER}).hidden")
    assert ada.handed_in() == []  # nothing is handed in by itself
    tab.sees(HANDS_IN)
    tab.waits_for("document.body.innerText.includes('Abgegeben um')")

    assert ada.handed_in() == [FIRST + MORE]
