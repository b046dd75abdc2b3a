"""The gradebook: the teacher sees all of it and may override and lock, a pupil sees their own."""

from dataclasses import dataclass, replace

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .grading import LockedGradeError, override
from .lms import Lms, PageError
from .settings import Course, Person, Role
from .shell import course_for, language, need_teacher, page, visitor
from .store import Grade, LineItem


@dataclass(frozen=True)
class Cell:
    """One grade, ready to be shown."""

    item: LineItem
    person: Person
    grade: Grade
    points: str
    maximum: str


def show(lms: Lms, user_id: str, course_id: str) -> Response:
    person = visitor(lms, user_id)
    course = course_for(lms, person, course_id)
    is_pupil = course.role_of(user_id) is Role.PUPIL
    pupils = [person] if is_pupil else lms.people_in(course, Role.PUPIL)
    with lms.store.reading() as state:
        items = state.items_of(course_id)
        grades = dict(state.grades)
    rows = [
        (
            pupil,
            [
                _cell(item, pupil, grades.get((item.item_id, pupil.user_id), Grade()))
                for item in items
            ],
        )
        for pupil in pupils
    ]
    template = "my_grades.html" if is_pupil else "gradebook.html"
    editable = course.role_of(user_id) is Role.TEACHER
    return page(template, person=person, course=course, items=items, rows=rows, editable=editable)


def _cell(item: LineItem, person: Person, grade: Grade) -> Cell:
    points = "" if grade.points is None else number_text(grade.points)
    return Cell(item, person, grade, points, number_text(item.maximum))


def number_text(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language() == "de" else text


def set_grade(lms: Lms, user_id: str, item_id: str, pupil_id: str) -> AnyResponse:
    """The form of one cell. `action`: save | release (give up the override) | lock | unlock."""
    item = _own_item(lms, user_id, item_id)
    lms.person(pupil_id)
    action = request.form.get("action", "save")
    with lms.store.changing() as state:
        old = state.grades.get((item_id, pupil_id), Grade())
        if action == "release":
            new = replace(old, overridden=False)
        elif action in ("lock", "unlock"):
            new = replace(old, locked=action == "lock")
        else:
            new = _overridden(lms, item, old)
        state.grades[item_id, pupil_id] = new
    return _back(user_id, item.course_id)


def _overridden(lms: Lms, item: LineItem, old: Grade) -> Grade:
    typed = request.form.get("points", "").strip().replace(",", ".")
    try:
        points = float(typed) if typed else None
        return override(
            item, old, points, request.form.get("feedback", "").strip() or None, lms.seconds()
        )
    except ValueError as problem:
        raise PageError(400, "Ungültige Punktzahl", "Bitte eine Zahl eingeben.") from problem
    except LockedGradeError as problem:
        raise PageError(409, "Gesperrt", "Diese Bewertung ist gesperrt.") from problem


def change_column(lms: Lms, user_id: str, item_id: str) -> AnyResponse:
    """The form of one column. `action`: lock | unlock | remove (as if grading was switched off)."""
    item = _own_item(lms, user_id, item_id)
    action = request.form.get("action")
    with lms.store.changing() as state:
        if action == "remove":
            state.remove_item(item_id)
            return _back(user_id, item.course_id)
        locked = action == "lock"
        state.line_items[item_id] = replace(state.line_items[item_id], locked=locked)
    return _back(user_id, item.course_id)


def _own_item(lms: Lms, user_id: str, item_id: str) -> LineItem:
    """A column of a course in which this person teaches. Raises `PageError`."""
    person = visitor(lms, user_id)
    with lms.store.reading() as state:
        item = state.line_items.get(item_id)
    if item is None:
        raise PageError(404, "Nicht gefunden", "Diese Notenspalte gibt es nicht (mehr).")
    course: Course = course_for(lms, person, item.course_id)
    need_teacher(course, person)
    return item


def _back(user_id: str, course_id: str) -> AnyResponse:
    return redirect(f"/as/{user_id}/course/{course_id}/gradebook", 303)
