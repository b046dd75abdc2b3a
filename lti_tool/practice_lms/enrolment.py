"""Who is enrolled in a course and whether names go out: switched while the tool looks on."""

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .lms import Lms
from .settings import Course, Person


def everybody(lms: Lms) -> list[tuple[Course, list[tuple[Person, bool]]]]:
    """Each course as it was set up, and of each of its people whether they are enrolled now."""
    with lms.store.reading() as state:
        away = frozenset(state.away)
    return [
        (
            course,
            [
                (lms.person(user), (course.course_id, user) not in away)
                for user, _ in course.members
            ],
        )
        for course in lms.courses_as_set_up()
    ]


def enrol(lms: Lms) -> AnyResponse:
    """Out of a course, or back into it. The tool is told nothing, as with Moodle."""
    course = lms.course(request.form.get("course", ""))
    person = lms.person(request.form.get("user", ""))
    with lms.store.changing() as state:
        if request.form.get("enrolled") == "1":
            state.away.discard((course.course_id, person.user_id))
        else:
            state.away.add((course.course_id, person.user_id))
    return redirect("/practice", 303)


def share_names(lms: Lms) -> AnyResponse:
    """The school's switch for names, in launches and rosters alike."""
    with lms.store.changing() as state:
        state.names_hidden = request.form.get("share") != "1"
    return redirect("/practice", 303)
