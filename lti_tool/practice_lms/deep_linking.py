"""What the tool's picker hands back becomes activities, by Moodle's rules (LTI Deep Linking 2.0).

Grades are as the item says (DELEGATE, what dynamic registration gives): a column where there is a
lineItem. A title loses what looks like a tag and must then still be one; a text is shown as it is.

Stricter than Moodle, which checks neither aud nor nonce, deployment_id, message_type nor version.
"""

import contextlib
import re
from dataclasses import dataclass

from flask import Response, request

from .claims import CLAIM
from .custom import Pairs, kept_pairs
from .grading import as_number
from .keys import BadTokenError
from .lms import Lms, PageError
from .settings import Course, Person
from .shell import anybody_logged_in, course_for, need_teacher, page, repost_page, say, visitor
from .store import Activity, LineItem

CONTENT_ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
MESSAGES = (
    "https://purl.imsglobal.org/spec/lti-dl/claim/msg",
    "https://purl.imsglobal.org/spec/lti-dl/claim/errormsg",
)
HIGHEST_MAXIMUM = 100
LONGEST_TITLE = 255


class ItemRefusedError(Exception):
    """Moodle's form would not take this item; heading and text say why, for the page."""

    def __init__(self, heading: str, text: str) -> None:
        super().__init__(heading)
        self.heading, self.text = heading, text


@dataclass(frozen=True)
class Column:
    maximum: float
    resource_id: str
    tag: str


@dataclass(frozen=True)
class NewActivity:
    title: str
    description: str
    url: str
    custom: Pairs
    column: Column | None
    icon: str = ""


def take_back(lms: Lms, user_id: str) -> Response:
    """POST …/deep-linking/return with the form field JWT; ends on the course page with a notice."""
    if not anybody_logged_in() and "repost" not in request.values:
        return repost_page(lms, request.full_path.rstrip("?"))
    person = visitor(lms, user_id)
    course = course_for(lms, person, request.args.get("course", ""))
    need_teacher(course, person)
    if request.args.get("sesskey") != lms.sesskey(person):
        raise PageError(403, "Ungültige Anfrage", "Der Sitzungsschlüssel stimmt nicht.")
    try:
        claims = _checked(lms, request.form.get("JWT", ""))
    except BadTokenError as bad:
        raise PageError(400, "Antwort des Werkzeugs abgelehnt", str(bad)) from bad
    items = claims.get(CONTENT_ITEMS)
    new = _accepted(items if isinstance(items, list) else [], lms)
    for activity in new:
        _add(lms, course, activity)
    _tell(lms, person, claims, len(new))
    return page("leave_frame.html", url=f"/as/{user_id}/course/{course.course_id}")


def _tell(lms: Lms, person: Person, claims: dict[str, object], count: int) -> None:
    if count == 0:
        notice = say("Es wurde nichts hinzugefügt.")
    elif count == 1:
        notice = say("Die Aktivität wurde hinzugefügt.")
    else:
        notice = say("{count} Aktivitäten wurden hinzugefügt.", count=count)
    lms.leave_notice(person, notice)
    for message in filter(None, map(claims.get, MESSAGES)):
        lms.leave_notice(person, str(message))


def _checked(lms: Lms, token: str) -> dict[str, object]:
    """The claims of an acceptable response. The nonce is spent last. Raises `BadTokenError`."""
    tool, now = lms.tool, lms.now().timestamp()
    claims = lms.tool_keys.verify(token, tool.jwks_url)
    audience = claims.get("aud")
    expected = {
        "iss": tool.client_id,
        f"{CLAIM}/deployment_id": tool.deployment_id,
        f"{CLAIM}/message_type": "LtiDeepLinkingResponse",
        f"{CLAIM}/version": "1.3.0",
    }
    for name, value in expected.items():
        if claims.get(name) != value:
            raise BadTokenError(f"{name.rpartition('/')[2]} is not what it must be")
    if audience not in (lms.base_url, [lms.base_url]):
        raise BadTokenError("aud must be our issuer and nothing else")
    issued, expires = as_number(claims.get("iat")), as_number(claims.get("exp"))
    if issued is None or expires is None or issued > now or expires <= now:
        raise BadTokenError("iat lies in the future, or exp in the past, or one is missing")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce or not lms.deep_linking_nonces.first_time(nonce):
        raise BadTokenError("nonce missing or used before")
    return claims


