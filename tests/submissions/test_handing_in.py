"""A pupil writes and hands in: nothing lost, nothing doubled, never more than allowed."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import select

from lti_tool.core.db import WORKER
from lti_tool.core.errors import Invalid, NotFound
from lti_tool.core.jobs import Job, JobKind, JobState
from lti_tool.submissions import drafts, service
from lti_tool.submissions.drafts import Typed
from lti_tool.submissions.models import ANSWER_LIMIT
from lti_tool.submissions.service import Problem
from lti_tool.submissions.states import State
from tests.classroom import ANSWER, Classroom, open_classroom


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


def test_a_handed_in_answer_is_kept_and_waits_for_feedback(room: Classroom):
    submission = room.ada.hands_in()

    work = room.ada.sees()
    assert [(s.answer, s.state, s.attempt) for s in work.submissions] == [
        (ANSWER, State.HANDED_IN, 1)
    ]
    assert work.line is not None
    assert work.line.ahead == 0
    with room.database.begin(WORKER) as db:
        job = db.scalars(select(Job)).one()
    assert (job.kind, job.subject_id, job.state) == (
        JobKind.GIVE_FEEDBACK,
        submission.id,
        JobState.WAITING,
    )


def test_the_place_in_line_counts_those_before(room: Classroom):
    room.ben.hands_in()
    room.ada.hands_in()

    assert room.ada.sees().line.ahead == 1


def test_a_resend_finds_its_first_sending(room: Classroom):
    """FLT-6: a page that was gone back to, or loaded again."""
    key = uuid4()
    first = room.ada.writes(key=key)

    again = room.ada.writes(key=key)

    assert again.submission is not None
    assert again.submission.id == first.submission.id
    assert len(room.ada.sees().submissions) == 1


def test_twenty_taps_at_once_hand_in_once(room: Classroom):
    """FLT-5."""
    key = uuid4()

    with ThreadPoolExecutor(8) as taps:
        outcomes = list(taps.map(lambda _: room.ada.writes(key=key), range(20)))

    assert len({outcome.submission.id for outcome in outcomes}) == 1
    assert len(room.ada.sees().submissions) == 1


def test_ten_parallel_requests_never_pass_the_limit_of_attempts(room: Classroom):
    """ATK-109."""
    with ThreadPoolExecutor(10) as tabs:
        list(tabs.map(lambda n: room.ada.writes(f"Text {n}", attempt=1 + n % 4), range(10)))
    for attempt in (1, 2, 3, 4):
        room.ada.writes(f"Nachzügler {attempt}", attempt=attempt)

    assert [s.attempt for s in room.ada.sees().submissions] == [3, 2, 1]


def test_a_text_that_comes_after_the_last_attempt_stays_as_the_draft(room: Classroom):
    for attempt in (1, 2, 3):
        room.ada.hands_in(attempt=attempt)

    late = room.ada.writes("Noch besser", attempt=4)

    assert late.problem is Problem.ATTEMPTS_USED
    assert room.ada.sees().draft.text == "Noch besser"


def test_the_second_of_two_tabs_is_told_and_loses_nothing(room: Classroom):
    """FLT-7."""
    room.ada.hands_in("Aus dem ersten Tab")

    second = room.ada.writes("Aus dem zweiten Tab")

    assert second.problem is Problem.OTHER_TAB
    work = room.ada.sees()
    assert [s.answer for s in work.submissions] == ["Aus dem ersten Tab"]
    assert work.draft.text == "Aus dem zweiten Tab"


def test_a_changed_text_under_an_old_key_is_not_taken_for_the_old_one(room: Classroom):
    key = uuid4()
    room.ada.writes("Zuerst", key=key)

    outcome = room.ada.writes("Zurückgegangen und geändert", key=key)

    assert outcome.problem is Problem.HANDED_IN_ALREADY
    assert room.ada.sees().draft.text == "Zurückgegangen und geändert"


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), (" \n\t", "empty"), ("x" * (ANSWER_LIMIT + 1), "too_long")]
)
def test_what_cannot_be_an_answer_is_refused_with_a_code(room: Classroom, text, code):
    with pytest.raises(Invalid) as refused:
        room.ada.writes(text)

    assert refused.value.problems == {"answer": code}


def test_a_draft_is_kept_while_typing_and_gone_after_handing_in(room: Classroom):
    with room.database.begin(room.ada.launch.actor) as db:
        first = drafts.save(db, room.ada.launch, Typed("Die Pfl", 0))
    with room.database.begin(room.ada.launch.actor) as db:
        drafts.save(db, room.ada.launch, Typed("Die Pflanze", first.version))
    assert room.ada.sees().draft.text == "Die Pflanze"

    room.ada.hands_in("Die Pflanze braucht Licht.")

    assert room.ada.sees().draft is None


def test_a_pupil_sees_nothing_of_anothers_work(room: Classroom):
    submission = room.ada.hands_in()

    assert room.ben.sees().submissions == []
    with (
        pytest.raises(NotFound),
        room.database.begin(room.ben.launch.actor) as db,
    ):
        service.find(db, room.ben.launch, submission.id)


def test_the_teacher_of_the_course_finds_the_work(room: Classroom):
    submission = room.ada.hands_in()

    with room.database.begin(room.curie.actor) as db:
        assert service.find(db, room.curie, submission.id).answer == ANSWER
