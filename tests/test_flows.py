"""What a worker does with a job, from the claim to the gradebook, and with failures."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from feedback_engine.errors import (
    EngineFailed,
    EngineRefused,
    EngineUnavailable,
    RefusalReason,
)
from lti_tool.content.models import Mode
from lti_tool.core import jobs
from lti_tool.core.jobs import JobKind, JobState
from lti_tool.grades import service as grades
from lti_tool.grades.models import SyncState
from lti_tool.launch.models import ResourceLink
from lti_tool.people.models import Course, Membership, Person
from lti_tool.submissions import review, service
from lti_tool.submissions.states import State
from tests.classroom import SCORES, open_classroom
from tests.fakes.http_server import Answer
from tests.fakes.moodle import COLUMN, SERVICES
from tests.fakes.school import School as MoodleSite
from tests.fakes.school import open_school
from tests.specs import spec
from tests.workbench import RESULTS, Workbench, open_bench


@pytest.fixture
def moodle() -> Iterator[MoodleSite]:
    with open_school() as site:
        yield site


@pytest.fixture
def bench(database, moodle, postgres) -> Workbench:
    return open_bench(open_classroom(database), moodle, postgres)


@pytest.fixture
def reviewed(database, moodle, postgres) -> Workbench:
    room = open_classroom(database, spec(mode=Mode.REVIEWED, reports_score=False))
    return open_bench(room, moodle, postgres)


def confirm(bench: Workbench, submission_id: UUID, version: int = 1) -> None:
    room = bench.room
    with room.database.begin(room.curie.actor) as db:
        found = service.find(db, room.curie, submission_id)
        review.confirm(db, room.curie, found, version)


def test_from_handing_in_to_the_gradebook_with_a_comment(bench: Workbench):
    bench.room.ada.hands_in()

    bench.works_on()

    points, comment = bench.grade_of("4")
    # weight 3 at level 2 of 2, weight 1 at level 2 of 3, of 10 points
    assert points == Decimal("9.2")
    assert "Versuch 1" in comment
    assert "Erkläre, was mit der Energie geschieht." in comment
    assert "KI-Rückmeldung" in comment
    assert bench.sync().state is SyncState.POSTED
    assert bench.room.ada.sees().newest.state is State.RELEASED


def test_in_reviewed_mode_no_score_leaves_before_the_teacher_confirms(reviewed: Workbench):
    submission = reviewed.room.ada.hands_in()
    reviewed.works_on()
    assert reviewed.moodle.moodle.received == []
    assert reviewed.sync() is None

    confirm(reviewed, submission.id)
    reviewed.works_on()

    _, comment = reviewed.grade_of("4")
    assert "von der Lehrkraft freigegeben" in comment
    assert reviewed.sync().decided_by == reviewed.room.school.curie


def test_practice_reports_no_score_unless_the_teacher_set_the_task_so(database, moodle, postgres):
    room = open_classroom(database, spec(reports_score=False))
    bench = open_bench(room, moodle, postgres)
    bench.room.ada.hands_in()

    bench.works_on()

    assert bench.moodle.moodle.received == []


def test_a_second_attempt_replaces_the_score(bench: Workbench):
    bench.engine.levels = (0, 0)
    bench.room.ada.hands_in()
    bench.works_on()
    bench.engine.levels = (2, 3)
    bench.room.ada.hands_in("Viel besser, mit Lichtenergie.", attempt=2)

    bench.works_on()

    points, comment = bench.grade_of("4")
    assert points == Decimal(10)
    assert "Versuch 2" in comment


def test_a_late_confirmation_of_an_old_attempt_does_not_undo_the_newer_score(reviewed: Workbench):
    first = reviewed.room.ada.hands_in("Der erste Versuch.")
    second = reviewed.room.ada.hands_in("Der zweite Versuch.", attempt=2)
    reviewed.works_on()
    confirm(reviewed, second.id)
    reviewed.works_on()

    confirm(reviewed, first.id)
    reviewed.works_on()

    assert "Versuch 2" in reviewed.grade_of("4")[1]
    assert len(reviewed.moodle.moodle.received) == 1


def test_what_could_not_be_judged_never_becomes_a_score(bench: Workbench):
    bench.engine.levels = (2, None)
    bench.room.ada.hands_in()

    bench.works_on()

    assert bench.moodle.moodle.received == []
    assert bench.room.ada.sees().newest.state is State.NEEDS_TEACHER


def test_while_the_engine_is_silent_the_answer_waits_and_no_attempt_is_lost(bench: Workbench):
    bench.engine.error = EngineUnavailable("silent")
    bench.room.ada.hands_in()
    bench.works_on()

    waiting = bench.room.ada.sees()
    assert waiting.newest.state is State.HANDED_IN
    assert waiting.line.last_error == "EngineUnavailable"
    assert bench.job(JobKind.GIVE_FEEDBACK).attempts == 0

    bench.engine.error = None
    with psycopg.connect(bench.superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE jobs SET ready_at = now() - interval '1 s'")
    bench.works_on()
    assert bench.room.ada.sees().newest.state is State.RELEASED


def test_after_a_day_of_silence_the_teacher_is_asked(bench: Workbench):
    bench.engine.error = EngineUnavailable("silent")
    bench.room.ada.hands_in()
    bench.works_on()
    bench.a_day_passes(2)

    bench.works_on()

    newest = bench.room.ada.sees().newest
    assert (newest.state, newest.needs_teacher_reason) == (
        State.NEEDS_TEACHER,
        "engine_unavailable",
    )


def test_after_three_failed_tries_the_teacher_is_asked_and_others_go_on(bench: Workbench):
    bench.engine.error = EngineFailed("garbled")
    bench.room.ada.hands_in()
    for _ in range(4):
        bench.works_on()
        bench.a_day_passes()
    bench.engine.error = None
    bench.room.ben.hands_in()
    bench.works_on()

    newest = bench.room.ada.sees().newest
    assert (newest.state, newest.needs_teacher_reason) == (State.NEEDS_TEACHER, "engine_failed")
    assert len(bench.engine.asked) == 3 + 1
    assert bench.room.ben.sees().newest.state is State.RELEASED


def test_what_the_engine_refuses_goes_to_the_teacher_at_once(bench: Workbench):
    bench.engine.error = EngineRefused(RefusalReason.ANSWER_TOO_LONG)
    bench.room.ada.hands_in()

    bench.works_on()

    assert bench.room.ada.sees().newest.needs_teacher_reason == "answer_too_long"
    assert bench.job(JobKind.GIVE_FEEDBACK).state is JobState.GIVEN_UP


def test_a_surprise_in_a_job_puts_it_back_and_is_not_swallowed(bench: Workbench):
    bench.engine.error = ZeroDivisionError()
    bench.room.ada.hands_in()

    with pytest.raises(ZeroDivisionError):
        bench.works()

    job = bench.job(JobKind.GIVE_FEEDBACK)
    assert (job.state, job.last_error) == (JobState.WAITING, "ZeroDivisionError")


def test_a_score_that_arrived_without_an_answer_is_not_taken_for_lost(bench: Workbench):
    bench.moodle.moodle.store_then_hang = True
    bench.room.ada.hands_in()
    bench.works_on()
    assert bench.sync().state is SyncState.PLANNED
    bench.moodle.moodle.store_then_hang = False
    with psycopg.connect(bench.superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE jobs SET ready_at = now() - interval '1 s'")

    bench.works_on()

    assert bench.sync().state is SyncState.POSTED
    stamps = {score["timestamp"] for score in bench.moodle.moodle.received}
    assert len(stamps) == 1


def test_our_own_older_score_is_not_taken_for_a_teachers_though_one_between_was_lost(
    bench: Workbench,
):
    bench.engine.levels = (1, 1)
    bench.room.ada.hands_in()
    bench.works_on()
    bench.moodle.will_answer(f"{COLUMN}/scores", Answer(403, b"[]"))
    bench.engine.levels = (2, 1)
    bench.room.ada.hands_in("Der zweite kam nicht an.", attempt=2)
    bench.works_on()
    bench.moodle.moodle.grades["4"].stored_at += timedelta(minutes=1)  # Moodle's clock is ahead
    bench.engine.levels = (2, 3)
    bench.room.ada.hands_in("Der dritte.", attempt=3)
    bench.works_on()
    with psycopg.connect(bench.superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE jobs SET ready_at = now() - interval '1 s'")

    bench.works_on()

    assert bench.sync().state is SyncState.POSTED
    assert bench.grade_of("4")[0] == Decimal(10)


def test_a_grade_the_teacher_changed_in_moodle_stands(bench: Workbench):
    """FLT-58."""
    bench.room.ada.hands_in()
    bench.works_on()
    bench.moodle.moodle.override("4", Decimal(3), "Nachgespräch")
    bench.moodle.clock.now += timedelta(minutes=5)
    bench.room.ada.hands_in("Noch einmal.", attempt=2)

    bench.works_on()

    assert bench.sync().state is SyncState.OVERRIDDEN
    assert bench.grade_of("4")[0] == Decimal(3)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(400, b"[]"), "not_gradable"),
        (Answer(403, b"[]"), "not_allowed"),
        (Answer(404, b"[]"), "column_gone"),
        (Answer(500, b"[]"), "locked"),
    ],
)
def test_a_final_no_is_shown_and_can_be_sent_again_later(bench: Workbench, answer, reason):
    bench.moodle.will_answer(f"{COLUMN}/scores", answer)
    bench.room.ada.hands_in()
    bench.works_on()
    failed = bench.sync()
    assert (failed.state, failed.reason) == (SyncState.FAILED, reason)

    room = bench.room
    with room.database.begin(room.curie.actor) as db:
        grades.send_again(db, room.curie, failed.id, bench.moodle.clock())
    bench.works_on()

    assert bench.sync().state is SyncState.POSTED


def test_a_busy_gradebook_is_asked_again_later(bench: Workbench):
    bench.moodle.will_answer(f"{COLUMN}/scores", Answer(429, b"", {"Retry-After": "120"}))
    bench.room.ada.hands_in()

    bench.works_on()

    job = bench.job(JobKind.POST_SCORE)
    assert bench.sync().state is SyncState.PLANNED
    assert job.state is JobState.WAITING
    assert job.ready_at - job.started_at >= timedelta(seconds=110)


def test_a_column_is_looked_up_where_the_launch_did_not_name_it(bench: Workbench):
    lineitem = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
    with bench.room.database.begin(bench.room.service) as db:
        link = db.get_one(ResourceLink, bench.room.link_id)
        link.lineitem_url, link.link_id = None, "3"
        link.ags_scopes = [SCORES, RESULTS, lineitem]
    bench.room.ada.hands_in()

    bench.works_on()

    assert bench.sync().state is SyncState.POSTED
    assert len(bench.moodle.seen_at(f"{SERVICES}/lineitems")) == 1


def test_without_a_column_nothing_is_planned(bench: Workbench):
    with bench.room.database.begin(bench.room.service) as db:
        link = db.get_one(ResourceLink, bench.room.link_id)
        link.lineitem_url, link.lineitems_url = None, None
    bench.room.ada.hands_in()

    bench.works_on()

    assert bench.sync() is None


def test_the_roster_tells_who_is_missing_and_who_has_left(bench: Workbench):
    room = bench.room
    with room.database.begin(room.service) as db:
        db.get_one(Course, room.school.bio).memberships_url = bench.moodle.members
        jobs.enqueue(
            db,
            JobKind.REFRESH_ROSTER,
            platform_id=room.school.platform_id,
            subject_id=room.school.bio,
        )
    member = {"status": "Active", "roles": ["Learner"]}
    bench.moodle.moodle.rosters["2"] = [
        {**member, "user_id": "4", "name": "Ada Abel"},
        {**member, "user_id": "77", "name": "Cem Çelik"},
    ]

    bench.works_on()

    with room.database.begin(room.service) as db:
        rows = db.execute(
            select(Person.sub, Membership.active).join(
                Membership, Membership.person_id == Person.id
            )
        )
        found = [tuple(row) for row in rows]
        assert dict(found) == {
            "4": True,
            "77": True,
            "5": False,
            "2": False,
        }
