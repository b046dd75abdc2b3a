"""What a waiting browser hears, who is not told, and what happens when something breaks."""

from __future__ import annotations

import os
import re
import signal
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from lti_tool.core import jobs
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import Job
from lti_tool.live.hub import PER_SESSION
from lti_tool.people.roles import Role
from lti_tool.submissions import prose
from lti_tool.submissions.models import Submission
from tests.classroom import Classroom
from tests.content.browser import launch_in
from tests.live.station import Station, cookie_of, running_station, soon
from tests.uploads.photos import hands_in, photo, sends
from tests.visitor import Browsers, Visitor, judged


def takes_up(room: Classroom) -> jobs.Claim:
    """A worker takes the job that waits."""
    with room.database.begin(WORKER) as db:
        held = jobs.claim(db, db.scalars(select(Job.id)).one(), lease=timedelta(minutes=5))
    assert held is not None
    return held


def puts_back(room: Classroom, held: jobs.Claim) -> None:
    with room.database.begin(room.service) as db:
        jobs.wait_again(db, held, "EngineUnavailable", after=timedelta(0), counts=False)


def test_a_pupil_hears_how_things_stand_and_then_each_step(
    station: Station, browsers: Browsers, room: Classroom
):
    submission = room.ada.hands_in()
    ear = station.tunes(browsers.ada(), submission.id)
    assert ear.status == 200
    assert ear.answer.getheader("Content-Type") == "text/event-stream"

    heard = [ear.hears()]
    held = takes_up(room)
    heard.append(ear.hears())
    puts_back(room, held)
    heard.append(ear.hears())
    judged(room, submission.id, 2, 2)
    heard.append(ear.hears())

    assert heard == ["in_line", "at_work", "later", "ready"]


def test_while_photos_are_read_nobody_says_that_feedback_is_written(
    station: Station, browsers: Browsers, room: Classroom
):
    ada = browsers.ada()
    sends(ada, ("blatt.jpg", photo()))
    hands_in(ada)
    with room.database.begin(room.service) as db:
        submission_id = db.scalars(select(Submission.id)).one()
    ear = station.tunes(ada, submission_id)
    heard = [ear.hears()]
    takes_up(room)
    heard.append(ear.hears())

    assert heard == ["in_line", "reading"]
    assert "Die Fotos werden gerade gelesen." in ada.get("/work/").text


def test_each_piece_of_feedback_that_is_being_written_is_news(
    station: Station, browsers: Browsers, room: Classroom
):
    submission = room.ada.hands_in()
    held = takes_up(room)
    ear = station.tunes(browsers.ada(), submission.id)
    heard = [ear.hears()]

    with room.database.begin(room.service) as db:
        told = prose.telling(db, room.database.begin, held)
    assert told is not None
    told("strengths", "Du nennst die Energie.")
    heard.append(ear.hears())
    judged(room, submission.id, 2, 2)
    heard.append(ear.hears())

    assert heard == ["at_work", "told", "ready"]


def test_a_teacher_of_the_course_may_listen_too(
    station: Station, browsers: Browsers, room: Classroom
):
    ear = station.tunes(browsers.curie(), room.ada.hands_in().id)

    assert ear.hears() == "in_line"


def test_nobody_else_is_told_anything(station: Station, browsers: Browsers, room: Classroom):
    """ATK-94: as if it did not exist."""
    submission, ada, ben = room.ada.hands_in(), browsers.ada(), browsers.ben()
    school = room.school
    planck = launch_in(
        browsers.app,
        room.database,
        school,
        school.planck,
        Role.INSTRUCTOR,
        course_id=school.physics,
        resource_link_id=room.link_id,
    )

    answers = {
        "a classmate": station.tunes(ben, submission.id).status,
        "a teacher elsewhere": station.tunes(
            Visitor(planck.client, planck.session_id), submission.id
        ).status,
        "no cookie": station.tunes(ada, submission.id, cookie="").status,
        "a cookie of another session": station.tunes(
            ada, submission.id, cookie=cookie_of(ben)
        ).status,
        "no submission": station.tunes(ada, uuid4()).status,
        "no session": station.status(f"/s/{uuid4()}/live/{submission.id}"),
        "another path": station.status(f"/s/{ada.session_id}/work/"),
    }

    assert answers == {
        "a classmate": 404,
        "a teacher elsewhere": 404,
        "no cookie": 401,
        "a cookie of another session": 401,
        "no submission": 404,
        "no session": 401,
        "another path": 404,
    }


