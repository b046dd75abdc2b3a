"""A teacher takes a pupil's photo out of sight, shows it again, or has it deleted."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.core.clock import utc_now
from lti_tool.core.retries import in_one
from lti_tool.launch.guard import instructor, instructor_apart
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import withdrawal
from lti_tool.uploads.desk import desk
from lti_tool.uploads.service import Here

bp = Blueprint("sheets", __name__)


@bp.post("/<uuid:page_id>/hide")
@instructor
def hide(db: Session, launch: LaunchSession, page_id: UUID) -> ResponseReturnValue:
    return _back(withdrawal.hide(db, launch, page_id, utc_now()))


@bp.post("/<uuid:page_id>/show")
@instructor
def show(db: Session, launch: LaunchSession, page_id: UUID) -> ResponseReturnValue:
    return _back(withdrawal.show_again(db, launch, page_id))


@bp.post("/<uuid:page_id>/delete")
@instructor_apart
def delete(here: Here, launch: LaunchSession, page_id: UUID) -> ResponseReturnValue:
    submission_id, key = in_one(here, lambda db: withdrawal.delete(db, launch, page_id, utc_now()))
    desk().lab.forget([key])
    return _back(submission_id)


def _back(submission_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("overview.work", submission_id=submission_id, _anchor="sheets"), 303)
