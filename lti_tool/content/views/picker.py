"""The picker: what is ticked goes to the LMS, or the page is drawn again with the ticks kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.content import service
from lti_tool.content.access import find_tasks
from lti_tool.content.catalogue import choose as chosen_by
from lti_tool.content.deep_linking import DeepLinkingResponse
from lti_tool.content.models import RegularTask
from lti_tool.content.picking import PickForm, TaskFilter, ids
from lti_tool.content.views.pages import (
    Editing,
    Picking,
    asked_for,
    blank,
    editor_page,
    picker_page,
    stored,
)
from lti_tool.core.errors import Invalid
from lti_tool.launch.session import LaunchSession

Respond = Callable[[Session, LaunchSession, Sequence[RegularTask]], DeepLinkingResponse]


def pick(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """The start of deep linking. `task` in the address: ticked already."""
    chosen = ids(request.args, "task")
    return picker_page(db, launch, Picking(chosen, TaskFilter.read(request.args)))


def choose(db: Session, launch: LaunchSession, respond: Respond) -> ResponseReturnValue:
    """One of the picker's buttons."""
    asked_for(launch)
    form = PickForm.read(request.form)
    chosen = chosen_by(db, launch, form)
    page = Picking(chosen, form.wanted, form.opened)
    if form.edit is not None:
        task = service.find_own_task(db, launch, form.edit)
        return editor_page(db, launch, Editing(stored(db, task), task.id, chosen=chosen))
    if form.action == "new":
        return editor_page(db, launch, blank(db, launch, chosen, form.wanted.unit_id))
    if form.action not in ("link", "cancel"):
        return picker_page(db, launch, page)
    if form.action == "link" and not chosen:
        return picker_page(db, launch, replace(page, problem="none"))
    tasks = find_tasks(db, launch, chosen) if form.action == "link" else []
    try:
        response = respond(db, launch, tasks)
    except Invalid as refused:
        return picker_page(db, launch, _with_problems(page, tasks, refused.problems))
    return render_template("content/returning.html", response=response, tasks=tasks)


def _with_problems(page: Picking, tasks: list[RegularTask], problems: dict[str, str]) -> Picking:
    named = tuple((t, problems[str(t.id)]) for t in tasks if str(t.id) in problems)
    return replace(page, problem=problems.get("tasks", ""), refused=named)
