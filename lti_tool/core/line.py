"""Where an open job stands among those who wait for a model, and how long it will take.

One statement, because everybody who waits asks for it. The numbers come from all platforms; who
waits there stays hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.core.statements import ask


@dataclass(frozen=True)
class InLine:
    """`ahead`: so many others before it (None: it is being done right now). `wait`: until feedback
    is there, by the rates that were measured; None if nobody knows. `last_error`: the code of the
    last try, if there was one. `reading`: its photos are read first."""

    ahead: int | None
    wait: timedelta | None
    last_error: str | None
    reading: bool = False


def in_line(db: Session, subject_id: UUID) -> InLine | None:
    """Where the open job for this subject stands; None if there is no open one."""
    found = ask(db, _IN_LINE, {"subject": subject_id})
    if not found:
        return None
    row = found[0]
    wait = None if row.seconds is None else timedelta(seconds=row.seconds)
    return InLine(None if row.at_work else row.ahead, wait, row.last_error, row.reading)


_IN_LINE = """
SELECT j.state = 'working' AS at_work, j.kind = 'read_pages' AS reading, j.last_error,
  line.ahead, line.seconds
FROM jobs j, LATERAL job_in_line(j.id) AS line
WHERE j.subject_id = %(subject)s AND j.kind IN ('read_pages', 'give_feedback')
  AND j.state IN ('waiting', 'working')
ORDER BY j.kind DESC LIMIT 1
"""
