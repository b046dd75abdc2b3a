"""Taking the next job for a host: what PostgreSQL knows, judged by the policy of `lanes.py`.

Whoever takes for a host does so alone, over all workers, so its slots are never taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from lti_tool.core import jobs
from lti_tool.core.db import WORKER, Begin
from lti_tool.core.hosts import Host, LaneRow, Models, may_try
from lti_tool.core.jobs import Claim, JobKind
from lti_tool.core.lanes import NEVER, Lane, Urgency, Waiting, choose
from lti_tool.core.statements import ask, in_single_file


@dataclass(frozen=True)
class Rules:
    """`lease` of what is taken; `age_limit`: so long the model that is loaded goes first; `others`:
    there are more hosts, so what one has failed at is left to them for a while."""

    lease: timedelta
    age_limit: timedelta
    others: bool = False


def take(begin: Begin, host: Host, models: Models, rules: Rules) -> Claim | None:
    """Claim the job that this host does next; None if there is none for it now."""
    with begin(WORKER) as db:
        in_single_file(db, "lane", host.address)
        lane, able = _state_of(db, host, models)
        if lane.busy >= lane.slots or not able:
            return None
        waiting = _heads(db, host, models, able, rules)
        while (chosen := choose(list(waiting), lane, rules.age_limit)) is not None:
            claim = jobs.claim(db, chosen.job_id, lease=rules.lease, host=host.address)
            if claim is not None:
                _used(db, host, claim.kind, models[claim.kind])
                return claim
            del waiting[chosen]  # another host was faster
        return None


def _state_of(db: Session, host: Host, models: Models) -> tuple[Lane, set[JobKind]]:
    """The host as it is, and the kinds of work that it may be given."""
    rows = ask(db, _STATE, {"host": host.address})
    known = [row for row in rows if models.get(JobKind(row.kind)) == row.model]
    used = [row for row in rows if row.model and row.used_at is not None]
    newest = max(used, key=lambda row: row.used_at, default=None)
    lane = Lane(
        slots=host.slots,
        busy=sum({row.kind: row.busy for row in rows}.values()),
        loaded=newest.model if newest else "",
    )
    able = {
        JobKind(row.kind)
        for row in known
        if may_try(row.failures, resting=bool(row.resting), busy=row.busy)
    }
    return lane, able


def _heads(
    db: Session, host: Host, models: Models, able: set[JobKind], rules: Rules
) -> dict[Waiting, None]:
    """Of each urgency, kind and course the one that has waited longest: nobody else can be next."""
    rows = ask(
        db,
        _HEADS,
        {"kinds": [kind.value for kind in able], "host": host.address, "others": rules.others},
    )
    return {
        Waiting(
            job_id=row.id,
            urgency=Urgency(row.urgency),
            course_id=row.course_id,
            model=models[JobKind(row.kind)],
            waited=row.waited,
            ready=row.ready,
            served=NEVER if row.served is None else row.served,
        ): None
        for row in rows
    }


def _used(db: Session, host: Host, kind: JobKind, model: str) -> None:
    lane = update(LaneRow).where(LaneRow.host == host.address, LaneRow.kind == kind)
    db.execute(lane.where(LaneRow.model == model).values(used_at=func.clock_timestamp()))


_STATE = """
SELECT l.kind, l.model, l.failures, l.resting_until > now() AS resting, l.used_at, (
    SELECT count(*) FROM jobs j
    WHERE j.host = l.host AND j.kind = l.kind AND j.state = 'working' AND j.lease_until > now()
  ) AS busy
FROM lanes l WHERE l.host = %(host)s
"""
_HEADS = """
SELECT head.*, now() - (
    SELECT max(s.started_at) FROM jobs s WHERE s.course_id = head.course_id AND s.host IS NOT NULL
  ) AS served
FROM (
  SELECT DISTINCT ON (urgency, kind, course_id)
    id, urgency, kind, course_id, now() - since AS waited, now() - ready_at AS ready
  FROM jobs
  WHERE kind = ANY(%(kinds)s)
    AND ((state = 'waiting' AND ready_at <= now()) OR (state = 'working' AND lease_until < now()))
    AND (%(others)s AND host = %(host)s AND ready_at > now() - interval '30 s'
         AND last_error IN ('EngineUnavailable', 'EngineMisconfigured')) IS NOT TRUE
  ORDER BY urgency, kind, course_id, since, id
) head
"""
