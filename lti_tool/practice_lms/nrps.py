"""NRPS: who is in the course, with Moodle's short role names and its forgetful paging."""

from flask import Response, request

from .claims import CLAIM, MEMBERSHIP, OUTCOME_CLAIM, basic_outcome, names_shared
from .lms import Lms
from .services import MEMBERS, RefusedError, json_answer, need_accept, number
from .settings import Course, Person, Role
from .store import Activity
from .tokens import MEMBERS_SCOPE, need_token

# In NRPS, unlike in a launch, a non-editing teacher is only a Learner.
ROLE_NAMES = {Role.TEACHER: "Instructor", Role.ASSISTANT: "Learner", Role.PUPIL: "Learner"}


def members(lms: Lms, course_id: str, type_id: str) -> Response:
    need_accept(MEMBERS, or_any=True)
    need_token(lms, MEMBERS_SCOPE)
    if type_id != lms.tool.deployment_id:
        raise RefusedError(403)
    course = lms.course(course_id)
    activity = _activity(lms, course_id)
    wanted = _wanted_role()
    people = [p for p in lms.active_in(course) if wanted in (None, _role_name(course, p))]
    limit = max(number("limit"), 0)
    start = number("from") if limit else 0
    page = people[start : start + limit] if limit else people
    url = lms.members_url(course_id)
    body = {
        "id": url,
        "context": {"id": course.course_id, "label": course.label, "title": course.title},
        "members": [_member(lms, course, person, activity) for person in page],
    }
    answer = json_answer(body, MEMBERS)
    if limit and start + limit < len(people):
        rest = f"&rlid={activity.link_id}" if activity else ""
        answer.headers["Link"] = f'<{url}?limit={limit}&from={start + limit}{rest}>; rel="next"'
    return answer


def _activity(lms: Lms, course_id: str) -> Activity | None:
    """The link of `rlid`, if one is asked for. Raises `RefusedError` 404."""
    link_id = request.args.get("rlid")
    if not link_id:
        return None
    with lms.store.reading() as state:
        activity = state.activities.get(link_id)
    if activity is None or activity.course_id != course_id:
        raise RefusedError(404)
    return activity


def _wanted_role() -> str | None:
    """Instructor or Learner, short or in full; anything else is ignored, and everybody comes."""
    role = request.args.get("role", "").removeprefix(MEMBERSHIP)
    return role if role in ("Instructor", "Learner") else None


def _role_name(course: Course, person: Person) -> str:
    return ROLE_NAMES[course.role_of(person.user_id) or Role.PUPIL]


def _member(
    lms: Lms, course: Course, person: Person, activity: Activity | None
) -> dict[str, object]:
    member: dict[str, object] = {"status": "Active", "roles": [_role_name(course, person)]}
    if activity:
        member["message"] = [_message(lms, person, activity)]
    member |= {"user_id": person.user_id, "lis_person_sourcedid": ""}
    if lms.tool.share_names:
        member["ext_user_username"] = person.username
    return member | names_shared(person, lms.tool)


def _message(lms: Lms, person: Person, activity: Activity) -> dict[str, object]:
    return {
        f"{CLAIM}/message_type": "LtiResourceLinkRequest",
        OUTCOME_CLAIM: basic_outcome(lms.base_url, activity, person),
    }
