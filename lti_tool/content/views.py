"""The teacher's pages about tasks: the picker of deep linking, the editor, and "no task here"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content import service, spec
from lti_tool.content.access import find_tasks
from lti_tool.content.catalogue import list_tasks, without
from lti_tool.content.deep_linking import response_form
from lti_tool.content.forms import NEW_UNIT, TaskForm
from lti_tool.content.models import RegularTask
from lti_tool.core import markdown
from lti_tool.core.clock import utc_now
from lti_tool.core.errors import Conflict, Invalid, NotFound
from lti_tool.launch.guard import instructor, member
from lti_tool.launch.session import DeepLinking, LaunchSession
from lti_tool.people.roles import Role
from lti_tool.people.tokens import SigningKey

FindSigningKey = Callable[[Session, UUID], SigningKey]


def blueprint(signing_key: FindSigningKey, launch_url: str) -> Blueprint:
    """All pages of this context. `signing_key` finds our key for a platform; `launch_url` is where
    an activity that was made here will launch to."""

    def choose(db: Session, launch: LaunchSession) -> ResponseReturnValue:
        return _choose(db, launch, signing_key, launch_url)

    bp = Blueprint("content", __name__, template_folder="templates")
    bp.add_url_rule("/pick", "pick", instructor(pick))
    bp.add_url_rule("/pick", "choose", instructor(choose), methods=["POST"])
    bp.add_url_rule("/tasks/new", "new", instructor(new))
    bp.add_url_rule("/tasks/new", "create", instructor(create), methods=["POST"])
    bp.add_url_rule("/tasks/<uuid:task_id>", "edit", instructor(edit))
    bp.add_url_rule("/tasks/<uuid:task_id>", "change", instructor(change), methods=["POST"])
    bp.add_url_rule("/missing", "missing", member(missing))
    return bp


def missing(_db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """The activity names no task, or one that is gone."""
    return render_template("content/missing.html", teaching=launch.role is Role.INSTRUCTOR)


def pick(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """The start of deep linking. `task` in the address: ticked already, because just written."""
    chosen = find_tasks(db, launch, _ids(request.args.getlist("task")))
    return _picker(db, launch, chosen)


def _choose(
    db: Session, launch: LaunchSession, signing_key: FindSigningKey, launch_url: str
) -> ResponseReturnValue:
    """What is ticked goes to the LMS; or the search is done again with the ticks kept."""
    asked = _asked(launch)
    action = request.form.get("action", "")
    chosen = find_tasks(db, launch, _ids(request.form.getlist("task")))
    if action not in ("link", "cancel"):
        return _picker(db, launch, chosen)
    if action == "link" and not chosen:
        return _picker(db, launch, chosen, problem="none"), 422
    tasks = chosen if action == "link" else []
    key = signing_key(db, launch.platform_id)
    try:
        response = response_form(
            tasks,
            asked,
            key,
            issuer=launch.issuer,
            client_id=launch.client_id,
            launch_url=launch_url,
            now=utc_now(),
        )
    except Invalid as refused:
        return _picker(db, launch, chosen, problem=refused.problems["tasks"]), 422
    return render_template("content/returning.html", response=response, tasks=tasks)


def new(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """An empty editor."""
    units = service.own_units(db, launch)
    unit = str(units[0].id) if units else NEW_UNIT
    form = TaskForm.blank(_offered_levels(), unit, "" if units else launch.course_title)
    return _editor(db, launch, Editing(form))


def create(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """One of the editor's buttons, for a task that is not stored yet."""
    sent = Editing(TaskForm.read(request.form, _offered_levels()), unsaved=True)
    wanted = _after_button(sent)
    if isinstance(wanted, Editing):
        return _editor(db, launch, wanted)
    task = service.create_task(db, launch, wanted, _new_id())
    return redirect(_after_saving(launch, task), 303)


def edit(db: Session, launch: LaunchSession, task_id: UUID) -> ResponseReturnValue:
    """The editor with a stored task."""
    form = _stored(db, service.find_own_task(db, launch, task_id))
    return _editor(db, launch, Editing(form, task_id, saved="saved" in request.args))


