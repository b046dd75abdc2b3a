"""Pupils who have handed in and wait, and the processes that they wait at."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from uuid_utils.compat import uuid7

from lti_tool.cli.demo.plan import free_port
from lti_tool.core.db import LAUNCH, Actor, ActorRole, Database
from lti_tool.core.embedded import EmbeddedPostgres, running_postgres
from lti_tool.core.schema import upgrade
from lti_tool.launch.models import LaunchSessionRow
from lti_tool.launch.secrets import hashed
from lti_tool.people.models import Person
from lti_tool.people.roles import Role
from lti_tool.submissions import service
from lti_tool.submissions.service import Answer
from tests.bench.house import serving
from tests.classroom import ANSWER, Classroom, enrol, open_classroom, task_of
from tests.school import launch_of


@dataclass(frozen=True)
class Pupil:
    session_id: UUID
    secret: str
    submission_id: UUID


@dataclass(frozen=True)
class Stage:
    """What runs, and who waits at it."""

    room: Classroom
    pupils: Sequence[Pupil]
    web: int
    live: int
    live_pid: int


@contextmanager
def opened_stage(pupils: int) -> Iterator[Stage]:
    with TemporaryDirectory(prefix="gustav-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own for root
        with running_postgres(folder / "postgres") as postgres:
            upgrade(postgres.owner_url)
            database = Database(postgres.app_url)
            try:
                room = open_classroom(database)
                waiting = [_wait(room, number) for number in range(pupils)]
                with _processes(postgres, folder) as (web, live, pid):
                    yield Stage(room, waiting, web, live, pid)
            finally:
                database.close()


@contextmanager
def _processes(postgres: EmbeddedPostgres, folder: Path) -> Iterator[tuple[int, int, int]]:
    web, live = free_port(), free_port()
    environment = {
        "GUSTAV_BASE_URL": f"http://127.0.0.1:{web}",
        "GUSTAV_SECRET_KEY": secrets.token_urlsafe(48),
        "GUSTAV_DATABASE_URL": postgres.app_url,
        "GUSTAV_FILES": str(folder / "files"),
    }
    gustav = [sys.executable, "-m", "lti_tool.cli"]
    at = "http://127.0.0.1"
    with (
        serving([*gustav, "web", "--bind", f"127.0.0.1:{web}"], environment, f"{at}:{web}/"),
        serving(
            [*gustav, "live", "--bind", f"127.0.0.1:{live}"],
            environment,
            f"{at}:{live}/health/events",
        ) as pid,
    ):
        yield web, live, _child_of(pid)


def _wait(room: Classroom, number: int) -> Pupil:
    """A pupil who has launched and handed in."""
    secret, session_id = secrets.token_urlsafe(32), uuid7()
    with room.database.begin(Actor(ActorRole.LAUNCH, room.school.platform_id)) as db:
        person = Person(platform_id=room.school.platform_id, sub=f"p{number}", name=f"P {number}")
        db.add(person)
        db.flush()
        enrol(db, room.school, person.id, Role.LEARNER)
    with room.database.begin(LAUNCH) as db:
        db.add(
            LaunchSessionRow(
                id=session_id,
                platform_id=room.school.platform_id,
                course_id=room.school.bio,
                person_id=person.id,
                resource_link_id=room.link_id,
                deployment_id=room.school.deployment,
                secret_hash=hashed(secret),
                browser_hash=hashed(secret),
                role=Role.LEARNER,
                locale="de",
            )
        )
    launch = replace(
        launch_of(room.school, person.id, room.school.bio, Role.LEARNER),
        resource_link_id=room.link_id,
        content_id=room.task_id,
    )
    with room.database.begin(launch.actor) as db:
        answer = Answer(f"{ANSWER} {number}", uuid7(), 1)
        handed = service.hand_in(db, launch, task_of(db, launch), answer).submission
    assert handed is not None
    return Pupil(session_id, secret, handed.id)


def _child_of(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
