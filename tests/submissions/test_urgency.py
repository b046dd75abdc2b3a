"""How urgent a submission is: a lesson is recognised by what it looks like."""

from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from lti_tool.core.db import WORKER, Database
from lti_tool.core.jobs import Job, JobKind
from lti_tool.core.lanes import Urgency
from lti_tool.submissions.urgency import A_CLASS, urgency_of
from tests.classroom import Classroom, open_classroom


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def ask(postgres) -> Iterator[Callable[..., object]]:
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # moments may be moved
        yield connection.execute


def urgencies(room: Classroom) -> dict[UUID, Urgency]:
    with room.database.begin(WORKER) as db:
        found = db.execute(
            select(Job.subject_id, Job.urgency).where(Job.kind == JobKind.GIVE_FEEDBACK)
        )
        return {subject: Urgency(urgency) for subject, urgency in found}


@pytest.mark.parametrize(
    ("handed_in", "again", "urgency"),
    [
        (1, False, Urgency.HOMEWORK),
        (A_CLASS - 1, False, Urgency.HOMEWORK),
        (A_CLASS, False, Urgency.LIVE),
        (28, False, Urgency.LIVE),
        (28, True, Urgency.REGENERATION),
    ],
)
def test_what_is_handed_in_by_several_within_minutes_belongs_to_a_lesson(handed_in, again, urgency):
    assert urgency_of(handed_in, again=again) is urgency


def test_one_pupil_alone_does_homework(room: Classroom):
    room.ada.hands_in()

    assert list(urgencies(room).values()) == [Urgency.HOMEWORK]


def test_the_same_pupil_again_and_again_is_no_class(room: Classroom):
    for attempt in (1, 2, 3):
        room.ada.hands_in(f"Versuch {attempt}", attempt)

    assert set(urgencies(room).values()) == {Urgency.HOMEWORK}


def test_those_who_begin_a_lesson_are_in_it_once_it_is_recognised(room: Classroom, carl):
    first, second = room.ada.hands_in(), room.ben.hands_in()
    assert set(urgencies(room).values()) == {Urgency.HOMEWORK}

    third = carl.hands_in()

    assert urgencies(room) == dict.fromkeys([first.id, second.id, third.id], Urgency.LIVE)


def test_what_was_handed_in_yesterday_does_not_make_a_lesson(room: Classroom, carl, ask):
    room.ada.hands_in()
    room.ben.hands_in()
    ask("UPDATE submissions SET submitted_at = submitted_at - interval '16 min'")

    last = carl.hands_in()

    assert urgencies(room)[last.id] is Urgency.HOMEWORK


@pytest.fixture
def carl(room: Classroom):
    return room.joins("Carl Cyan")
