"""A pupil's first page on a phone: few requests, few bytes, nothing from elsewhere."""

import gzip
import re

import pytest

from tests.classroom import Classroom, open_classroom
from tests.content.browser import TOOL
from tests.visitor import Visitor, judged, open_browsers

BUDGET = 60_000  # bytes, compressed, in all (performance goal P11)
REQUESTS = 6


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture(params=["writing", "waiting", "reading"])
def ada(request: pytest.FixtureRequest, room: Classroom) -> Visitor:
    """At the page as it is at first, while feedback is awaited, and when it is there."""
    if request.param != "writing":
        submission = room.ada.hands_in()
        if request.param == "reading":
            judged(room, submission.id, 2, 2)
    return open_browsers(room).ada()


def resources(html: str) -> list[str]:
    return re.findall(r'<(?:script src|link rel="stylesheet" href|img src)="([^"]*)"', html)


def fetched(ada: Visitor, path: str) -> bytes:
    with ada.client.get(f"{TOOL}{path}") as answer:
        return answer.data


def test_the_first_page_is_small(ada: Visitor):
    html = ada.get("/work/").html
    files = resources(html)

    bodies = [html.encode(), *(fetched(ada, path) for path in files)]

    assert len(bodies) + 1 <= REQUESTS  # with the redirect from the launch
    assert sum(len(gzip.compress(body)) for body in bodies) <= BUDGET


def test_the_page_on_which_one_writes_is_small_and_what_photos_need_comes_after_it(database):
    ada = open_browsers(open_classroom(database)).ada()
    html = ada.get("/work/").html
    files = resources(html)

    bodies = [html.encode(), *(fetched(ada, path) for path in files)]
    later = re.findall(r'data-later="([^"]*)"', html)

    assert len(bodies) + 1 <= REQUESTS
    assert [path.rpartition("/")[2] for path in later] == ["pages.js"]
    bodies += [fetched(ada, path) for path in later]
    assert sum(len(gzip.compress(body)) for body in bodies) <= BUDGET


def test_pages_have_no_script_or_style_of_their_own(ada: Visitor):
    html = ada.get("/work/").html

    assert re.findall(r"<script(?![^>]* src=)", html) == []
    assert re.findall(r"<style| style=| on[a-z]+=", html) == []
    assert all(path.startswith("/static/") for path in resources(html))


def test_what_grows_while_one_waits_has_its_place_already(room: Classroom):
    """Measured in a browser: without it, attempts that stand below move when feedback arrives."""
    room.ada.hands_in()

    page = open_browsers(room).ada().get("/work/")

    assert re.search(r'id="work-state" class="[^"]*\bwaits\b', page.html)
