"""Frau Curie's class with one task in one activity, and what each launch of it would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from feedback_engine.contract import (
    CriterionVerdict,
    EngineInfo,
    FeedbackDraft,
    FeedbackRequest,
    Flag,
    Told,
)
from lti_tool.content.models import RegularTask
from lti_tool.content.service import create_task
from lti_tool.content.spec import TaskSpec
from lti_tool.core.db import Actor, ActorRole, Database
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession
from lti_tool.people.models import Membership, Person
from lti_tool.people.roles import Role
from lti_tool.submissions import assessment, service
from lti_tool.submissions.models import Submission
from lti_tool.submissions.service import Answer, HandedIn, Work
from lti_tool.uploads.models import Attachment
from tests.school import School, found_school, launch_of, link
from tests.specs import FOTOSYNTHESE

ANSWER = "Die Pflanze braucht Licht, weil es die Energie für die Fotosynthese liefert."
SCORES = "https://purl.imsglobal.org/spec/lti-ags/scope/score"


@dataclass(frozen=True)
class Pupil:
    """A pupil at the activity."""

    database: Database
    launch: LaunchSession

    def writes(self, text: str = ANSWER, attempt: int = 1, key: UUID | None = None) -> HandedIn:
        answer = Answer(text, key or uuid4(), attempt)
        with self.database.begin(self.launch.actor) as db:
            return service.hand_in(db, self.launch, task_of(db, self.launch), answer)

    def hands_in(self, text: str = ANSWER, attempt: int = 1) -> Submission:
        taken = self.writes(text, attempt).submission
        assert taken is not None
        return taken

    def sees(self) -> Work:
        with self.database.begin(self.launch.actor) as db:
            return service.open_work(db, self.launch, task_of(db, self.launch))


def belongs_to(launch: LaunchSession) -> dict[str, Any]:
    """The columns that say whose a row is, and at which activity."""
    return {
        "platform_id": launch.platform_id,
        "course_id": launch.course_id,
        "resource_link_id": launch.resource_link_id,
        "person_id": launch.person_id,
    }


def page_of(launch: LaunchSession, content: bytes = b"jpeg") -> Attachment:
    """A photo in the draft, as a row; nothing is written."""
    return Attachment(
        id=uuid4(),
        position=1,
        name="a.jpg",
        sha256=sha256(content).digest(),
        size=len(content),
        width=1,
        height=1,
        **belongs_to(launch),
    )


@dataclass(frozen=True)
class Classroom:
    database: Database
    school: School
    task_id: UUID
    link_id: UUID
    ada: Pupil
    ben: Pupil
    curie: LaunchSession

    @property
    def service(self) -> Actor:
        return Actor(ActorRole.SERVICE, self.school.platform_id)

    def joins(self, name: str) -> Pupil:
        """One more pupil of the class, at the same activity."""
        with self.database.begin(Actor(ActorRole.LAUNCH, self.school.platform_id)) as db:
            person = Person(platform_id=self.school.platform_id, sub=name, name=name)
            db.add(person)
            db.flush()
            enrol(db, self.school, person.id, Role.LEARNER)
            person_id = person.id
        launch = launch_of(self.school, person_id, self.school.bio, Role.LEARNER)
        here = {"resource_link_id": self.link_id, "content_id": self.task_id}
        return Pupil(self.database, replace(launch, **here))


def open_classroom(
    database: Database,
    task: TaskSpec = FOTOSYNTHESE,
    issuer: str = "https://moodle.schule.example",
) -> Classroom:
    """The school, its task in an activity with a gradebook column, and everybody launched."""
    school = found_school(database, issuer)
    curie = launch_of(school, school.curie, school.bio)
    with database.begin(curie.actor) as db:
        task_id = create_task(db, curie, task).id
    link_id = link(database, school, school.bio, task_id)
    arrival = Actor(ActorRole.LAUNCH, school.platform_id)
    with database.begin(arrival) as db:
        ben = Person(platform_id=school.platform_id, sub="5", name="Ben Blau")
        db.add(ben)
        db.flush()
        for person_id, role in (
            (school.ada, Role.LEARNER),
            (ben.id, Role.LEARNER),
            (school.curie, Role.INSTRUCTOR),
        ):
            enrol(db, school, person_id, role)
        activity = db.get_one(ResourceLink, link_id)
        activity.lineitem_url = f"{school.issuer}/lineitems/5/lineitem?type_id=1"
        activity.ags_scopes = [SCORES]
        ben_id = ben.id
    here = {"resource_link_id": link_id, "content_id": task_id}

    def pupil(person_id: UUID) -> Pupil:
        launch = launch_of(school, person_id, school.bio, Role.LEARNER)
        return Pupil(database, replace(launch, **here))

    return Classroom(
        database,
        school,
        task_id,
        link_id,
        pupil(school.ada),
        pupil(ben_id),
        replace(curie, **here),
    )


def enrol(db: Any, school: School, person_id: UUID, role: Role) -> None:
    db.add(
        Membership(
            platform_id=school.platform_id, course_id=school.bio, person_id=person_id, role=role
        )
    )


def task_of(db: Any, launch: LaunchSession) -> RegularTask:
    return db.get_one(RegularTask, launch.content_id)


class FakeEngine:
    """Judges by a script: the levels to give, in the order of the criteria, or an error to raise.

    None as a level means that the engine could not judge. Keeps what it was asked.
    """

    def __init__(self, *levels: int | None, error: Exception | None = None) -> None:
        self.levels: Sequence[int | None] = levels or (2, 2)
        self.error = error
        self.flags: tuple[Flag, ...] = ()
        self.asked: list[FeedbackRequest] = []

    def give_feedback(self, request: FeedbackRequest, *, told: Told | None = None) -> FeedbackDraft:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return FeedbackDraft(
            verdicts=tuple(
                CriterionVerdict.not_assessed(criterion.id)
                if level is None
                else CriterionVerdict.assessed(criterion.id, level, request.answer[:20], "Weil …")
                for criterion, level in zip(request.criteria, self.levels, strict=True)
            ),
            strengths="Du nennst die Energie.",
            next_step="Erkläre, was mit der Energie geschieht.",
            question="Und nachts?",
            flags=self.flags,
            engine=EngineInfo("fake", "fake-1", "sha256:0", "1", is_model=True),
        )


def judged(room: Classroom, engine: FakeEngine, submission: Submission) -> FeedbackRequest:
    with room.database.begin(room.service) as db:
        request = assessment.request_for(db, submission.id)
    draft = engine.give_feedback(request)
    with room.database.begin(room.service) as db:
        assessment.keep_feedback(db, submission.id, draft)
    return request
