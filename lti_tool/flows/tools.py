"""What the steps of jobs work with, and how a job waits for another try."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from feedback_engine.contract import FeedbackEngine, PageReader
from lti_tool.core import jobs
from lti_tool.core.clock import Clock
from lti_tool.core.db import Begin, service_of
from lti_tool.core.files import FileStore
from lti_tool.core.hosts import LaneBook
from lti_tool.core.jobs import Claim
from lti_tool.core.leases import Leases
from lti_tool.core.retries import in_one
from lti_tool.grades.ags import AgsClient
from lti_tool.people.roster_client import RosterClient
from lti_tool.people.services import KeySeal

Result = TypeVar("Result")

WAIT_FOR_ENGINE = timedelta(seconds=30)
BETWEEN_TRIES = timedelta(seconds=5)


@dataclass(frozen=True)
class Tools:
    """The roof builds it, for one model host."""

    begin: Begin
    engine: FeedbackEngine
    reader: PageReader | None  # None: no model here can read
    files: FileStore
    gradebook: AgsClient
    rosters: RosterClient
    seal: KeySeal
    clock: Clock
    leases: Leases
    lane: LaneBook  # of the host whose engine and reader these are
    attempts: int
    patience: timedelta = WAIT_FOR_ENGINE  # before a job is offered again that its host failed at

    def write(self, claim: Claim, work: Callable[[Session], Result]) -> Result:
        """A step that changes rows, in the name of the job's platform. It is done anew where
        PostgreSQL ended it for the sake of another one, so that neither a try of the job nor what
        a model has written is lost."""
        return in_one(partial(self.begin, service_of(claim.platform_id)), work)


def wait_again(shop: Tools, claim: Claim, error: str, after: timedelta, *, counts: bool) -> None:
    """The job waits for another try; `counts` against those it has."""
    # Not to the second, so that those who failed together do not come back together.
    spread = after * (1 + jitter() / 2)
    shop.write(claim, lambda db: jobs.wait_again(db, claim, error, after=spread, counts=counts))


def jitter() -> float:
    """Between 0 and 1."""
    return random.random()  # noqa: S311  # spreads retries, guards nothing
