"""What a human decides: new platforms that wait, and what known ones say anew of themselves.

Our keys for a platform never change here, and before a human has agreed nothing else does either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.errors import Conflict, NotFound
from lti_tool.launch.registration.models import RegistrationChange
from lti_tool.people.models import Platform, PlatformState
from lti_tool.people.services import allow_deployment

FIELDS = ("client_id", "auth_url", "token_url", "jwks_url")


@dataclass(frozen=True)
class NewConnection:
    """What a known platform now says of itself."""

    client_id: str
    deployment_id: str | None
    auth_url: str
    token_url: str
    jwks_url: str


def record_change(db: Session, platform_id: UUID, said: NewConnection) -> None:
    """Keep it for a human. Whoever registers may write this down and not read it back."""
    db.execute(
        insert(RegistrationChange).values(
            id=uuid7(),
            platform_id=platform_id,
            client_id=said.client_id,
            deployment_id=said.deployment_id,
            auth_url=said.auth_url,
            token_url=said.token_url,
            jwks_url=said.jwks_url,
        )
    )


def waiting_changes(db: Session) -> Sequence[RegistrationChange]:
    """What still waits for a decision, oldest first."""
    return db.scalars(
        select(RegistrationChange)
        .where(RegistrationChange.activated.is_(None))
        .order_by(RegistrationChange.id)
    ).all()


def differences(platform: Platform, change: RegistrationChange) -> list[tuple[str, str, str]]:
    """Field, as it is, as it would be: what a human has to compare."""
    pairs = ((name, getattr(platform, name), getattr(change, name)) for name in FIELDS)
    return [pair for pair in pairs if pair[1] != pair[2]]


def activate_change(db: Session, change_id: UUID) -> Platform:
    """The platform is from now on what the change says. Older changes of it are settled with it.

    Raises:
        NotFound: there is none.
        Conflict: "already_decided"; "client_id_taken" by another platform meanwhile.
    """
    change = _waiting(db, change_id)
    platform = db.get_one(Platform, change.platform_id, with_for_update=True)
    taken = select(Platform.id).where(
        Platform.client_id == change.client_id, Platform.id != platform.id
    )
    if db.scalar(taken):
        raise Conflict("client_id_taken")
    for name in FIELDS:
        setattr(platform, name, getattr(change, name))
    if change.deployment_id is not None:
        allow_deployment(db, platform, change.deployment_id)
    _decide(db, change, activated=True)
    db.execute(
        update(RegistrationChange)
        .where(
            RegistrationChange.platform_id == platform.id,
            RegistrationChange.activated.is_(None),
            RegistrationChange.id < change.id,
        )
        .values(activated=False, decided_at=func.now())
    )
    return platform


def reject_change(db: Session, change_id: UUID) -> None:
    """It stays as it was. Raises NotFound, Conflict("already_decided")."""
    _decide(db, _waiting(db, change_id), activated=False)


def activate_platform(db: Session, platform_id: UUID) -> Platform:
    """Let in a platform that was connected and waits. Raises NotFound, Conflict("not_waiting")."""
    platform = db.get(Platform, platform_id, with_for_update=True)
    if platform is None:
        raise NotFound("platform")
    if platform.state is not PlatformState.WAITING:
        raise Conflict("not_waiting")
    platform.state = PlatformState.ACTIVE
    db.flush()
    return platform


def _waiting(db: Session, change_id: UUID) -> RegistrationChange:
    change = db.get(RegistrationChange, change_id, with_for_update=True)
    if change is None:
        raise NotFound("registration change")
    if change.activated is not None:
        raise Conflict("already_decided")
    return change


def _decide(db: Session, change: RegistrationChange, *, activated: bool) -> None:
    now = db.scalars(select(func.now())).one()
    change.activated, change.decided_at = activated, now
    db.flush()
