"""The operator's way in: links that work once, sessions that end early. See docs/adr/0007.

There is no password and no account: whoever may run commands on the tool's machine is the operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.launch.secrets import Secrets, hashed, new_secret
from lti_tool.operator.models import OperatorLink, OperatorSession

LINK_LIFE = timedelta(minutes=15)
SESSION_IDLE = timedelta(minutes=30)
SESSION_LIFE = timedelta(hours=8)
TOUCH_AFTER = timedelta(minutes=1)  # not every request writes


class LinkRefused(ToolError):
    """The link is none of ours, used up or too old: the answer is the same."""


class SessionOver(ToolError):
    """This browser has no operator's session, or no longer."""


@dataclass(frozen=True)
class OperatorHere:
    """The operator in this browser."""

    session_id: UUID
    csrf_token: str


def new_link(db: Session) -> str:
    """The secret of a fresh link; it is told once."""
    secret = new_secret()
    db.add(OperatorLink(secret_hash=hashed(secret)))
    db.flush()
    return secret


def enter(db: Session, secret: str) -> str:
    """Use a link up; the secret of the session it opens. Of two at the same moment one wins.

    Raises:
        LinkRefused
    """
    link = OperatorLink
    used = (
        update(link)
        .where(
            link.secret_hash == hashed(secret),
            link.used_at.is_(None),
            link.created_at > func.now() - LINK_LIFE,
        )
        .values(used_at=func.now())
        .returning(link.id)
    )
    if db.execute(used).scalar() is None:
        raise LinkRefused
    session_secret = new_secret()
    db.add(OperatorSession(secret_hash=hashed(session_secret)))
    db.flush()
    return session_secret


def find_session(db: Session, secret: str, secrets: Secrets) -> OperatorHere:
    """The live session of this browser. Raises SessionOver."""
    row = OperatorSession
    found = db.execute(
        select(row.id, row.seen_at < func.now() - TOUCH_AFTER).where(
            row.secret_hash == hashed(secret), _alive()
        )
    ).one_or_none()
    if found is None:
        raise SessionOver
    session_id, stale = found
    if stale:
        db.execute(update(row).where(row.id == session_id).values(seen_at=func.now()))
    return OperatorHere(session_id, secrets.csrf(session_id))


def leave(db: Session, session_id: UUID) -> None:
    db.execute(delete(OperatorSession).where(OperatorSession.id == session_id))


def end_all(db: Session) -> int:
    """Nobody is the operator any more, and no link leads there; returns how many sessions ended."""
    db.execute(delete(OperatorLink))
    return len(db.execute(delete(OperatorSession).returning(OperatorSession.id)).all())


def forget_old_entries(db: Session) -> None:
    """What has run out is of no use to anyone."""
    db.execute(delete(OperatorLink).where(OperatorLink.created_at < func.now() - LINK_LIFE))
    db.execute(delete(OperatorSession).where(~_alive()))


def _alive() -> ColumnElement[bool]:
    return (OperatorSession.seen_at > func.now() - SESSION_IDLE) & (
        OperatorSession.created_at > func.now() - SESSION_LIFE
    )
