"""What the school year does to a course: copied for the next class, people enrolled, deleted.

As in Moodle 4.5 the tool hears nothing of it. A copy has new ids for course, activities and
columns; custom parameters, resource ids and tags stay, and so does what hangs on what.
"""

from dataclasses import replace

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .lms import Lms, PageError
from .settings import Course, Person, Role
from .shell import course_for, need_teacher, say, visitor
from .store import State


def copy(lms: Lms, user_id: str, course_id: str) -> AnyResponse:
    """`users`: with its people and their grades; otherwise only the teachers come along."""
    person, source = _taught(lms, user_id, course_id)
    with_users = "users" in request.form
    with lms.store.changing() as state:
        new = replace(
            source,
            course_id=str(state.new_id()),
            label=f"{source.label}-K",
            title=request.form.get("title", "").strip() or f"{source.title} ({say('Kopie')})",
            members=source.members if with_users else _teachers(source),
            history=(source.course_id, *source.history),
        )
        state.courses[new.course_id] = new
        _copy_content(state, source, new, with_grades=with_users)
    return _to(person, new)


def enrol(lms: Lms, user_id: str, course_id: str) -> AnyResponse:
    """Somebody becomes a pupil of a course that is a copy."""
    person, _ = _taught(lms, user_id, course_id)
    joined = lms.person(request.form.get("user", ""))
    with lms.store.changing() as state:
        if course_id not in state.courses:
            raise PageError(409, "Ungültige Anfrage", "Nur in kopierte Kurse wird eingeschrieben.")
        course = state.courses[course_id]
        state.away.discard((course_id, joined.user_id))
        if course.role_of(joined.user_id) is None:
            members = (*course.members, (joined.user_id, Role.PUPIL))
            state.courses[course_id] = replace(course, members=members)
    return _to(person, course)


def delete(lms: Lms, user_id: str, course_id: str) -> AnyResponse:
    """The course goes with its activities, columns and grades."""
    person, course = _taught(lms, user_id, course_id)
    with lms.store.changing() as state:
        for activity in state.activities_of(course_id):
            del state.activities[activity.link_id]
        for item in state.items_of(course_id):
            state.remove_item(item.item_id)
        state.courses.pop(course_id, None)
        state.deleted.add(course_id)
    lms.leave_notice(person, say("Der Kurs „{title}“ wurde gelöscht.", title=course.title))
    return redirect("/" if not lms.courses_of(person) else f"/as/{user_id}/course", 303)


def _taught(lms: Lms, user_id: str, course_id: str) -> tuple[Person, Course]:
    person = visitor(lms, user_id)
    course = course_for(lms, person, course_id)
    need_teacher(course, person)
    return person, course


def _teachers(course: Course) -> tuple[tuple[str, Role], ...]:
    return tuple(member for member in course.members if member[1] is not Role.PUPIL)


def _copy_content(state: State, source: Course, new: Course, *, with_grades: bool) -> None:
    links: dict[str | None, str] = {}
    for activity in state.activities_of(source.course_id):
        link_id = links[activity.link_id] = str(state.new_id())
        state.activities[link_id] = replace(
            activity, link_id=link_id, cmid=state.new_id(), course_id=new.course_id
        )
    for item in state.items_of(source.course_id):
        item_id = str(state.new_id())
        state.line_items[item_id] = replace(
            item,
            item_id=item_id,
            course_id=new.course_id,
            column_of=links.get(item.column_of),
            link_id=links.get(item.link_id),
        )
        if with_grades:
            restored = {user: g for (of, user), g in state.grades.items() if of == item.item_id}
            state.grades |= {(item_id, user): grade for user, grade in restored.items()}


def _to(person: Person, course: Course) -> AnyResponse:
    return redirect(f"/as/{person.user_id}/course/{course.course_id}", 303)
