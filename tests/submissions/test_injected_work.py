"""A pupil attacks the model and the model obeys: what becomes of the school's data all the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from feedback_engine.build import build_engine
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import FeedbackEngine
from feedback_engine.errors import EngineRefused
from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.grades.models import GradeSync
from lti_tool.submissions import assessment
from lti_tool.submissions.models import Submission
from lti_tool.submissions.states import State
from tests.classroom import Classroom, FakeEngine, judged, open_classroom
from tests.fakes.ollama import FakeOllama
from tests.feedback_engine.obedient import WAYS, Attack, corpus
from tests.specs import spec

# One attack of each kind from each place, drawings apart: those do not come by typing.
SAMPLE = {(a.where, a.wants): a for a in corpus() if a.where != "drawing"}
# What one submission may change: itself, what is found in it, its job, and its own score.
_OWN = {
    "submissions": "id",
    "submission_events": "submission_id",
    "feedbacks": "submission_id",
    "grade_syncs": "submission_id",
}


@pytest.fixture
def host() -> Iterator[FakeOllama]:
    with FakeOllama({"gemma3:12b": "a" * 64}) as fake:
        yield fake


@pytest.fixture
def room(database: Database) -> Classroom:
    """Scores go out by the rule of the task: nobody looks before."""
    return open_classroom(database, spec(reports_score=True, max_attempts=20))


def rows_of_others(postgres: EmbeddedPostgres, own: UUID) -> dict[str, list[str]]:
    """Every row of every table that is not about this one submission."""
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as db:
        names = db.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        return {name: _others(db, name, own) for (name,) in names}


def _others(db: psycopg.Connection, table: str, own: UUID) -> list[str]:
    where = f"{_OWN[table]} <> %(own)s" if table in _OWN else "true"
    if table == "criterion_results":
        where = "feedback_id NOT IN (SELECT id FROM feedbacks WHERE submission_id = %(own)s)"
    if table == "jobs":
        where = (
            "subject_id <> %(own)s AND subject_id NOT IN"
            " (SELECT id FROM grade_syncs WHERE submission_id = %(own)s)"
        )
    found = db.execute(f"SELECT t::text FROM {table} t WHERE {where} ORDER BY 1", {"own": own})
    return [row for (row,) in found]


def work_through(room: Classroom, engine: FeedbackEngine, submission: Submission) -> None:
    """What the worker does, in its steps."""
    with room.database.begin(room.service) as db:
        request = assessment.request_for(db, submission.id)
    try:
        draft = engine.give_feedback(request)
    except EngineRefused as refused:
        with room.database.begin(room.service) as db:
            assessment.hand_to_teacher(db, submission.id, refused.reason)
        return
    with room.database.begin(room.service) as db:
        assessment.keep_feedback(db, submission.id, draft)


@pytest.mark.parametrize("attack", SAMPLE.values(), ids=lambda attack: attack.id)
def test_an_obeyed_attack_touches_one_submission_and_stays_in_the_rubric(
    room: Classroom, postgres: EmbeddedPostgres, host: FakeOllama, attack: Attack
) -> None:
    engine = build_engine(EngineConfig(EngineKind.OLLAMA, host.url, "gemma3:12b"))
    judged(room, FakeEngine(1, 1), room.ben.hands_in())
    for attempt, way in enumerate(("generous", "leaky", "stuffed"), 1):
        host.says = WAYS[way]
        submission = room.ada.hands_in(f"Licht gibt Energie. {attack.text}", attempt)
        before = rows_of_others(postgres, submission.id)

        work_through(room, engine, submission)

        assert rows_of_others(postgres, submission.id) == before
        _stays_in_the_rubric(room, submission)


def _stays_in_the_rubric(room: Classroom, submission: Submission) -> None:
    with room.database.begin(room.service) as db:
        kept = db.get_one(Submission, submission.id)
        assert kept.state in (State.RELEASED, State.NEEDS_TEACHER)
        for result in kept.feedback.results if kept.feedback else []:
            assert result.quote in kept.text
            assert result.level is None or result.level in range(result.levels)
        scores = db.scalars(select(GradeSync).where(GradeSync.submission_id == submission.id)).all()
        # What a teacher must look at first has no score on its way.
        assert not scores or kept.state is State.RELEASED
        assert all(Decimal(0) <= sync.score <= sync.score_maximum for sync in scores)
