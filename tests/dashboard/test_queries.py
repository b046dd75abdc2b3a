"""An activity at a glance: who, how far, what waits, what went wrong."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, update

from lti_tool.content.models import Mode, RegularTask
from lti_tool.dashboard import queries
from lti_tool.dashboard.queries import Activity
from lti_tool.grades.models import GradeSync, SyncState
from lti_tool.people.models import Membership, Roster
from lti_tool.submissions import review, service
from lti_tool.submissions.models import Submission
from lti_tool.submissions.shown import Origin
from lti_tool.submissions.states import State
from tests.classroom import Classroom, open_classroom, task_of
from tests.specs import FOTOSYNTHESE
from tests.visitor import judged


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database, replace(FOTOSYNTHESE, mode=Mode.REVIEWED))


def glance(room: Classroom) -> Activity:
    with room.database.begin(room.curie.actor) as db:
        return queries.activity(db, room.curie, task_of(db, room.curie))


def the_roster_came(room: Classroom) -> None:
    school = room.school
    with room.database.begin(room.service) as db:
        db.add(Roster(platform_id=school.platform_id, course_id=school.bio, kept_at=func.now()))


def next_after(room: Classroom, submission: Submission | None = None) -> UUID | None:
    with room.database.begin(room.curie.actor) as db:
        task: RegularTask = task_of(db, room.curie)
        return queries.next_for_teacher(db, room.curie, task, submission)


def releases(room: Classroom, submission: Submission) -> None:
    with room.database.begin(room.curie.actor) as db:
        review.confirm(db, room.curie, service.find(db, room.curie, submission.id), 1)


def test_everybody_of_the_course_is_listed_by_name_whether_they_handed_in_or_not(room: Classroom):
    submission = room.ada.hands_in()

    ben, ada = glance(room).rows  # the platform shares Ben's name, but not Ada's

    assert (ben.name, ben.submission_id, ben.state) == ("Ben Blau", None, None)
    assert (ada.name, ada.submission_id, ada.attempt) == (None, submission.id, 1)
    assert (ada.number, ben.number) == (1, 2)


def test_the_number_of_pupils_is_known_only_once_the_lms_has_told(room: Classroom):
    assert glance(room).pupils is None

    the_roster_came(room)

    assert glance(room).pupils == 2  # Frau Curie is no pupil


def test_who_has_left_is_not_counted_but_their_work_is_there(room: Classroom):
    submission = room.ada.hands_in()
    the_roster_came(room)
    with room.database.begin(room.service) as db:
        db.execute(
            update(Membership).where(Membership.person_id == room.school.ada).values(active=False)
        )

    activity = glance(room)

    assert (activity.handed_in, activity.pupils) == (0, 1)
    assert [row.name for row in activity.rows] == ["Ben Blau"]
    assert [(row.submission_id, row.left) for row in activity.left] == [(submission.id, True)]


def test_the_list_shows_the_newest_attempt_with_its_points_and_its_author(room: Classroom):
    judged(room, room.ada.hands_in().id, 1, 1)
    second = room.ada.hands_in(attempt=2)
    judged(room, second.id, 2, 3)

    row = next(row for row in glance(room).rows if row.submission_id)

    assert (row.submission_id, row.attempt) == (second.id, 2)
    assert (row.state, row.origin) == (State.AWAITING_TEACHER, Origin.AI)
    assert row.points == Decimal(10)


def test_what_was_not_assessed_has_no_points(room: Classroom):
    judged(room, room.ada.hands_in().id, 2, None)

    row = next(row for row in glance(room).rows if row.submission_id)

    assert (row.state, row.points) == (State.NEEDS_TEACHER, None)


def test_an_older_attempt_that_waits_is_not_hidden_by_a_newer_one(room: Classroom):
    first = room.ada.hands_in()
    judged(room, first.id, 1, 1)
    room.ada.hands_in(attempt=2)

    activity = glance(room)

    assert activity.waiting == 1
    row = next(row for row in activity.rows if row.submission_id)
    assert (row.waits, row.older_waiting) == (False, ((1, first.id),))
    assert next_after(room) == first.id


def test_a_score_that_failed_is_named_with_its_reason(room: Classroom):
    submission = room.ada.hands_in()
    judged(room, submission.id, 1, 1)
    releases(room, submission)
    with room.database.begin(room.service) as db:
        db.execute(update(GradeSync).values(state=SyncState.POSTING))
        db.execute(update(GradeSync).values(state=SyncState.FAILED, reason="locked"))

    (row,) = glance(room).failed

    assert row.transfer is not None
    assert (row.transfer.reason, row.transfer.attempt) == ("locked", 1)
    assert row.transfer.score == row.points


def test_a_failure_that_a_newer_score_has_overtaken_is_none_any_more(room: Classroom):
    for attempt in (1, 2):
        submission = room.ada.hands_in(attempt=attempt)
        judged(room, submission.id, 1, 1)
        releases(room, submission)
        if attempt == 1:
            with room.database.begin(room.service) as db:
                db.execute(update(GradeSync).values(state=SyncState.POSTING))
                db.execute(update(GradeSync).values(state=SyncState.FAILED, reason="locked"))

    assert glance(room).failed == ()


def test_the_next_one_is_the_next_that_waits_and_after_the_last_comes_the_first(room: Classroom):
    ada, ben = room.ada.hands_in(), room.ben.hands_in()
    assert next_after(room) is None  # nothing is judged yet

    judged(room, ada.id, 1, 1)
    judged(room, ben.id, 1, 1)

    assert next_after(room) == ada.id
    assert next_after(room, ada) == ben.id
    assert next_after(room, ben) == ada.id

    releases(room, ada)
    assert next_after(room, ben) is None


def test_a_teacher_of_another_course_sees_nothing_of_it(room: Classroom):
    room.ada.hands_in()
    planck = replace(room.curie, person_id=room.school.planck, course_id=room.school.physics)

    with room.database.begin(room.curie.actor) as db:
        task = task_of(db, room.curie)
    with room.database.begin(planck.actor) as db:
        assert queries.activity(db, planck, task).rows == ()
