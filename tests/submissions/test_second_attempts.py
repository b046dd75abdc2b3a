"""A second attempt: the engine is told of the first, and both sides see what became of advice."""

from dataclasses import replace

import pytest

from feedback_engine.contract import FeedbackDraft, FeedbackRequest, Progress, Told
from lti_tool.core.db import Database
from lti_tool.submissions import review
from lti_tool.submissions.models import Submission
from lti_tool.submissions.review import FeedbackEdit
from tests.classroom import Classroom, FakeEngine, judged, open_classroom
from tests.specs import spec
from tests.visitor import open_browsers

FIRST = "Die Pflanze braucht Licht."
SECOND = "Die Pflanze braucht Licht. Sie macht daraus Energie, die im Zucker steckt."


class Remembering(FakeEngine):
    """Says of the first criterion that its advice was taken up, of the second that it was not."""

    def give_feedback(self, request: FeedbackRequest, *, told: Told | None = None) -> FeedbackDraft:
        draft = super().give_feedback(request, told=told)
        first, second = request.criteria
        became = (Progress(first.id, taken_up=True), Progress(second.id, taken_up=False))
        return replace(draft, progress=became if request.earlier else ())


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


def test_the_engine_is_told_of_the_first_attempt_and_both_see_what_became_of_the_advice(
    room: Classroom,
) -> None:
    engine = Remembering(1, 1)
    ada, curie = open_browsers(room).ada(), open_browsers(room).curie()
    judged(room, engine, room.ada.hands_in(FIRST))
    assert "Rat" not in ada.get("/work/").text

    second = room.ada.hands_in(SECOND, attempt=2)
    told = judged(room, engine, second)

    assert told.earlier is not None
    assert told.earlier.answer == FIRST
    assert [result.level for result in told.earlier.results] == [1, 1]
    assert told.earlier.next_step == "Erkläre, was mit der Energie geschieht."
    page = ada.get("/work/")
    assert page.text.count("Rat übernommen") == 1
    assert page.text.count("Rat noch offen") == 1
    desk = curie.get(f"/overview/work/{second.id}")
    assert desk.text.count("Rat übernommen") == 1
    assert desk.text.count("Rat noch offen") == 1


def test_where_a_level_rose_that_is_said_and_not_the_same_thing_twice(room: Classroom) -> None:
    ada = open_browsers(room).ada()
    judged(room, Remembering(1, 1), room.ada.hands_in(FIRST))
    judged(room, Remembering(2, 1), room.ada.hands_in(SECOND, attempt=2))

    page = ada.get("/work/").text

    assert "höher als beim letzten Versuch" in page
    assert "Rat übernommen" not in page
    assert "Rat noch offen" in page


@pytest.mark.parametrize(("formal", "register"), [(False, "du"), (True, "sie")])
def test_the_engine_is_told_how_the_task_wants_the_pupil_addressed(
    database: Database, formal: bool, register: str
) -> None:
    room = open_classroom(database, spec(formal=formal))

    assert judged(room, FakeEngine(), room.ada.hands_in()).register == register


def test_a_teachers_edit_leaves_what_became_of_the_advice(room: Classroom) -> None:
    judged(room, Remembering(1, 1), room.ada.hands_in(FIRST))
    second = room.ada.hands_in(SECOND, attempt=2)
    judged(room, Remembering(1, 1), second)

    with room.database.begin(room.curie.actor) as db:
        review.edit(
            db,
            room.curie,
            db.get_one(Submission, second.id),
            FeedbackEdit(1, {}, "Gut.", "Weiter.", "Und nun?"),
            release=True,
        )

    feedback = room.ada.sees().newest.feedback
    assert [result.taken_up for result in feedback.results] == [True, False]
