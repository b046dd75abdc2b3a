"""Which job a model host does next. Pure: no database, no clock, no network. See docs/adr/0012.

A host is a lane with slots. It holds one model at a time, and to load another takes longer than
many a job; so work is done by model in batches, and no batch keeps others waiting for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from uuid import UUID

NEVER = timedelta.max


class Urgency(IntEnum):
    """Who waits. What is more urgent goes first, whatever model it wants."""

    LIVE = 0  # handed in during a lesson: the class sits there
    HOMEWORK = 1
    REGENERATION = 2  # a teacher wants another try at what has been judged


@dataclass(frozen=True)
class Waiting:
    """A job that is ready, `ready` ago. `model` it wants; "" wants none. `waited`: its person,
    through all stages; `served`: how long ago a job of its course was begun, `NEVER` if none."""

    job_id: UUID
    urgency: Urgency
    course_id: UUID | None
    model: str
    waited: timedelta
    ready: timedelta
    served: timedelta = NEVER


@dataclass(frozen=True)
class Lane:
    """A host as it is now. `loaded`: its model, "" before the first; `busy` of its `slots` are
    taken, by jobs of that model."""

    slots: int
    busy: int = 0
    loaded: str = ""


def choose(waiting: Sequence[Waiting], lane: Lane, age_limit: timedelta) -> Waiting | None:
    """The next job for a free slot; None if there is none, or if it is better to wait until the
    slots are empty and another model can be loaded."""
    if lane.busy >= lane.slots or not waiting:
        return None
    urgent = min(job.urgency for job in waiting)
    equals = [job for job in waiting if job.urgency is urgent]
    at_once = [job for job in equals if job.model in ("", lane.loaded)]
    others = [job for job in equals if job.model not in ("", lane.loaded)]
    if at_once and not _has_turn(others, at_once, age_limit):
        return _fairest(at_once)
    if lane.busy:
        return None  # what runs ends first: two models would push one another out of memory
    oldest = max(others, key=_waited)
    return _fairest([job for job in others if job.model == oldest.model])


def _has_turn(others: Sequence[Waiting], at_once: Sequence[Waiting], age_limit: timedelta) -> bool:
    """Whether one for whom a model must be loaded has waited longer than anyone who needs none
    loaded, and too long for it."""
    if not others:
        return False
    oldest = max(others, key=_waited)
    return oldest.ready >= age_limit and oldest.waited > max(map(_waited, at_once))


def _fairest(jobs: Sequence[Waiting]) -> Waiting:
    """Round robin: the course that was served longest ago, in it who has waited longest."""
    return max(jobs, key=lambda job: (job.served, job.waited))


def _waited(job: Waiting) -> timedelta:
    return job.waited