def test_the_stream_ends_with_the_session(
    station: Station, browsers: Browsers, room: Classroom, owner: psycopg.Connection
):
    ada, submission = browsers.ada(), room.ada.hands_in()
    ear = station.tunes(ada, submission.id)
    assert ear.hears() == "in_line"

    owner.execute(
        "UPDATE launch_sessions SET ended_at = now(), end_reason = 'closed' WHERE id = %s",
        [ada.session_id],
    )

    assert ear.hears() is None
    assert station.tunes(ada, submission.id).status == 401


@pytest.mark.parametrize(
    "what",
    [
        "UPDATE memberships SET active = false",
        "UPDATE persons SET blocked_at = now()",
        "UPDATE platforms SET state = 'paused'",
        "UPDATE launch_sessions SET seen_at = now() - interval '1 day'",
    ],
)
def test_who_may_not_look_any_more_is_told_no_further_news(
    station: Station, browsers: Browsers, room: Classroom, owner: psycopg.Connection, what: str
):
    ear = station.tunes(browsers.ada(), room.ada.hands_in().id)
    assert ear.hears() == "in_line"
    owner.execute(what)

    owner.execute("UPDATE submissions SET state = 'to_check'")

    assert ear.hears() is None


def test_while_the_database_is_away_the_stream_stays_and_tells_afterwards_what_it_missed(
    station: Station, browsers: Browsers, room: Classroom, owner: psycopg.Connection
):
    ear = station.tunes(browsers.ada(), room.ada.hands_in().id)
    assert ear.hears() == "in_line"
    owner.execute("ALTER ROLE gustav_app NOLOGIN")
    try:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gustav_app'"
        )
        assert soon(lambda: station.status() == 503)
        owner.execute("UPDATE submissions SET state = 'to_check'")
    finally:
        owner.execute("ALTER ROLE gustav_app LOGIN")

    assert ear.hears() == "to_check"


def test_a_killed_process_is_replaced_and_says_again_how_things_stand(
    station: Station, browsers: Browsers, room: Classroom
):
    ada, submission = browsers.ada(), room.ada.hands_in()
    ear = station.tunes(ada, submission.id)
    assert ear.hears() == "in_line"

    os.kill(station.worker, signal.SIGKILL)

    with pytest.raises((OSError, ValueError)):  # the connection breaks, or ends in mid-chunk
        raise OSError if ear.hears() is None else AssertionError
    takes_up(room)
    assert station.listens()
    assert station.tunes(ada, submission.id).hears() == "at_work"


def test_two_hundred_streams_hold_no_connection_to_the_database(
    station: Station, browsers: Browsers, room: Classroom, owner: psycopg.Connection
):
    submission = room.ada.hands_in()
    ears = [station.tunes(browsers.ada(), submission.id) for _ in range(200)]
    assert {ear.hears() for ear in ears} == {"in_line"}

    judged(room, submission.id, 2, 2)

    assert {ear.hears() for ear in ears} == {"ready"}
    held = owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'gustav_app'"
    ).fetchone()
    assert held is not None
    assert held[0] <= 12  # the test's own six, four that look, one that listens


def test_one_session_holds_only_so_many_streams(
    station: Station, browsers: Browsers, room: Classroom
):
    ada, submission = browsers.ada(), room.ada.hands_in()
    ears = [station.tunes(ada, submission.id) for _ in range(PER_SESSION)]
    assert [ear.hears() for ear in ears] == ["in_line"] * PER_SESSION

    assert station.tunes(ada, submission.id).status == 429
    assert station.tunes(browsers.ada(), submission.id).hears() == "in_line"  # another session

    ears[0].leaves()
    assert soon(lambda: station.tunes(ada, submission.id).status == 200)


def test_what_the_database_tells_is_a_word_and_an_id(
    browsers: Browsers, room: Classroom, owner: psycopg.Connection
):
    owner.execute("LISTEN gustav_news")
    ada, submission = browsers.ada(), room.ada.hands_in()
    takes_up(room)
    judged(room, submission.id, 2, 2)
    owner.execute("UPDATE launch_sessions SET ended_at = now()")

    told = [notify.payload for notify in owner.notifies(timeout=0.2)]

    assert set(told) == {f"submission {submission.id}", f"session {ada.session_id}"}
    assert all(re.fullmatch(r"[a-z]+ [0-9a-f-]{36}", payload) for payload in told)


def test_the_process_ends_when_asked_to_with_streams_open(postgres, browsers, room):
    with running_station(postgres.app_url) as station:
        ear = station.tunes(browsers.ada(), room.ada.hands_in().id)
        assert ear.hears() == "in_line"

        station.process.send_signal(signal.SIGTERM)

        assert station.process.wait(30) == 0
    assert not Path(f"/proc/{station.process.pid}").exists()
