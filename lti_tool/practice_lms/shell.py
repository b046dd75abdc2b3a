"""What all pages share: language, rendering, the practice login, and the security headers."""

import hmac
from functools import partial
from urllib.parse import urlsplit

from flask import Response, make_response, render_template, request

from .lms import COOKIE_PREFIX, Lms, NotLoggedInError, PageError
from .settings import Course, Person, Role
from .store import Activity
from .texts import LANGUAGES, translate

LANGUAGE_COOKIE = "practice_lms_lang"


def language() -> str:
    """`?lang=`, else what was chosen before, else the browser's wish; German when in doubt."""
    chosen = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or "de"


def say(german: str, **values: object) -> str:
    """A text in the visitor's language."""
    return translate(language(), german, **values)


def page(template: str, status: int = 200, **values: object) -> Response:
    """Render a template with `_` (translate), `lang` and `other_lang` beside its own values."""
    lang = language()
    other = "en" if lang == "de" else "de"
    values |= {"_": partial(translate, lang), "lang": lang, "other_lang": other}
    answer = make_response(render_template(template, **values), status)
    if request.args.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, lang, samesite="Lax")
    return answer


def error_page(error: PageError) -> Response:
    return page("error.html", error.status, heading=error.heading, text=error.text)


def submit_form(url: str, fields: dict[str, str]) -> Response:
    """A page that posts itself; without JavaScript there is a button."""
    answer = page("submit.html", action=url, fields=fields)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def log_in(lms: Lms, answer: Response, person: Person) -> None:
    """One cookie per person, so that several persons can be at work in one browser."""
    name = COOKIE_PREFIX + person.user_id
    answer.set_cookie(name, lms.mark("cookie", person.user_id), httponly=True, samesite="Lax")


def is_logged_in(lms: Lms, user_id: str) -> bool:
    cookie = request.cookies.get(COOKIE_PREFIX + user_id, "")
    return hmac.compare_digest(cookie.encode(), lms.mark("cookie", user_id).encode())


def anybody_logged_in() -> bool:
    return any(name.startswith(COOKIE_PREFIX) for name in request.cookies)


def visitor(lms: Lms, user_id: str) -> Person:
    """The person of the path, proven by cookie. Raises `NotLoggedInError`."""
    person = lms.person(user_id)
    if not is_logged_in(lms, user_id):
        raise NotLoggedInError
    return person


def course_for(lms: Lms, person: Person, course_id: str) -> Course:
    """A course the person is in. Raises `PageError` 403."""
    course = lms.course(course_id)
    if person not in lms.active_in(course):
        raise PageError(403, "Kein Zugang", "Diese Person gehört nicht zu diesem Kurs.")
    return course


def need_teacher(course: Course, person: Person) -> None:
    if course.role_of(person.user_id) is not Role.TEACHER:
        raise PageError(403, "Kein Zugang", "Das dürfen hier nur Lehrkräfte.")


def activity_for(lms: Lms, link_id: str) -> Activity:
    with lms.store.reading() as state:
        activity = state.activities.get(link_id)
    if activity is None:
        raise PageError(404, "Nicht gefunden", "Diese Aktivität gibt es nicht (mehr).")
    return activity


def repost_page(lms: Lms, path: str) -> Response:
    """The browser kept our cookie back, as another site sent it here: ask again from our own.

    Moodle does the same; without it no launch would work inside a frame over http.
    """
    fields = {name: value for name, value in request.values.items() if name != "repost"}
    return submit_form(f"{lms.base_url}{path}", fields | {"repost": "1"})


def secure(lms: Lms, answer: Response) -> Response:
    """No inline script or style; only the tool may be framed, and only we may frame ourselves."""
    tool_origins = " ".join(_tool_origins(lms))
    answer.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'self'; frame-src 'self' {tool_origins}; frame-ancestors 'self'; "
        f"img-src 'self' {tool_origins}; "
        "base-uri 'none'; object-src 'none'",
    )
    answer.headers.setdefault("Referrer-Policy", "no-referrer")
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    return answer


def _tool_origins(lms: Lms) -> list[str]:
    tool = lms.registered_tool
    if tool is None:
        return []
    urls = (tool.login_url, tool.target_link_uri, tool.deep_link_url, *tool.redirect_uris)
    return sorted({origin(url) for url in urls})


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
