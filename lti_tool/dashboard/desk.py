"""A pupil's work as it lies before the teacher, and how its feedback came to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.content.access import find_task
from lti_tool.content.models import Criterion, RegularTask
from lti_tool.dashboard.forms import ReviewForm
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import review, service
from lti_tool.submissions.models import Feedback, Submission
from lti_tool.submissions.shown import Change, Origin, changes, origin_of


@dataclass(frozen=True)
class Desk:
    """A pupil's work as it lies before the teacher."""

    submission: Submission
    task: RegularTask
    criteria: list[Criterion]

    @property
    def stored(self) -> ReviewForm:
        return ReviewForm.of(self.submission.feedback, self.criteria)


@dataclass(frozen=True)
class PastVersion:
    version: Feedback
    origin: Origin
    changes: tuple[Change, ...]


def open_desk(db: Session, launch: LaunchSession, submission_id: UUID) -> Desk:
    """Raises NotFound: none that this teacher may see."""
    submission = service.find(db, launch, submission_id)
    task = find_task(db, launch, submission.task_id)
    return Desk(submission, task, review.criteria_of(db, submission))


def history(versions: Sequence[Feedback]) -> list[PastVersion]:
    """All versions, newest first, each with what it changed of the one before."""
    return [
        PastVersion(one, origin_of(one), tuple(changes(was, one)) if was else ())
        for one, was in zip_longest(versions, versions[1:])
    ]
