"""Who is enrolled in a course and whether names go out: switched while the tool looks on."""

from enum import StrEnum

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .lms import Lms
from .settings import Course, Person


class Standing(StrEnum):
    """How somebody stands in a course. Who is suspended cannot enter and is on no list of members,
    but still takes grades, as in Moodle."""

    ENROLLED = "enrolled"
    SUSPENDED = "suspended"
    AWAY = "away"


def everybody(lms: Lms) -> list[tuple[Course, list[tuple[Person, Standing]]]]:
    """Each course as it was set up, and how each of its people stands in it now."""
    with lms.store.reading() as state:
        standing = dict.fromkeys(state.away, Standing.AWAY) | dict.fromkeys(
            state.suspended, Standing.SUSPENDED
        )
    return [
        (
            course,
            [
                (lms.person(user), standing.get((course.course_id, user), Standing.ENROLLED))
                for user, _ in course.members
            ],
        )
        for course in lms.courses_as_set_up()
    ]


def enrol(lms: Lms) -> AnyResponse:
    """Out of a course, or back into it. The tool is told nothing, as with Moodle."""
    course = lms.course(request.form.get("course", ""))
    person = lms.person(request.form.get("user", ""))
    standing, place = request.form.get("standing", ""), (course.course_id, person.user_id)
    with lms.store.changing() as state:
        for of, places in ((Standing.AWAY, state.away), (Standing.SUSPENDED, state.suspended)):
            places.discard(place)
            if standing == of:
                places.add(place)
    return redirect("/practice", 303)


def share_names(lms: Lms) -> AnyResponse:
    """The school's switch for names, in launches and rosters alike."""
    with lms.store.changing() as state:
        state.names_hidden = request.form.get("share") != "1"
    return redirect("/practice", 303)
