"""How far an attempt is, in one question: for those who only want to know whether that changed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.core.errors import NotFound
from lti_tool.core.line import InLine
from lti_tool.core.statements import ask
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions.shown import Phase, phase_of
from lti_tool.submissions.states import State


def phase_now(db: Session, launch: LaunchSession, submission_id: UUID) -> Phase:
    """What its pupil is told about it at this moment.

    Raises:
        NotFound: it does not exist, or is nothing that this person may see.
    """
    found = ask(db, _HOW_FAR, {"id": submission_id, "link": launch.resource_link_id})
    if not found:
        raise NotFound("submission")
    row = found[0]
    line = None
    if row.at_work is not None:
        line = InLine(None if row.at_work else 0, None, row.last_error, row.reading)
    return phase_of(State(row.state), line)


# By hand, because it is asked at each step of each submission whose page is open.
_HOW_FAR = """
SELECT s.state, j.state = 'working' AS at_work, j.kind = 'read_pages' AS reading, j.last_error
FROM submissions s LEFT JOIN jobs j ON j.subject_id = s.id
  AND j.kind IN ('read_pages', 'give_feedback') AND j.state IN ('waiting', 'working')
WHERE s.id = %(id)s AND s.resource_link_id = %(link)s
"""
