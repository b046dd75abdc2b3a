"""Work that is there already when its course gets an own copy of the unit: it goes along."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import case, exists, select, update
from sqlalchemy.orm import Session

from lti_tool.core.errors import Conflict
from lti_tool.submissions.models import CriterionResult, Feedback, Submission
from lti_tool.submissions.states import State


def follow(
    db: Session, course_id: UUID, tasks: Mapping[UUID, UUID], criteria: Mapping[UUID, UUID]
) -> None:
    """Move what this course handed in, and what was found in it, to the copies. The database lets
    a submission go to a recorded copy of its task and nowhere else.

    Raises:
        Conflict: "feedback_under_way": an engine may be judging by the old criteria right now.
    """
    of_course = (Submission.course_id == course_id, Submission.task_id.in_(tasks))
    under_way = Submission.state.in_((State.HANDED_IN, State.TO_CHECK))
    if db.scalar(select(exists().where(*of_course, under_way))):
        raise Conflict("feedback_under_way")
    if not tasks:
        return
    db.execute(
        update(Submission)
        .where(*of_course)
        .values(task_id=case(dict(tasks), value=Submission.task_id))
    )
    found_here = select(Feedback.id).where(Feedback.course_id == course_id)
    if criteria:
        db.execute(
            update(CriterionResult)
            .where(
                CriterionResult.criterion_id.in_(criteria),
                CriterionResult.feedback_id.in_(found_here),
            )
            .values(criterion_id=case(dict(criteria), value=CriterionResult.criterion_id))
        )