def _accepted(items: list[object], lms: Lms) -> list[NewActivity]:
    """One refused item is an error; of several, the refused ones vanish without a word."""
    accepted = []
    for item in items:
        try:
            accepted.append(_read(item, lms))
        except ItemRefusedError as refused:
            if len(items) == 1:
                raise PageError(400, refused.heading, refused.text) from refused
    return accepted


def _read(item: object, lms: Lms) -> NewActivity:
    """Any type of item becomes an activity, at any address. Raises `ItemRefusedError`."""
    if not isinstance(item, dict):
        raise ItemRefusedError("Ungültige Anfrage", "Das Werkzeug hat keine Aktivität beschrieben.")
    title = _without_tags(str(item.get("title") or lms.tool.name))
    if not title:
        raise ItemRefusedError("Titel fehlt", "Eine Aktivität braucht einen Titel.")
    if len(title) > LONGEST_TITLE:
        raise ItemRefusedError("Titel zu lang", "Ein Titel darf höchstens 255 Zeichen haben.")
    return NewActivity(
        title=title,
        description=str(item.get("html") or item.get("text") or "").strip(),
        url=str(item.get("url") or lms.tool.target_link_uri),
        custom=kept_pairs(item.get("custom")),
        column=_column(item.get("lineItem")),
        icon=_icon(item.get("icon")),
    )


def _column(line_item: object) -> Column | None:
    """No lineItem, no column: that is what dynamic registration gives. Its label is ignored."""
    if not isinstance(line_item, dict):
        return None
    maximum = as_number(line_item.get("scoreMaximum", HIGHEST_MAXIMUM))
    if maximum is None or not maximum.is_integer() or not 1 <= maximum <= HIGHEST_MAXIMUM:
        raise ItemRefusedError(
            "Ungültiger Höchstwert", "Der Höchstwert muss eine ganze Zahl von 1 bis 100 sein."
        )
    return Column(maximum, str(line_item.get("resourceId") or ""), str(line_item.get("tag") or ""))


def _icon(icon: object) -> str:
    """The address of a picture, if it is one that a page may load."""
    url = str(icon.get("url") or "") if isinstance(icon, dict) else ""
    return url if re.match(r"https?://", url) else ""


def _without_tags(title: str) -> str:
    """PHP's strip_tags: a bracket before anything but white space begins a tag, closed or not."""
    return re.sub(r"<(?!\s)[^>]*>?", "", title).strip()


def _add(lms: Lms, course: Course, new: NewActivity) -> None:
    _look_for_cartridge(lms, new.url)
    with lms.store.changing() as state:
        link_id, cmid = str(state.new_id()), state.new_id()
        state.activities[link_id] = Activity(
            link_id,
            cmid,
            course.course_id,
            new.title,
            new.description,
            new.url,
            new.custom,
            new.icon,
        )
        if new.column:
            item_id = str(state.new_id())
            state.line_items[item_id] = LineItem(
                item_id,
                course.course_id,
                label=new.title,
                maximum=new.column.maximum,
                resource_id=new.column.resource_id,
                tag=new.column.tag,
                column_of=link_id,
                link_id=link_id,
            )


def _look_for_cartridge(lms: Lms, url: str) -> None:
    """Moodle GETs every address it saves, and so do we; whatever happens, the item is saved."""
    with contextlib.suppress(Exception):
        lms.settings.fetch_status(url)
