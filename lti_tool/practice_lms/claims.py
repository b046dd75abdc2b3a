"""The id_token's claims, in exactly the shape Moodle 4.5 gives them. Pure: data in, data out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from .custom import Variables, custom_claim
from .lms import Launch
from .settings import Person, Role, ToolRegistration
from .store import Activity
from .tokens import AGS_SCOPES

CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING_CLAIM = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
OUTCOME_CLAIM = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
FAMILY = "gustav-practice"
LIFE = 60

_REVIEW = "LtiSubmissionReviewRequest"


@dataclass(frozen=True)
class Place:
    """What a token points to. `line_item` and `members` are None where Moodle leaves them out."""

    issuer: str
    return_url: str
    line_items: str
    line_item: str | None
    members: str | None
    has_column: bool


def token_claims(
    launch: Launch, tool: ToolRegistration, place: Place, nonce: str, now: int
) -> dict[str, object]:
    """`exp` is `iat` + 60 s, `aud` a plain string; privacy switches leave keys out altogether."""
    common: dict[str, object] = {
        "iss": place.issuer,
        "aud": tool.client_id,
        "sub": launch.person.user_id,
        "iat": now,
        "exp": now + LIFE,
        "nonce": nonce,
        f"{CLAIM}/deployment_id": tool.deployment_id,
        f"{CLAIM}/version": "1.3.0",
        f"{CLAIM}/roles": [MEMBERSHIP + role_name(launch)],
        f"{CLAIM}/context": _context(launch),
        f"{CLAIM}/lis": {"person_sourcedid": "", "course_section_sourcedid": ""},
        f"{CLAIM}/ext": _ext(launch.person, tool),
        f"{CLAIM}/tool_platform": _platform(place),
    }
    if launch.activity is None:
        message = _deep_linking(launch, tool, place)
    else:
        message = _resource_link(launch, launch.activity, tool, place)
    return common | names_shared(launch.person, tool) | _services(place) | message


def role_name(launch: Launch) -> str:
    return "Learner" if launch.course.role_of(launch.person.user_id) is Role.PUPIL else "Instructor"


def _context(launch: Launch) -> dict[str, object]:
    course = launch.course
    # The short type, not the full URI: so does Moodle.
    return {
        "id": course.course_id,
        "label": course.label,
        "title": course.title,
        "type": ["CourseSection"],
    }


def names_shared(person: Person, tool: ToolRegistration) -> dict[str, str]:
    """What the tool may know of a person beside the id."""
    names = {
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
    }
    return dict(names if tool.share_names else {}) | (
        {"email": person.email} if tool.share_email else {}
    )


def _ext(person: Person, tool: ToolRegistration) -> dict[str, str]:
    return ({"user_username": person.username} if tool.share_names else {}) | {"lms": FAMILY}


def _platform(place: Place) -> dict[str, object]:
    return {
        "product_family_code": FAMILY,
        "version": "1",
        "guid": place.issuer.partition("://")[2],
        "name": "Übungs-LMS",
        "description": "Übungs-Lernplattform",
    }


def _services(place: Place) -> dict[str, object]:
    endpoint: dict[str, object] = {"scope": list(AGS_SCOPES), "lineitems": place.line_items}
    if place.line_item:
        endpoint["lineitem"] = place.line_item
    members = {"context_memberships_url": place.members, "service_versions": ["1.0", "2.0"]}
    return {AGS_CLAIM: endpoint} | ({NRPS_CLAIM: members} if place.members else {})


def _resource_link(
    launch: Launch, activity: Activity, tool: ToolRegistration, place: Place
) -> dict[str, object]:
    claims: dict[str, object] = {
        f"{CLAIM}/message_type": _REVIEW if launch.review else "LtiResourceLinkRequest",
        f"{CLAIM}/target_link_uri": activity.url,
        f"{CLAIM}/resource_link": {
            "id": activity.link_id,
            "title": activity.title,
            "description": "\r\n".join(activity.description.splitlines()),
        },
        f"{CLAIM}/launch_presentation": {
            "locale": launch.locale,
            "document_target": launch.container,
            "return_url": place.return_url,
        },
        f"{CLAIM}/custom": custom_claim(tool.custom, activity.custom, _variables(launch, place)),
    }
    if launch.for_user:
        claims[f"{CLAIM}/for_user"] = {"user_id": launch.for_user}
    if place.has_column:
        claims[OUTCOME_CLAIM] = basic_outcome(place.issuer, activity, launch.person)
    return claims


def basic_outcome(issuer: str, activity: Activity, person: Person) -> dict[str, str]:
    """LTI 1.1's way to grade, which Moodle still announces; here nothing answers at the address."""
    sourced = {"data": {"instanceid": activity.link_id, "userid": person.user_id}}
    return {
        "lis_result_sourcedid": json.dumps(sourced),
        "lis_outcome_service_url": f"{issuer}/service",
    }


def _deep_linking(launch: Launch, tool: ToolRegistration, place: Place) -> dict[str, object]:
    """No resource_link, no return_url, no document_target, no `data` and no `accept_lineitem`."""
    return {
        f"{CLAIM}/message_type": "LtiDeepLinkingRequest",
        f"{CLAIM}/target_link_uri": tool.deep_link_url,
        f"{CLAIM}/launch_presentation": {"locale": launch.locale},
        f"{CLAIM}/custom": custom_claim(tool.custom, (), _variables(launch, place)),
        DEEP_LINKING_CLAIM: {
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["frame", "iframe", "window"],
            "accept_multiple": True,
            "auto_create": False,
            "deep_link_return_url": place.return_url,
            "title": tool.name,
            "text": "",
        },
    }


def _variables(launch: Launch, place: Place) -> Variables:
    """Names are without the dollar. None and "" mean: known, but not applicable here."""
    person, course, activity = launch.person, launch.course, launch.activity
    link: Mapping[str, str | None] = {
        "ResourceLink.id": activity.link_id if activity else None,
        "ResourceLink.title": activity.title if activity else None,
        "ResourceLink.description": activity.description if activity else None,
    }
    places = {
        "LineItems.url": place.line_items,
        "LineItem.url": place.line_item or "",
        "ToolProxyBinding.memberships.url": place.members or "",
    }
    people = {
        "User.id": person.user_id,
        "User.username": person.username,
        "Person.name.full": person.name,
        "Person.name.given": person.given_name,
        "Person.name.family": person.family_name,
        "Person.email.primary": person.email,
        "Person.sourcedId": "",
        "Membership.role": role_name(launch),
        "Moodle.Person.userGroupIds": "",
    }
    return {
        **_course_variables(course.course_id, course.label, course.title, course.history),
        **link,
        **places,
        **people,
    }


def _course_variables(
    course_id: str, label: str, title: str, history: tuple[str, ...]
) -> dict[str, str | None]:
    shared = {
        "title": title,
        "label": label,
        "sourcedId": "",
        "longDescription": "",
        "timeFrame.begin": "",
    }
    values: dict[str, str | None] = {
        f"{prefix}.{name}": value
        for prefix in ("Context", "CourseSection")
        for name, value in shared.items()
    }
    return values | {
        "Context.id": course_id,
        "Context.id.history": ",".join(history),
        "CourseSection.timeFrame.end": "",
    }
