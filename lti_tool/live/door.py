"""Who may hear of a submission, and how far it is: asked when a stream opens, and at each news."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from lti_tool.core.db import LAUNCH, Begin
from lti_tool.launch.secrets import Secrets
from lti_tool.launch.session import SESSION_COOKIE, find_session
from lti_tool.submissions.news import phase_now
from lti_tool.submissions.shown import Phase

LOOKS_AT_ONCE = 4  # threads, and connections to the database, for all streams together


@dataclass(frozen=True)
class Asked:
    """What a browser asks to hear of, and with what it proves its session."""

    session_id: UUID
    submission_id: UUID
    secret: str | None


@dataclass(frozen=True)
class LiveDoor:
    """The guard's checks, for a process without pages."""

    begin: Begin
    secrets: Secrets
    idle: timedelta
    life: timedelta
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(LOOKS_AT_ONCE))

    async def look(self, asked: Asked) -> Phase:
        """How far the submission is. No connection is held between two looks.

        Raises:
            SessionGone: there is no such session (any more), or its cookie is another one.
            NotFound: nothing that this session may see.
            SQLAlchemyError: the database does not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look, asked)

    def _look(self, asked: Asked) -> Phase:
        with self.begin(LAUNCH) as db:
            launch = find_session(
                db,
                asked.session_id,
                asked.secret,
                secrets=self.secrets,
                idle=self.idle,
                life=self.life,
            )
            return phase_now(db, launch, asked.submission_id)


def session_cookie(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The session's cookie among a request's headers."""
    for name, value in headers:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, _, secret = pair.strip().partition("=")
                if key == SESSION_COOKIE:
                    return secret
    return None
