"""Who do you want to be, the course, an activity with the tool in a frame."""

from urllib.parse import urlencode

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from .lms import Lms, PageError
from .oidc import initiate
from .settings import Course, Person, Role
from .shell import activity_for, course_for, log_in, need_teacher, origin, page, say, visitor
from .texts import ROLE_NAMES

GRADE_REPORT = "gradeReport"
HANDHELD = ("Android", "iPhone", "iPad", "Mobile")
POWERS = ("microphone", "camera", "geolocation", "midi", "encrypted-media", "autoplay")


def start(lms: Lms) -> Response:
    """Everybody, grouped by the role in the first course they are in."""
    groups: dict[Role, list[Person]] = {role: [] for role in Role}
    for person in lms.settings.people:
        for course in lms.courses_of(person)[:1]:
            groups[course.role_of(person.user_id) or Role.PUPIL].append(person)
    shown = {role.value: people for role, people in groups.items() if people}
    return page("start.html", groups=shown, role_names=ROLE_NAMES)


def login(lms: Lms) -> AnyResponse:
    person = lms.person(request.form.get("user", ""))
    answer = redirect(f"/as/{person.user_id}/course", 303)
    log_in(lms, answer, person)  # type: ignore[arg-type]
    return answer


def first_course(lms: Lms, user_id: str) -> AnyResponse:
    person = visitor(lms, user_id)
    courses = lms.courses_of(person)
    if not courses:
        raise PageError(404, "Nicht gefunden", "Diesen Kurs gibt es hier nicht.")
    return redirect(f"/as/{user_id}/course/{courses[0].course_id}")


def course(lms: Lms, user_id: str, course_id: str) -> Response:
    person = visitor(lms, user_id)
    here = course_for(lms, person, course_id)
    with lms.store.reading() as state:
        activities = state.activities_of(course_id)
        maxima = {item.column_of: item.maximum for item in state.items_of(course_id)}
    return page(
        "course.html",
        person=person,
        course=here,
        courses=lms.courses_of(person),
        is_teacher=here.role_of(user_id) is Role.TEACHER,
        others=_others(lms, here),
        may_add=lms.tool_is_in_chooser,
        activities=[(activity, maxima.get(activity.link_id)) for activity in activities],
        notices=lms.take_notices(person),
    )


def add(lms: Lms, user_id: str, course_id: str) -> Response:
    """The tool's picker in a frame, for the teacher."""
    person = visitor(lms, user_id)
    here = course_for(lms, person, course_id)
    need_teacher(here, person)
    if lms.registered_tool and not lms.tool_is_in_chooser:
        raise PageError(
            403, "Nicht in der Auswahl", "Das Werkzeug ist nicht in der Aktivitätsauswahl."
        )
    source = f"/as/{user_id}/course/{course_id}/select"
    return page(
        "frame.html", person=person, course=here, source=source, allow=_allow(lms), activity=None
    )


def select(lms: Lms, user_id: str, course_id: str) -> Response:
    """Inside that frame: begin deep linking."""
    person = visitor(lms, user_id)
    here = course_for(lms, person, course_id)
    need_teacher(here, person)
    return initiate(lms, person, here, None, "iframe")


def activity(lms: Lms, user_id: str, link_id: str) -> AnyResponse:
    """The tool in a frame; phones and tablets go there in the same window, as with Moodle."""
    person = visitor(lms, user_id)
    here = activity_for(lms, link_id)
    its_course = course_for(lms, person, here.course_id)
    source = f"/as/{user_id}/activity/{link_id}/launch"
    if _is_handheld():
        return redirect(source)
    wanted = {name: request.args[name] for name in ("action", "user") if name in request.args}
    return page(
        "frame.html",
        person=person,
        course=its_course,
        activity=here,
        is_teacher=its_course.role_of(user_id) is Role.TEACHER,
        source=_address(source, wanted),
        window=_address(source, wanted | {"container": "window"}),
        allow=_allow(lms),
    )


def grade(lms: Lms, user_id: str, link_id: str) -> AnyResponse:
    """From a grade to the work behind it. `?user=` whose; without it, that of everybody."""
    person = visitor(lms, user_id)
    here = activity_for(lms, link_id)
    wanted = {"action": GRADE_REPORT} | request.args.to_dict()
    if wanted.get("user", user_id) != user_id:
        _need_to_teach(course_for(lms, person, here.course_id), person)
    return redirect(_address(f"/as/{user_id}/activity/{link_id}", wanted))


def launch(lms: Lms, user_id: str, link_id: str) -> Response:
    """`?container=window` for a launch in an own window; the default is the frame, and the same
    window on phones and tablets. `?action=gradeReport&user=` for a submission review."""
    person = visitor(lms, user_id)
    here = activity_for(lms, link_id)
    container = "window" if request.args.get("container") == "window" else "iframe"
    return initiate(
        lms,
        person,
        course_for(lms, person, here.course_id),
        here,
        "frame" if _is_handheld() else container,
        review=request.args.get("action") == GRADE_REPORT,
        for_user=request.args.get("user"),
    )


def delete(lms: Lms, user_id: str, link_id: str) -> AnyResponse:
    """The activity, its column and its grades go; the tool is told nothing, as with Moodle."""
    person = visitor(lms, user_id)
    here = activity_for(lms, link_id)
    need_teacher(course_for(lms, person, here.course_id), person)
    with lms.store.changing() as state:
        state.activities.pop(link_id, None)
        for item in state.items_of(here.course_id):
            if item.column_of == link_id:
                state.remove_item(item.item_id)
    lms.leave_notice(person, say("Die Aktivität wurde gelöscht."))
    return redirect(f"/as/{user_id}/course/{here.course_id}", 303)


def come_back(lms: Lms, user_id: str) -> Response:
    """The return_url of a launch; shows `lti_msg` and `lti_errormsg` on the course page."""
    person = visitor(lms, user_id)
    here = course_for(lms, person, request.args.get("course", ""))
    for message in filter(None, map(request.args.get, ("lti_msg", "lti_errormsg"))):
        lms.leave_notice(person, message)
    return page("leave_frame.html", url=f"/as/{user_id}/course/{here.course_id}")


def _address(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _need_to_teach(course: Course, person: Person) -> None:
    if course.role_of(person.user_id) is Role.PUPIL:
        raise PageError(403, "Kein Zugang", "Das dürfen hier nur Lehrkräfte.")


def _is_handheld() -> bool:
    told = request.headers.get("User-Agent", "")
    return any(word in told for word in HANDHELD)


def _others(lms: Lms, course: Course) -> list[Person]:
    """Who could still be enrolled; only copies take anybody in."""
    if not course.history:
        return []
    return [one for one in lms.settings.people if course.role_of(one.user_id) is None]


def _allow(lms: Lms) -> str:
    """Moodle's list; clipboard-write is not on it."""
    tool_origin = origin(lms.tool.target_link_uri)
    return "; ".join([*(f"{power} {tool_origin}" for power in POWERS), "fullscreen"])
