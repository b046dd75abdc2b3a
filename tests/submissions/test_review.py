"""Feedback comes, is edited and let out: by the task's rule or by the teacher, never by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from feedback_engine.contract import Flag
from lti_tool.content.models import Mode
from lti_tool.core import jobs
from lti_tool.core.errors import Conflict, Invalid
from lti_tool.core.moves import ForbiddenMove
from lti_tool.submissions import assessment, review, service
from lti_tool.submissions.models import Author, Feedback, ReleasedBy, Submission
from lti_tool.submissions.review import FeedbackEdit, ResultEdit
from lti_tool.submissions.states import State
from tests.classroom import Classroom, FakeEngine, judged, open_classroom, task_of
from tests.specs import spec


@pytest.fixture
def practice(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def reviewed(database) -> Classroom:
    return open_classroom(database, spec(mode=Mode.REVIEWED))


def edit_of(feedback: Feedback | None, room: Classroom, level: int | None = 1) -> FeedbackEdit:
    with room.database.begin(room.curie.actor) as db:
        task = task_of(db, room.curie)
        results = {c.id: ResultEdit(level, "", "Von Hand") for c in task.criteria}
    version = feedback.version if feedback else 0
    return FeedbackEdit(version, results, "Gut begonnen", "Nenne ein Beispiel", "")


def teacher_edits(room: Classroom, submission: Submission, change: FeedbackEdit, *, release: bool):
    with room.database.begin(room.curie.actor) as db:
        found = service.find(db, room.curie, submission.id)
        return review.edit(db, room.curie, found, change, release=release)


def teacher_confirms(room: Classroom, submission: Submission, version: int) -> None:
    with room.database.begin(room.curie.actor) as db:
        found = service.find(db, room.curie, submission.id)
        review.confirm(db, room.curie, found, version)


def test_in_practice_the_pupil_sees_the_feedback_at_once(practice: Classroom):
    judged(practice, FakeEngine(2, 3), practice.ada.hands_in())

    newest = practice.ada.sees().newest
    assert newest.state is State.RELEASED
    assert [r.level_text for r in newest.feedback.results] == ["erklärt", "voll"]
    assert newest.feedback.author is Author.AI
    assert newest.feedback.release is ReleasedBy.TASK_RULE


def test_in_reviewed_mode_feedback_does_not_exist_for_the_pupil_until_confirmed(
    reviewed: Classroom,
):
    submission = reviewed.ada.hands_in()
    judged(reviewed, FakeEngine(), submission)
    held = reviewed.ada.sees().newest
    assert (held.state, held.feedback) == (State.AWAITING_TEACHER, None)

    teacher_confirms(reviewed, submission, 1)

    newest = reviewed.ada.sees().newest
    assert newest.state is State.RELEASED
    assert newest.feedback.released_by == reviewed.school.curie


def test_a_criterion_the_engine_could_not_judge_goes_to_the_teacher(practice: Classroom):
    judged(practice, FakeEngine(2, None), practice.ada.hands_in())

    newest = practice.ada.sees().newest
    assert (newest.state, newest.feedback) == (State.NEEDS_TEACHER, None)
    assert newest.needs_teacher_reason == "engine_unsure"


def test_a_flagged_draft_is_not_shown_in_practice_either(practice: Classroom):
    engine = FakeEngine()
    engine.flags = (Flag.SOLUTION_GIVEN_AWAY,)

    judged(practice, engine, practice.ada.hands_in())

    assert practice.ada.sees().newest.state is State.NEEDS_TEACHER


def test_a_teachers_edit_is_a_new_version_and_the_old_one_stays(reviewed: Classroom):
    submission = reviewed.ada.hands_in()
    judged(reviewed, FakeEngine(2, 2), submission)
    with reviewed.database.begin(reviewed.curie.actor) as db:
        current = db.scalars(select(Feedback)).one()

    teacher_edits(reviewed, submission, edit_of(current, reviewed), release=True)

    seen = reviewed.ada.sees().newest.feedback
    assert (seen.version, seen.author, seen.strengths) == (2, Author.AI_EDITED, "Gut begonnen")
    with reviewed.database.begin(reviewed.curie.actor) as db:
        found = service.find(db, reviewed.curie, submission.id)
        assert [v.author for v in review.versions(db, found)] == [Author.AI_EDITED, Author.AI]


def test_saving_without_letting_out_keeps_it_from_the_pupil(reviewed: Classroom):
    submission = reviewed.ada.hands_in()
    judged(reviewed, FakeEngine(2, 2), submission)
    with reviewed.database.begin(reviewed.curie.actor) as db:
        current = db.scalars(select(Feedback)).one()

    teacher_edits(reviewed, submission, edit_of(current, reviewed), release=False)

    assert reviewed.ada.sees().newest.feedback is None


def test_what_is_out_stays_out_when_it_is_edited(practice: Classroom):
    submission = practice.ada.hands_in()
    judged(practice, FakeEngine(2, 2), submission)
    shown = practice.ada.sees().newest.feedback

    teacher_edits(practice, submission, edit_of(shown, practice), release=False)

    assert practice.ada.sees().newest.feedback.version == 2


def test_a_teacher_can_write_all_of_it_where_no_engine_could(practice: Classroom):
    submission = practice.ada.hands_in()
    with practice.database.begin(practice.service) as db:
        assessment.hand_to_teacher(db, submission.id, "engine_failed")

    teacher_edits(practice, submission, edit_of(None, practice), release=True)

    seen = practice.ada.sees().newest
    assert (seen.state, seen.feedback.author) == (State.RELEASED, Author.TEACHER)


def test_two_teachers_do_not_overwrite_each_other(reviewed: Classroom):
    submission = reviewed.ada.hands_in()
    judged(reviewed, FakeEngine(), submission)
    with reviewed.database.begin(reviewed.curie.actor) as db:
        current = db.scalars(select(Feedback)).one()
    teacher_edits(reviewed, submission, edit_of(current, reviewed), release=False)

    with pytest.raises(Conflict, match="feedback_changed"):
        teacher_edits(reviewed, submission, edit_of(current, reviewed), release=False)
    with pytest.raises(Conflict, match="feedback_changed"):
        teacher_confirms(reviewed, submission, 1)


def test_nothing_can_be_confirmed_before_there_is_something(reviewed: Classroom):
    submission = reviewed.ada.hands_in()

    with pytest.raises(Invalid):
        teacher_confirms(reviewed, submission, 0)


def test_a_level_the_criterion_does_not_have_is_refused(reviewed: Classroom):
    submission = reviewed.ada.hands_in()

    with pytest.raises(Invalid):
        teacher_edits(reviewed, submission, edit_of(None, reviewed, level=9), release=True)


def test_asking_once_more_brings_a_new_version_without_losing_the_old(reviewed: Classroom):
    submission = reviewed.ada.hands_in()
    judged(reviewed, FakeEngine(0, 0), submission)
    with reviewed.database.begin(reviewed.service) as db:
        job_id = db.scalars(select(jobs.Job.id)).one()
        claim = jobs.claim(db, job_id, lease=timedelta(minutes=1))
        jobs.finish(db, claim)

    with reviewed.database.begin(reviewed.curie.actor) as db:
        review.ask_again(db, reviewed.curie, service.find(db, reviewed.curie, submission.id))
    judged(reviewed, FakeEngine(2, 2), submission)

    with reviewed.database.begin(reviewed.curie.actor) as db:
        found = service.find(db, reviewed.curie, submission.id)
        assert [v.version for v in review.versions(db, found)] == [2, 1]


def test_what_a_teacher_saves_while_the_engine_works_is_not_replaced_by_it(reviewed: Classroom):
    submission = reviewed.ada.hands_in()
    teacher_edits(reviewed, submission, edit_of(None, reviewed), release=False)

    with pytest.raises(ForbiddenMove):
        judged(reviewed, FakeEngine(), submission)

    with reviewed.database.begin(reviewed.curie.actor) as db:
        found = service.find(db, reviewed.curie, submission.id)
        assert (found.state, found.feedback.author) == (State.AWAITING_TEACHER, Author.TEACHER)


def test_feedback_that_comes_after_the_teachers_is_not_taken(practice: Classroom):
    submission = practice.ada.hands_in()
    with practice.database.begin(practice.service) as db:
        assessment.hand_to_teacher(db, submission.id, "engine_failed")
    teacher_edits(practice, submission, edit_of(None, practice), release=True)

    with pytest.raises(ForbiddenMove):
        judged(practice, FakeEngine(), submission)

    assert practice.ada.sees().newest.feedback.author is Author.TEACHER


def test_the_engine_is_told_the_last_attempt_and_its_feedback_and_no_name(practice: Classroom):
    first = practice.ada.hands_in("Erster Versuch mit Licht.")
    judged(practice, FakeEngine(), first)

    request = judged(practice, FakeEngine(), practice.ada.hands_in("Zweiter Versuch.", 2))

    assert request.earlier is not None
    assert request.earlier.answer == "Erster Versuch mit Licht."
    assert request.earlier.next_step == "Erkläre, was mit der Energie geschieht."
    assert "Ben Blau" not in repr(request)


@pytest.mark.parametrize("level", [None, 0, 1])
def test_what_a_teacher_judged_without_quoting_is_told_to_the_engine_next_time(
    practice: Classroom, level: int | None
):
    first = practice.ada.hands_in()
    judged(practice, FakeEngine(2, 1), first)
    with practice.database.begin(practice.curie.actor) as db:
        given = service.find(db, practice.curie, first.id).feedback
    teacher_edits(practice, first, edit_of(given, practice, level), release=True)

    request = judged(practice, FakeEngine(2, 2), practice.ada.hands_in(attempt=2))

    assert request.earlier is not None
    assert [verdict.level for verdict in request.earlier.results] == [level, level]
