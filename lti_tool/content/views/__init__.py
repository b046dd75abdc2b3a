"""The teacher's pages about tasks: the picker of deep linking, the editor, and "no task here"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.content.deep_linking import Addresses, DeepLinkingResponse, response_form
from lti_tool.content.models import RegularTask
from lti_tool.content.views import editor, picker
from lti_tool.content.views.pages import asked_for
from lti_tool.core.clock import utc_now
from lti_tool.launch.guard import instructor, member
from lti_tool.launch.session import LaunchSession
from lti_tool.people.roles import Role
from lti_tool.people.tokens import SigningKey

FindSigningKey = Callable[[Session, UUID], SigningKey]


def blueprint(signing_key: FindSigningKey, addresses: Addresses) -> Blueprint:
    """All pages of this context. `signing_key` finds our key for a platform; `addresses` are what
    an activity that is made here needs to know."""

    def respond(
        db: Session, launch: LaunchSession, tasks: Sequence[RegularTask]
    ) -> DeepLinkingResponse:
        return response_form(
            tasks,
            asked_for(launch),
            signing_key(db, launch.platform_id),
            issuer=launch.issuer,
            client_id=launch.client_id,
            addresses=addresses,
            now=utc_now(),
        )

    def choose(db: Session, launch: LaunchSession) -> ResponseReturnValue:
        return picker.choose(db, launch, respond)

    bp = Blueprint("content", __name__, template_folder="../templates")
    bp.add_url_rule("/pick", "pick", instructor(picker.pick))
    bp.add_url_rule("/pick", "choose", instructor(choose), methods=["POST"])
    bp.add_url_rule("/tasks/new", "new", instructor(editor.new))
    bp.add_url_rule("/tasks/new", "create", instructor(editor.create), methods=["POST"])
    bp.add_url_rule("/tasks/<uuid:task_id>", "edit", instructor(editor.edit))
    bp.add_url_rule("/tasks/<uuid:task_id>", "change", instructor(editor.change), methods=["POST"])
    bp.add_url_rule("/missing", "missing", member(missing))
    return bp


def missing(_db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """The activity names no task, or one that is gone."""
    return render_template("content/missing.html", teaching=launch.role is Role.INSTRUCTOR)
