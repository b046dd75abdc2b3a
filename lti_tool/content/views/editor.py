"""The task editor: a new task, a stored one, and where one comes out after saving."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content import service, spec
from lti_tool.content.forms import TaskForm
from lti_tool.content.models import RegularTask
from lti_tool.content.picking import ids
from lti_tool.content.views.pages import (
    Editing,
    Picking,
    Preview,
    blank,
    editor_page,
    offered_levels,
    picker_page,
    sent_new_id,
    stored,
)
from lti_tool.core import markdown
from lti_tool.core.errors import Conflict, Invalid
from lti_tool.launch.session import LaunchSession

SAVE, SAVE_AND_NEXT = "save", "save-next"


def new(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """An empty editor."""
    return editor_page(db, launch, blank(db, launch))


def create(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """One of the editor's buttons, for a task that is not stored yet."""
    sent = _sent()
    wanted = _after_button(sent)
    if isinstance(wanted, Editing):
        return editor_page(db, launch, wanted)
    task = service.create_task(db, launch, wanted, sent_new_id())
    if launch.deep_linking is None:
        return _look_at_it(task)
    chosen = tuple(dict.fromkeys((*sent.chosen, task.id)))
    if request.form.get("action") == SAVE_AND_NEXT:
        form = sent.form.followed_by(service.unit_of(db, task).id)
        following = Editing(form, new_id=uuid7(), chosen=chosen, written=task.title)
        return editor_page(db, launch, following)
    return picker_page(db, launch, Picking(chosen, written=task.title))


def edit(db: Session, launch: LaunchSession, task_id: UUID) -> ResponseReturnValue:
    """The editor with a stored task."""
    form = stored(db, service.find_own_task(db, launch, task_id))
    return editor_page(db, launch, Editing(form, task_id, saved="saved" in request.args))


def change(db: Session, launch: LaunchSession, task_id: UUID) -> ResponseReturnValue:
    """One of the editor's buttons, for a stored task."""
    task = service.find_own_task(db, launch, task_id)
    sent = _sent(task_id)
    wanted = _after_button(sent)
    if isinstance(wanted, Editing):
        return editor_page(db, launch, wanted)
    try:
        task = service.change_task(db, launch, task_id, sent.form.seen_version, wanted)
    except Conflict:
        theirs = stored(db, task)
        mine = replace(sent.form, version=theirs.version)
        return editor_page(db, launch, replace(sent, form=mine, theirs=theirs, status=409))
    if launch.deep_linking is None:
        return _look_at_it(task)
    return picker_page(db, launch, Picking(sent.chosen, written=task.title))


def _sent(task_id: UUID | None = None) -> Editing:
    form = TaskForm.read(request.form, offered_levels())
    return Editing(form, task_id, chosen=ids(request.form, "task"), unsaved=True)


def _after_button(sent: Editing) -> Editing | spec.TaskSpec:
    """The page to show again, or the task to store."""
    action = request.form.get("action", "")
    if action == "preview":
        prompt = markdown.trusted(markdown.render(sent.form.prompt))
        return replace(sent, preview=Preview(sent.form, prompt))
    if action not in (SAVE, SAVE_AND_NEXT):
        return replace(sent, form=sent.form.changed_by(action))
    try:
        return sent.form.check()
    except Invalid as refused:
        return replace(sent, problems=refused.problems, status=422)


def _look_at_it(task: RegularTask) -> ResponseReturnValue:
    """Outside of deep linking one looks at a saved task once more."""
    return redirect(url_for(".edit", task_id=task.id, saved=1), 303)
