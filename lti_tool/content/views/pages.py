"""The two pages that lead to each other, picker and editor. What is ticked in the picker goes along
into the editor and back in hidden fields: there are too many ids for an address, and until the
LMS has it a choice is nothing worth keeping."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content import service, spec
from lti_tool.content.catalogue import lay_out
from lti_tool.content.forms import NEW_UNIT, TaskForm
from lti_tool.content.models import RegularTask
from lti_tool.content.picking import TaskFilter
from lti_tool.core.errors import NotFound
from lti_tool.core.http import address_pupil
from lti_tool.launch.session import DeepLinking, LaunchSession


@dataclass(frozen=True)
class Picking:
    """One state of the picker's page. `problem` is one of the whole choice; `refused` are chosen
    tasks that the LMS would not take, each with its reason. `written`: a title, just saved."""

    chosen: tuple[UUID, ...] = ()
    wanted: TaskFilter = field(default_factory=TaskFilter)
    opened: frozenset[UUID] = frozenset()
    problem: str = ""
    refused: tuple[tuple[RegularTask, str], ...] = ()
    written: str = ""

    @property
    def status(self) -> int:
        return 422 if self.problem or self.refused else 200


@dataclass(frozen=True)
class Preview:
    """A task as pupils will see it, from a form that need not be complete."""

    form: TaskForm
    prompt: Markup


@dataclass(frozen=True)
class Editing:
    """One state of the editor's page. `theirs`: what somebody else has stored meanwhile. `chosen`
    is ticked in the picker that this page came from. `written`: the task before this one."""

    form: TaskForm
    task_id: UUID | None = None
    new_id: UUID | None = None
    problems: dict[str, str] = field(default_factory=dict)
    preview: Preview | None = None
    theirs: TaskForm | None = None
    chosen: tuple[UUID, ...] = ()
    written: str = ""
    saved: bool = False
    unsaved: bool = False
    status: int = 200

    def levels_open(self, number: int) -> bool:
        """Whether the levels of a row are to be seen at once: something in them needs a look."""
        return any(name.startswith(f"criterion-{number}-level") for name in self.problems)


def picker_page(db: Session, launch: LaunchSession, page: Picking) -> ResponseReturnValue:
    """Raises NotFound: one of the chosen is not theirs, or nobody asked for a choice."""
    asked = asked_for(launch)
    html = render_template(
        "content/picker.html",
        page=page,
        shelf=lay_out(db, launch, page.wanted, page.chosen, page.opened),
        chosen=frozenset(page.chosen),
        asked=asked,
        several=asked.accept_multiple,
    )
    return html, page.status


def editor_page(db: Session, launch: LaunchSession, page: Editing) -> ResponseReturnValue:
    address_pupil(formal=page.preview is not None and page.preview.form.formal)
    html = render_template(
        "content/editor.html",
        page=page,
        form=page.form,
        units=service.own_units(db, launch),
        sections=service.own_section_titles(db, launch),
        limits=spec,
        new_id=None if page.task_id else page.new_id or sent_new_id(),
    )
    return html, page.status


def blank(
    db: Session, launch: LaunchSession, chosen: tuple[UUID, ...] = (), unit_id: UUID | None = None
) -> Editing:
    """An empty editor, in this unit if it is one of theirs, else in their newest."""
    own = [unit.id for unit in service.own_units(db, launch)]
    unit = unit_id if unit_id in own else next(iter(own), None)
    title = "" if own else launch.course_title
    form = TaskForm.blank(offered_levels(), str(unit or NEW_UNIT), title)
    return Editing(form, new_id=uuid7(), chosen=chosen)


def stored(db: Session, task: RegularTask) -> TaskForm:
    return TaskForm.of(task, service.section_of(db, task), offered_levels())


def asked_for(launch: LaunchSession) -> DeepLinking:
    """Raises NotFound: nobody asked this session to choose anything."""
    if launch.deep_linking is None:
        raise NotFound("deep_linking")
    return launch.deep_linking


def offered_levels() -> tuple[str, ...]:
    return (_("noch nicht"), _("teilweise"), _("weitgehend"), _("voll"))


def sent_new_id() -> UUID:
    """The id that the task of this editor will have; the form carries it from page to page."""
    try:
        return UUID(request.form.get("new_id", ""))
    except ValueError:
        return uuid7()
