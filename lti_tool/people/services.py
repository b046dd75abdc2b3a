"""Registered platforms and our keys for them; what launches and rosters say about people.

Writing down people is idempotent (upserts on the LMS's own ids): a launch may come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.errors import Conflict, NotFound, ToolError
from lti_tool.core.outbound import origin_of
from lti_tool.people.models import (
    Deployment,
    DeploymentState,
    Membership,
    Person,
    Platform,
    PlatformKey,
    PlatformState,
)
from lti_tool.people.tokens import SigningKey, TokenEndpoint

KEY_OVERLAP = timedelta(hours=48)


class KeyUnreadable(ToolError):
    """A stored private key does not open: the secret key of the tool is another one by now."""


@dataclass(frozen=True)
class PlatformSpec:
    """What an admin says about a platform; all four addresses are absolute URLs."""

    name: str
    issuer: str
    client_id: str
    auth_url: str
    token_url: str
    jwks_url: str
    deployment_ids: tuple[str, ...] = ()


KEYS_AT_HAND = 64


class KeySeal:
    """Private keys as they lie in the database: PKCS #8, encrypted with the tool's secret.

    Opening one is slow on purpose, so opened ones stay in this process's memory.
    """

    def __init__(self, secret: str) -> None:
        self._password = secret.encode()
        self.open = lru_cache(maxsize=KEYS_AT_HAND)(self._open)

    def seal(self, key: rsa.RSAPrivateKey) -> str:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(self._password),
        ).decode()

    def _open(self, pem: str) -> rsa.RSAPrivateKey:
        """Raises KeyUnreadable."""
        try:
            key = serialization.load_pem_private_key(pem.encode(), self._password)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyUnreadable("private key") from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise KeyUnreadable("private key")
        return key


def add_platform(
    db: Session,
    spec: PlatformSpec,
    seal: KeySeal,
    *,
    platform_id: UUID | None = None,
    state: PlatformState = PlatformState.ACTIVE,
) -> Platform:
    """Register a platform, with a key pair of its own and its deployments already allowed.

    `platform_id`: an id whose key set address the platform has been told already.

    Raises:
        Conflict: "client_id_taken": another registration has this client_id. Sharing one would let
            a hostile platform pass our signatures on (security catalogue, 0.3).
    """
    if db.scalar(select(Platform.id).where(Platform.client_id == spec.client_id)):
        raise Conflict("client_id_taken")
    platform = Platform(
        id=platform_id or uuid7(),
        state=state,
        name=spec.name,
        issuer=spec.issuer,
        client_id=spec.client_id,
        auth_url=spec.auth_url,
        token_url=spec.token_url,
        jwks_url=spec.jwks_url,
    )
    db.add(platform)
    db.flush()
    new_key(db, platform, seal)
    for deployment_id in spec.deployment_ids:
        allow_deployment(db, platform, deployment_id)
    return platform


def rotate_key(db: Session, platform: Platform, seal: KeySeal) -> str:
    """Sign with a fresh pair from now on; returns its kid. The older public keys stay in the key
    set for two days: platforms fetch it when they like, and a signed proof may be under way."""
    # One after the other: two at once would keep two keys that sign.
    db.execute(
        select(Platform.id).where(Platform.id == platform.id).with_for_update(key_share=True)
    )
    db.execute(
        update(PlatformKey)
        .where(PlatformKey.platform_id == platform.id, PlatformKey.retired_at.is_(None))
        .values(retired_at=func.now() + KEY_OVERLAP)
    )
    return new_key(db, platform, seal)


def forget_retired_keys(db: Session) -> None:
    """A private key that no longer signs is a secret for nothing."""
    db.execute(delete(PlatformKey).where(PlatformKey.retired_at <= func.now()))


def new_key(db: Session, platform: Platform, seal: KeySeal) -> str:
    """A fresh RSA-2048 pair; returns its kid. Whoever registers a platform may write down its key
    and not read it back."""
    kid = str(uuid7())
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    row = {"id": uuid7(), "platform_id": platform.id, "kid": kid, "private_pem": seal.seal(private)}
    db.execute(insert(PlatformKey).values(row))
    return kid


def platform_keys(db: Session, platform_id: UUID) -> Sequence[PlatformKey]:
    """Our keys for one platform that still count, newest first. Raises NotFound without any."""
    keys = db.scalars(
        select(PlatformKey)
        .where(
            PlatformKey.platform_id == platform_id,
            func.coalesce(PlatformKey.retired_at > func.now(), True),
        )
        .order_by(PlatformKey.id.desc())
    ).all()
    if not keys:
        raise NotFound("platform key")
    return keys


def signing_key(db: Session, platform_id: UUID, seal: KeySeal) -> SigningKey:
    """What we sign with at this platform. Raises NotFound, KeyUnreadable."""
    newest = platform_keys(db, platform_id)[0]
    return SigningKey(newest.kid, seal.open(newest.private_pem))


def token_endpoint(db: Session, platform_id: UUID, seal: KeySeal) -> TokenEndpoint:
    """Where the platform's services give out tokens, and our key for it."""
    platform = db.get_one(Platform, platform_id)
    return TokenEndpoint(
        platform_id=platform.id,
        client_id=platform.client_id,
        token_url=platform.token_url,
        audience=None,
        key=signing_key(db, platform_id, seal),
        more_origins=frozenset({origin_of(platform.issuer)}),
    )


