"""Third-party-initiated login and the authentication endpoint (LTI Security Framework, 5.1.1).

Refuses what Moodle refuses, in Moodle's way: a wrong redirect_uri gets a page of our own, all else
is posted to the tool as `error`. Stricter: the lti_message_hint must come back to the letter.
"""

import json
from urllib.parse import urlencode

from flask import Response, request

from .claims import Place, token_claims
from .line_items import claimed_item
from .lms import Launch, Lms, PageError
from .settings import Course, Person
from .shell import anybody_logged_in, is_logged_in, language, repost_page, submit_form
from .store import Activity

FIELDS = (
    "scope",
    "response_type",
    "client_id",
    "redirect_uri",
    "login_hint",
    "nonce",
    "lti_message_hint",
)


class AuthError(Exception):
    """Posted to the tool as `error` and `error_description`."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error, self.description = error, description


def initiate(
    lms: Lms,
    person: Person,
    course: Course,
    activity: Activity | None,
    container: str,
    *,
    review: bool = False,
    for_user: str | None = None,
) -> Response:
    """A form that posts itself to the tool's login address. `activity=None` begins deep linking,
    `review` a submission review."""
    tool = lms.tool
    launch_id = f"ltilaunch{activity.link_id if activity else ''}_{lms.new_token()[:12]}"
    cmid = {"cmid": activity.cmid} if activity else {}
    hint = json.dumps(cmid | {"launchid": launch_id}, separators=(",", ":"))
    lms.launches[launch_id] = Launch(
        launch_id, person, course, activity, container, language(), hint, review, for_user
    )
    return submit_form(
        tool.login_url,
        {
            "iss": lms.base_url,
            "target_link_uri": activity.url if activity else tool.deep_link_url,
            "login_hint": person.user_id,
            "lti_message_hint": hint,
            "client_id": tool.client_id,
            "lti_deployment_id": tool.deployment_id,
        },
    )


def authenticate(lms: Lms) -> Response:
    """GET or POST /auth."""
    asked = request.values
    if not anybody_logged_in() and "repost" not in asked:
        return repost_page(lms, "/auth")
    redirect_uri = asked.get("redirect_uri", "")
    if redirect_uri not in lms.tool.redirect_uris:
        raise PageError(
            404,
            "Ungültige Anfrage",
            "Die Rücksprungadresse des Werkzeugs ist hier nicht eingetragen.",
        )
    try:
        launch = _launch(lms)
    except AuthError as refused:
        fields = {"error": refused.error}
        if refused.description:
            fields["error_description"] = refused.description
    else:
        claims = token_claims(launch, lms.tool, _place(lms, launch), asked["nonce"], lms.seconds())
        fields = {"id_token": lms.signing_key.sign(claims)}
    if "state" in asked:
        fields["state"] = asked["state"]
    return submit_form(redirect_uri, fields)


def _launch(lms: Lms) -> Launch:
    """The launch this request belongs to, which is used up by asking. Raises `AuthError`."""
    asked = request.values
    if not all(asked.get(name) for name in FIELDS):
        raise AuthError("invalid_request")
    if asked["scope"] != "openid":
        raise AuthError("invalid_scope")
    if asked["response_type"] != "id_token":
        raise AuthError("unsupported_response_type")
    launch = lms.launches.pop(_launch_id(asked["lti_message_hint"]), None)
    if launch is None or launch.hint != asked["lti_message_hint"]:
        raise AuthError("invalid_request", "No launch id in LTI hint")
    if asked["client_id"] != lms.tool.client_id:
        raise AuthError("unauthorized_client")
    if asked["login_hint"] != launch.person.user_id or not is_logged_in(lms, launch.person.user_id):
        raise AuthError("access_denied")
    _check_manner()
    return launch


def _check_manner() -> None:
    asked = request.values
    if asked.get("response_mode") != "form_post":
        kind = "Invalid" if "response_mode" in asked else "Missing"
        raise AuthError("invalid_request", f"{kind} response_mode")
    if asked.get("prompt", "") not in ("", "none"):
        raise AuthError("invalid_request", "Invalid prompt")


def _launch_id(hint: str) -> str:
    try:
        content = json.loads(hint)
    except ValueError:
        return ""
    return str(content.get("launchid", "")) if isinstance(content, dict) else ""


def _place(lms: Lms, launch: Launch) -> Place:
    course_id, type_id = launch.course.course_id, lms.tool.deployment_id
    link_id = launch.activity.link_id if launch.activity else ""
    with lms.store.reading() as state:
        item_id = claimed_item(state, link_id) if link_id else None
        has_column = any(item.column_of == link_id for item in state.line_items.values())
        used_here = bool(state.activities_of(course_id))
    return Place(
        issuer=lms.base_url,
        return_url=_return_url(lms, launch),
        line_items=f"{lms.items_url(course_id)}?type_id={type_id}",
        line_item=f"{lms.item_url(course_id, item_id)}?type_id={type_id}" if item_id else None,
        members=lms.members_url(course_id) if used_here else None,
        has_column=has_column,
    )


def _return_url(lms: Lms, launch: Launch) -> str:
    person, course = launch.person, launch.course
    query = {"course": course.course_id, "sesskey": lms.sesskey(person)}
    if launch.activity is None:
        query |= {"id": lms.tool.deployment_id}
        return f"{lms.base_url}/as/{person.user_id}/deep-linking/return?{urlencode(query)}"
    query |= {"launch_container": launch.container, "instanceid": launch.activity.link_id}
    return f"{lms.base_url}/as/{person.user_id}/return?{urlencode(query)}"
