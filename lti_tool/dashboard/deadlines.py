"""The teacher's half of deadlines: until when the course may hand in, and single pupils longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.content.access import task_here
from lti_tool.core.errors import Invalid
from lti_tool.core.speech import WALL
from lti_tool.dashboard import queries
from lti_tool.launch.guard import instructor
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import deadlines

bp = Blueprint("deadlines", __name__)


@dataclass(frozen=True)
class ShownDeadline:
    """`pupil`: whose it is; None: the course's."""

    pupil: queries.Row | None
    until: datetime


def shown(db: Session, launch: LaunchSession) -> Sequence[ShownDeadline]:
    """The course's deadline, if there is one, and then those of single pupils."""
    return [
        ShownDeadline(
            queries.person_here(db, launch, one.person_id) if one.person_id else None, one.until
        )
        for one in deadlines.of_activity(db, launch)
    ]


@bp.post("/deadline")
@instructor
def change(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Set, move or lift a deadline; a later one opens the activity again."""
    task_here(db, launch)
    until, person_id = _read(request.form)
    if person_id is not None:
        queries.person_here(db, launch, person_id)
    deadlines.set_deadline(db, launch, until, person_id)
    return redirect(url_for("overview.activity", _anchor="deadline"), 303)


def _read(sent: Mapping[str, str]) -> tuple[datetime | None, UUID | None]:
    """The time on the school's wall, and for whom. Raises Invalid."""
    typed, person = sent.get("until", ""), sent.get("person", "")
    try:
        until = datetime.fromisoformat(typed).replace(tzinfo=WALL) if typed else None
        return until and until.astimezone(UTC), UUID(person) if person else None
    except (ValueError, OverflowError):
        raise Invalid({"until": "not_a_time"}) from None
