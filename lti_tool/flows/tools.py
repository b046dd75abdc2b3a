"""What the steps of jobs work with, and how a job waits for another try."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from feedback_engine.contract import FeedbackEngine, PageReader
from lti_tool.core import jobs
from lti_tool.core.clock import Clock
from lti_tool.core.db import Begin, service_of
from lti_tool.core.files import FileStore
from lti_tool.core.hosts import LaneBook
from lti_tool.core.jobs import Claim
from lti_tool.core.leases import Leases
from lti_tool.grades.ags import AgsClient
from lti_tool.people.roster_client import RosterClient
from lti_tool.people.services import KeySeal

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


def wait_again(shop: Tools, claim: Claim, error: str, after: timedelta, *, counts: bool) -> None:
    """The job waits for another try; `counts` against those it has."""
    with shop.begin(service_of(claim.platform_id)) as db:
        # Not to the second, so that those who failed together do not come back together.
        jobs.wait_again(db, claim, error, after=after * (1 + jitter() / 2), counts=counts)


def jitter() -> float:
    """Between 0 and 1."""
    return random.random()  # noqa: S311  # spreads retries, guards nothing
