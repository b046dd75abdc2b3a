"""Invitations: a one-time address with which one school may connect its platform.

The invitation's own id becomes the id of the platform that is connected with it, so our key set has
its address before the platform has a name for us, and one invitation cannot make two platforms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from lti_tool.core.errors import Conflict, Invalid, NotFound
from lti_tool.core.outbound import OutboundRefused
from lti_tool.core.outbound.addresses import DEFAULT_PORTS, parse_target
from lti_tool.launch.registration.models import Invitation
from lti_tool.launch.registration.refusals import RegistrationRefused, Why
from lti_tool.launch.secrets import hashed, new_secret

LIFETIME = timedelta(hours=24)
CLAIM_LIFE = timedelta(minutes=2)  # longer than all requests of one registration together
LONGEST_NAME = 200


def invite(
    db: Session,
    school: str,
    *,
    host: str | None = None,
    share_names: bool = True,
    platform_id: UUID | None = None,
    lifetime: timedelta = LIFETIME,
) -> tuple[Invitation, str]:
    """A new invitation and its secret, which is told once and kept hashed.

    `host`: only a platform of this host[:port] may use it; then it is active at once.
    `platform_id`: to connect this known platform anew.

    Raises:
        Invalid: "school", "host".
    """
    name = school.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid({"school": "missing" if not name else "invalid"})
    secret = new_secret()
    now = db.scalars(select(func.now())).one()
    invitation = Invitation(
        secret_hash=hashed(secret),
        school=name,
        host=read_host(host) if host else None,
        share_names=share_names,
        platform_id=platform_id,
        expires_at=now + lifetime,
    )
    db.add(invitation)
    db.flush()
    return invitation, secret


def list_invitations(db: Session) -> Sequence[Invitation]:
    """All of them, newest first."""
    return db.scalars(select(Invitation).order_by(Invitation.id.desc())).all()


def withdraw(db: Session, invitation_id: UUID) -> Invitation:
    """From now on nobody gets in with it.

    Raises:
        NotFound: there is none.
        Conflict: "already_used".
    """
    invitation = db.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None:
        raise NotFound("invitation")
    if invitation.used_at is not None:
        raise Conflict("already_used")
    invitation.withdrawn_at = invitation.withdrawn_at or db.scalars(select(func.now())).one()
    db.flush()
    return invitation


def find_open(db: Session, secret: str) -> Invitation:
    """The invitation with this secret, if it can still be used. Raises RegistrationRefused."""
    found = db.execute(
        select(Invitation, Invitation.expires_at <= func.now()).where(
            Invitation.secret_hash == hashed(secret)
        )
    ).one_or_none()
    if found is None:
        raise RegistrationRefused(Why.INVITATION_UNKNOWN)
    invitation, expired = found
    if invitation.used_at is not None:
        raise RegistrationRefused(Why.INVITATION_USED)
    if invitation.withdrawn_at is not None:
        raise RegistrationRefused(Why.INVITATION_WITHDRAWN)
    if expired:
        raise RegistrationRefused(Why.INVITATION_EXPIRED)
    return invitation


def claim(db: Session, invitation: Invitation) -> datetime:
    """Take it for one registration; the answer is the proof for `use` and `release`. A claim whose
    holder died is free again after a while.

    Raises:
        RegistrationRefused: INVITATION_BUSY.
    """
    free = Invitation.claimed_at.is_(None) | (Invitation.claimed_at < func.now() - CLAIM_LIFE)
    still_open = Invitation.withdrawn_at.is_(None) & (Invitation.expires_at > func.now())
    claimed = db.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.used_at.is_(None), free, still_open)
        .values(claimed_at=func.clock_timestamp())
        .returning(Invitation.claimed_at)
    ).scalar_one_or_none()
    if claimed is None:
        raise RegistrationRefused(Why.INVITATION_BUSY)
    return claimed


def use(db: Session, invitation_id: UUID, claimed: datetime) -> None:
    """It has done its work, for ever. Raises RegistrationRefused if the claim is no longer ours."""
    used = db.execute(
        update(Invitation)
        .where(_held(invitation_id, claimed), Invitation.withdrawn_at.is_(None))
        .values(used_at=func.now())
        .returning(Invitation.id)
    ).scalar_one_or_none()
    if used is None:
        raise RegistrationRefused(Why.INVITATION_BUSY)


def release(db: Session, invitation_id: UUID, claimed: datetime) -> None:
    """Nothing came of it: the same invitation may be tried again."""
    db.execute(update(Invitation).where(_held(invitation_id, claimed)).values(claimed_at=None))


def note_platform(db: Session, invitation_id: UUID, platform_id: UUID) -> None:
    """Which platform was connected with it; see `platform_of_keyset`."""
    db.execute(
        update(Invitation).where(Invitation.id == invitation_id).values(platform_id=platform_id)
    )


def platform_of_keyset(db: Session, keyset_id: UUID) -> UUID | None:
    """The platform whose keys are shown under an invitation's own id. A known platform that is
    connected anew is told that address and finds our same keys there."""
    return db.scalar(select(Invitation.platform_id).where(Invitation.id == keyset_id))


def _held(invitation_id: UUID, claimed: datetime) -> ColumnElement[bool]:
    return (
        (Invitation.id == invitation_id)
        & (Invitation.claimed_at == claimed)
        & Invitation.used_at.is_(None)
    )


def read_host(typed: str) -> str:
    """`host` or `host:port` out of what somebody typed, an address too. Raises Invalid."""
    address = typed.strip().lower()
    try:
        return host_of(address if "://" in address else f"https://{address}")
    except OutboundRefused:
        raise Invalid({"host": "invalid"}) from None


def host_of(url: str) -> str:
    """The host of an address, with the port where it is not the scheme's own. Raises
    OutboundRefused."""
    target = parse_target(url)
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == DEFAULT_PORTS[target.scheme] else f"{host}:{target.port}"