def list_platforms(db: Session) -> Sequence[Platform]:
    return db.scalars(select(Platform).order_by(Platform.id)).all()


def find_platform(db: Session, name: str) -> Platform:
    """By our id, its client_id or its name. Raises NotFound."""
    found = db.scalars(
        select(Platform).where(
            or_(
                func.cast(Platform.id, Platform.name.type) == name,
                Platform.client_id == name,
                Platform.name == name,
            )
        )
    ).all()
    if len(found) != 1:
        raise NotFound("platform")
    return found[0]


def set_state(db: Session, platform: Platform, state: PlatformState) -> None:
    """Pause or resume; sessions of a paused platform end with their next request."""
    platform.state = state
    db.flush()


def remove_platform(db: Session, platform: Platform) -> None:
    """Delete the registration and everything that came with it: courses, work, feedback, scores."""
    db.delete(platform)
    db.flush()


def deployments(db: Session, platform_id: UUID) -> Sequence[Deployment]:
    return db.scalars(
        select(Deployment)
        .where(Deployment.platform_id == platform_id)
        .order_by(Deployment.deployment_id)
    ).all()


def allow_deployment(db: Session, platform: Platform, deployment_id: str) -> None:
    """From now on launches of this deployment are let in."""
    known = select(Deployment).where(
        Deployment.platform_id == platform.id, Deployment.deployment_id == deployment_id
    )
    deployment = db.scalars(known).one_or_none()
    if deployment is None:
        deployment = Deployment(platform_id=platform.id, deployment_id=deployment_id)
        db.add(deployment)
    deployment.state = DeploymentState.ACTIVE
    db.flush()


def note_deployment(db: Session, platform_id: UUID, deployment_id: str) -> None:
    """A launch named a deployment nobody has allowed: show it to the admin as waiting."""
    db.execute(
        insert(Deployment)
        .values(
            id=uuid7(),
            platform_id=platform_id,
            deployment_id=deployment_id,
            state=DeploymentState.WAITING,
        )
        .on_conflict_do_nothing()
    )


def person_in_course(db: Session, platform_id: UUID, course: UUID, sub: str) -> UUID | None:
    """Somebody of this course, by the platform's id for them; None if the course has none such."""
    return db.scalar(
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.platform_id == platform_id, Person.sub == sub, Membership.course_id == course)
    )


def teachers_of(db: Session, course: UUID) -> frozenset[UUID]:
    """Everybody who has ever come into the course as a teacher of it."""
    taught = select(Membership.person_id).where(
        Membership.course_id == course, Membership.taught_at.is_not(None)
    )
    return frozenset(db.scalars(taught))
