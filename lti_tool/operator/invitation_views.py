"""The operator's page of invitations: make one and show its address once, withdraw one."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.core.clock import utc_now
from lti_tool.core.errors import Invalid
from lti_tool.launch.registration import invitations
from lti_tool.launch.registration.models import Invitation
from lti_tool.operator import service
from lti_tool.operator.guard import door, operator
from lti_tool.operator.views import bp

__all__ = ["bp"]


@bp.get("/invitations")
@operator
def listed(db: Session) -> ResponseReturnValue:
    return _listed(db)


@bp.post("/invitations")
@operator
def invite(db: Session) -> ResponseReturnValue:
    """The answer is the page with the address: it is told once and kept nowhere."""
    form = request.form
    try:
        invitation, secret = invitations.invite(
            db,
            form.get("school", ""),
            host=form.get("host", "").strip() or None,
            share_names=form.get("share_names") == "yes",
        )
    except Invalid as no:
        return _listed(db, dict(form), no.problems), 400
    return _told(invitation, secret)


@bp.post("/platforms/<uuid:platform_id>/invite")
@operator
def invite_again(db: Session, platform_id: UUID) -> ResponseReturnValue:
    """An address with which this known platform is connected anew."""
    platform = service.get_platform(db, platform_id)
    return _told(*invitations.invite(db, platform.name, platform_id=platform.id))


@bp.post("/invitations/<uuid:invitation_id>/withdraw")
@operator
def withdraw(db: Session, invitation_id: UUID) -> ResponseReturnValue:
    invitations.withdraw(db, invitation_id)
    return redirect(url_for("operator.listed"), 303)


def _listed(
    db: Session, typed: dict[str, str] | None = None, problems: dict[str, str] | None = None
) -> str:
    return render_template(
        "operator/invitations.html",
        invitations=[(one, state_of(one)) for one in invitations.list_invitations(db)],
        typed=typed or {"share_names": "yes"},
        problems=problems or {},
    )


def _told(invitation: Invitation, secret: str) -> str:
    return render_template(
        "operator/invitation.html",
        invitation=invitation,
        address=f"{door().base_url}/register/{secret}",
    )


def state_of(invitation: Invitation) -> str:
    if invitation.used_at is not None:
        return "used"
    if invitation.withdrawn_at is not None:
        return "withdrawn"
    return "expired" if invitation.expires_at <= utc_now() else "open"
