"""What the operator is shown of the platforms: moments, counts and codes, and nobody's name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.core.db import acting_as, service_of
from lti_tool.core.errors import NotFound
from lti_tool.grades.models import GradeSync, SyncState
from lti_tool.launch.models import SecurityEvent
from lti_tool.launch.registration.changes import waiting_changes
from lti_tool.operator.findings import Exchange, KnownPlatform
from lti_tool.people.health import Errand, health_of
from lti_tool.people.models import DeploymentState, Membership, Platform, PlatformKey
from lti_tool.people.services import (
    KeySeal,
    KeyUnreadable,
    deployments,
    list_platforms,
    platform_keys,
    signing_key,
)

REFUSALS_OF = timedelta(days=1)


def known_platforms(db: Session, seal: KeySeal) -> list[tuple[Platform, KnownPlatform]]:
    """Every platform, with what there is to know about it."""
    refusals = _refusals(db)
    changes = [change.platform_id for change in waiting_changes(db)]
    return [
        (platform, _known(db, platform, seal, refusals[platform.id], changes.count(platform.id)))
        for platform in list_platforms(db)
    ]


def known_platform(db: Session, platform: Platform, seal: KeySeal) -> KnownPlatform:
    changes = [change.platform_id for change in waiting_changes(db)]
    refusals = _refusals(db)[platform.id]
    return _known(db, platform, seal, refusals, changes.count(platform.id))


def our_keys(db: Session, platform_id: UUID) -> Sequence[PlatformKey]:
    """Those that still count, newest first; none is a finding, and no reason for no page."""
    try:
        return platform_keys(db, platform_id)
    except NotFound:
        return ()


def _known(
    db: Session, platform: Platform, seal: KeySeal, refusals: Mapping[str, int], changes: int
) -> KnownPlatform:
    waiting = (d for d in deployments(db, platform.id) if d.state is DeploymentState.WAITING)
    key_opens = _key_opens(db, platform, seal)
    exchanges = _exchanges(db, platform.id)
    with acting_as(db, service_of(platform.id)):
        last_launch = db.scalar(select(func.max(Membership.launched_at)))
        last_score = db.scalar(select(func.max(GradeSync.posted_at)))
        failed = select(func.count()).where(GradeSync.state == SyncState.FAILED)
        failed_scores = db.scalar(failed) or 0
    return KnownPlatform(
        name=platform.name,
        state=platform.state,
        key_opens=key_opens,
        waiting_deployments=tuple(d.deployment_id for d in waiting),
        waiting_changes=changes,
        last_launch=last_launch,
        last_score=last_score,
        failed_scores=failed_scores,
        exchanges=exchanges,
        refusals=refusals,
    )


def _key_opens(db: Session, platform: Platform, seal: KeySeal) -> bool:
    try:
        signing_key(db, platform.id, seal)
    except (KeyUnreadable, NotFound):
        return False
    return True


def _exchanges(db: Session, platform_id: UUID) -> dict[Errand, Exchange]:
    return {
        errand: Exchange(row.succeeded_at, row.failed_at, row.error or "", tuple(row.unusable))
        for errand, row in health_of(db, platform_id).items()
    }


def _refusals(db: Session) -> Mapping[UUID, Mapping[str, int]]:
    """Launches refused in the last day, by platform and reason."""
    rows = db.execute(
        select(SecurityEvent.platform_id, SecurityEvent.reason, func.count())
        .where(SecurityEvent.at > func.now() - REFUSALS_OF, SecurityEvent.platform_id.is_not(None))
        .group_by(SecurityEvent.platform_id, SecurityEvent.reason)
    )
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for platform_id, reason, count in rows:
        if platform_id is not None:
            found[platform_id][reason] = count
    return found
