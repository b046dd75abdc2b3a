"""A teacher asks the model once more about work with photos: what they say is judged, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from feedback_engine.errors import EngineFailed
from lti_tool.submissions import review, service
from lti_tool.submissions.review import FeedbackEdit
from lti_tool.submissions.states import State
from tests.classroom import Classroom, open_classroom
from tests.fakes.school import open_school
from tests.uploads.photos import READ, FakeReader, hands_in, photo, sends
from tests.visitor import Visitor, open_browsers
from tests.workbench import Workbench, open_bench

NOTHING_YET = FeedbackEdit(0, {}, "Gut.", "Weiter so.", "")


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def ada_and_bench(room: Classroom, postgres) -> Iterator[tuple[Visitor, Workbench]]:
    browsers = open_browsers(room)
    with open_school() as site:
        bench = open_bench(room, site, postgres)
        bench.files = browsers.app.extensions["uploads"].lab.files
        bench.reader = FakeReader()
        yield browsers.ada(), bench


def asks_again(room: Classroom, edit: FeedbackEdit | None = None) -> None:
    with room.database.begin(room.curie.actor) as db:
        submission = service.find(db, room.curie, room.ada.sees().newest.id)
        if edit is not None:
            review.edit(db, room.curie, submission, edit, release=False)
        review.ask_again(db, room.curie, submission)


def test_what_was_read_is_judged_though_its_pupil_never_looked_through_it(
    room: Classroom, ada_and_bench: tuple[Visitor, Workbench]
):
    """And at once: the hour that the pupil had for it is over with the teacher's word."""
    ada, bench = ada_and_bench
    sends(ada, ("blatt.jpg", photo()))
    hands_in(ada)
    bench.works()
    assert room.ada.sees().newest.state is State.TO_CHECK

    asks_again(room, NOTHING_YET)
    bench.works()

    assert bench.engine.asked[-1].answer == READ


def test_pages_that_nobody_could_read_are_read_first(
    room: Classroom, ada_and_bench: tuple[Visitor, Workbench]
):
    ada, bench = ada_and_bench
    bench.reader.errors = [EngineFailed("unreadable")] * 3
    sends(ada, ("blatt.jpg", photo()))
    hands_in(ada)
    for _ in range(5):
        bench.works()
        bench.a_while_passes(60)
    assert room.ada.sees().newest.state is State.NEEDS_TEACHER

    asks_again(room)
    bench.works()

    assert room.ada.sees().newest.state is State.TO_CHECK
    assert bench.engine.asked == []