def change(db: Session, launch: LaunchSession, task_id: UUID) -> ResponseReturnValue:
    """One of the editor's buttons, for a stored task."""
    task = service.find_own_task(db, launch, task_id)
    sent = Editing(TaskForm.read(request.form, _offered_levels()), task_id, unsaved=True)
    wanted = _after_button(sent)
    if isinstance(wanted, Editing):
        return _editor(db, launch, wanted)
    try:
        task = service.change_task(db, launch, task_id, sent.form.seen_version, wanted)
    except Conflict:
        theirs = _stored(db, task)
        mine = replace(sent.form, version=theirs.version)
        return _editor(db, launch, replace(sent, form=mine, theirs=theirs, status=409))
    return redirect(_after_saving(launch, task), 303)


@dataclass(frozen=True)
class Preview:
    """A task as pupils will see it, from a form that need not be complete."""

    form: TaskForm
    prompt: Markup


@dataclass(frozen=True)
class Editing:
    """One state of the editor's page. `theirs`: what somebody else has stored meanwhile."""

    form: TaskForm
    task_id: UUID | None = None
    problems: dict[str, str] = field(default_factory=dict)
    preview: Preview | None = None
    theirs: TaskForm | None = None
    saved: bool = False
    unsaved: bool = False
    status: int = 200

    def levels_open(self, number: int) -> bool:
        """Whether the levels of a row are to be seen at once: something in them needs a look."""
        return any(name.startswith(f"criterion-{number}-level") for name in self.problems)


def _after_button(sent: Editing) -> Editing | spec.TaskSpec:
    """The page to show again, or the task to store."""
    action = request.form.get("action", "")
    if action == "preview":
        prompt = markdown.trusted(markdown.render(sent.form.prompt))
        return replace(sent, preview=Preview(sent.form, prompt))
    if action != "save":
        return replace(sent, form=sent.form.changed_by(action))
    try:
        return sent.form.check()
    except Invalid as refused:
        return replace(sent, problems=refused.problems, status=422)


def _editor(db: Session, launch: LaunchSession, page: Editing) -> ResponseReturnValue:
    units = service.own_units(db, launch)
    html = render_template(
        "content/editor.html",
        page=page,
        form=page.form,
        units=units,
        limits=spec,
        new_id=None if page.task_id else _new_id(),
    )
    return html, page.status


def _picker(
    db: Session, launch: LaunchSession, chosen: list[RegularTask], problem: str = ""
) -> str:
    asked = _asked(launch)
    search = request.values.get("q", "").strip()[:100]
    found = list_tasks(db, launch, search)
    return render_template(
        "content/picker.html",
        found=bool(found),
        units=without(found, {task.id for task in chosen}),
        chosen=chosen,
        several=asked.accept_multiple,
        search=search,
        problem=problem,
        written="written" in request.args,
    )


def _after_saving(launch: LaunchSession, task: RegularTask) -> str:
    """In deep linking a written task is about to be used; elsewhere one looks at it once more."""
    if launch.deep_linking is not None:
        return url_for(".pick", task=task.id, written=1)
    return url_for(".edit", task_id=task.id, saved=1)


def _new_id() -> UUID:
    """The id that the task of this editor will have; the form carries it from page to page."""
    try:
        return UUID(request.form.get("new_id", ""))
    except ValueError:
        return uuid7()


def _asked(launch: LaunchSession) -> DeepLinking:
    """Raises NotFound: nobody asked this session to choose anything."""
    if launch.deep_linking is None:
        raise NotFound("deep_linking")
    return launch.deep_linking


def _stored(db: Session, task: RegularTask) -> TaskForm:
    return TaskForm.of(task, service.unit_of(db, task).id, _offered_levels())


def _offered_levels() -> tuple[str, ...]:
    return (_("noch nicht"), _("teilweise"), _("weitgehend"), _("voll"))


def _ids(values: list[str]) -> list[UUID]:
    """Raises NotFound: what is not an id names nothing."""
    try:
        return [UUID(value) for value in values]
    except ValueError:
        raise NotFound("task") from None
