"""Writing and reading tasks, each in a transaction of its own, as the tests tell it."""

from uuid import UUID

from lti_tool.content import access, service
from lti_tool.content.models import RegularTask, Unit
from lti_tool.content.spec import CriterionSpec, TaskSpec
from lti_tool.core.db import Database
from lti_tool.launch.session import LaunchSession
from tests.school import School, launch_of
from tests.specs import FOTOSYNTHESE, spec


def written(
    database: Database, launch: LaunchSession, wanted: TaskSpec = FOTOSYNTHESE
) -> RegularTask:
    with database.begin(launch.actor) as db:
        task = service.create_task(db, launch, wanted)
        assert task.criteria
        return task


def tasks_in(
    database: Database, launch: LaunchSession, unit_title: str, how_many: int
) -> list[RegularTask]:
    """A new unit with this many tasks, in one transaction."""
    with database.begin(launch.actor) as db:
        first = service.create_task(
            db, launch, spec(title=f"{unit_title} 1", unit_title=unit_title)
        )
        unit_id = service.unit_of(db, first).id
        more = [
            spec(title=f"{unit_title} {number}", unit_id=unit_id, unit_title="")
            for number in range(2, how_many + 1)
        ]
        return [first, *(service.create_task(db, launch, wanted) for wanted in more)]


def seen(database: Database, launch: LaunchSession, task_id: UUID) -> RegularTask:
    with database.begin(launch.actor) as db:
        return access.find_task(db, launch, task_id)


def changed(
    database: Database, launch: LaunchSession, task: RegularTask, version: int, wanted: TaskSpec
) -> RegularTask:
    with database.begin(launch.actor) as db:
        return service.change_task(db, launch, task.id, version, wanted)


def as_specs(task: RegularTask) -> list[CriterionSpec]:
    return [
        CriterionSpec(c.title, c.description, c.weight, tuple(c.levels), c.id)
        for c in task.criteria
    ]


def unit_of(database: Database, launch: LaunchSession, task: RegularTask) -> Unit:
    with database.begin(launch.actor) as db:
        return service.unit_of(db, task)


def written_at(
    database: Database, school: School, wanted: TaskSpec = FOTOSYNTHESE, by_planck: bool = False
) -> RegularTask:
    person, course = (school.planck, school.physics) if by_planck else (school.curie, school.bio)
    launch = launch_of(school, person, course)
    with database.begin(launch.actor) as db:
        return service.create_task(db, launch, wanted)
