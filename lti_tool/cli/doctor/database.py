"""What the database tells the doctor. Each function is one short look; rules are in `findings`."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select, text
from sqlalchemy.orm import Session

from lti_tool.cli.doctor.findings import Queue, RoleRights
from lti_tool.core.db import ADMIN, WORKER, Begin
from lti_tool.core.jobs import Job, JobState
from lti_tool.core.pulse import last_beat
from lti_tool.operator.findings import KnownPlatform
from lti_tool.operator.queries import known_platforms
from lti_tool.people.services import KeySeal

_ROLE = text(
    "SELECT rolname, rolsuper, rolbypassrls, EXISTS (SELECT FROM pg_tables"
    " WHERE tableowner = rolname AND schemaname = current_schema())"
    " FROM pg_roles WHERE rolname = current_user"
)


def read_time(db: Session) -> datetime:
    """The database's clock, now and not at the start of the transaction."""
    now: datetime = db.execute(select(func.clock_timestamp())).scalar_one()
    return now


def read_role(db: Session) -> RoleRights:
    return RoleRights(*db.execute(_ROLE).one())


def read_queue(begin: Begin) -> Queue:
    """The line as the worker sees it. A job whose holder died counts from the end of its lease."""
    ready_since = func.coalesce(Job.lease_until, Job.ready_at)
    open_states = (JobState.WAITING, JobState.WORKING)
    with begin(WORKER) as db:
        waiting_for: timedelta | None = db.scalar(
            select(literal_column("now()") - func.min(ready_since)).where(
                Job.state.in_(open_states), ready_since <= func.now()
            )
        )
        last_finished = db.scalar(select(func.max(Job.finished_at)))
        given_up = db.scalar(
            select(func.count()).select_from(Job).where(Job.state == JobState.GIVEN_UP)
        )
        worker_seen = last_beat(db)
    return Queue(waiting_for, last_finished, given_up or 0, worker_seen)


def read_platforms(begin: Begin, seal: KeySeal) -> list[KnownPlatform]:
    with begin(ADMIN) as db:
        return [known for _, known in known_platforms(db, seal)]
