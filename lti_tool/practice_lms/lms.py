"""The one object that holds a running practice LMS; `create_app` makes it and every view gets it.

What it keeps beside the store is gone after a restart, as sessions and tokens may be: launches
under way, used nonces and jtis, access tokens, notices waiting to be shown.
"""

import hashlib
import hmac
import secrets
import threading
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from .keys import SigningKey, ToolKeys
from .ledger import Ledger
from .modes import ModeTable
from .settings import Course, Person, PracticeSettings, Role, ToolRegistration
from .store import Activity, Store, ToolType

COOKIE_PREFIX = "practice_lms_as_"


class PageError(Exception):
    """Shown to a person as a page; heading and text are German, and keys of the dictionary."""

    def __init__(self, status: int, heading: str, text: str) -> None:
        super().__init__(heading)
        self.status, self.heading, self.text = status, heading, text


class NotLoggedInError(Exception):
    """The browser has no practice login for this person: back to the start page."""


@dataclass(frozen=True)
class Launch:
    """A login under way. `activity` is None in deep linking; `hint` must come back unchanged.
    `review`: it comes from the gradebook, about the work of `for_user` or of everybody."""

    launch_id: str
    person: Person
    course: Course
    activity: Activity | None
    container: str
    locale: str
    hint: str
    review: bool = False
    for_user: str | None = None


@dataclass(frozen=True)
class AccessToken:
    scopes: frozenset[str]
    expires_at: datetime


class Once:
    """Remembers what may be used only once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def first_time(self, value: str) -> bool:
        with self._lock:
            fresh = value not in self._seen
            self._seen.add(value)
            return fresh


class Lms:
    def __init__(self, settings: PracticeSettings) -> None:
        self.settings = settings
        self.base_url = settings.base_url.rstrip("/")
        self.store = Store(settings.data_dir)
        self.registered_tool = self._kept_tool()
        self.signing_key = SigningKey(self.store)
        self.tool_keys = ToolKeys(settings.fetch_json)
        self.modes = ModeTable()
        self.ledger = Ledger(settings.data_dir)
        self.assertion_ids = Once()
        self.deep_linking_nonces = Once()
        self.registration_tokens = Once()
        self.launches: dict[str, Launch] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self._notices: dict[str, list[str]] = {}

    @property
    def tool(self) -> ToolRegistration:
        if self.registered_tool is None:
            raise PageError(503, "Noch kein Werkzeug", "Hier ist noch kein Werkzeug angemeldet.")
        with self.store.reading() as state:
            hidden = state.names_hidden
        return replace(self.registered_tool, share_names=False) if hidden else self.registered_tool

    @property
    def tool_is_active(self) -> bool:
        """Pending tools are not in the chooser, but what exists of them still launches."""
        with self.store.reading() as state:
            return state.tool_type.active if state.tool_type else self.registered_tool is not None

    @property
    def tool_is_in_chooser(self) -> bool:
        with self.store.reading() as state:
            kept = state.tool_type
            return kept.active and kept.in_chooser if kept else self.registered_tool is not None

    def keep_tool(self, tool: ToolRegistration | None, *, active: bool, in_chooser: bool) -> None:
        """What the administrator did; from now on it goes before the settings."""
        fields = asdict(tool) if tool else None
        with self.store.changing() as state:
            state.tool_type = ToolType(fields, active and tool is not None, in_chooser)
        self.registered_tool = tool

    def new_type_id(self) -> str:
        with self.store.changing() as state:
            return str(state.new_id())

    def _kept_tool(self) -> ToolRegistration | None:
        with self.store.reading() as state:
            kept = state.tool_type
        if kept is None:
            return self.settings.tool
        return ToolRegistration.from_fields(kept.tool) if kept.tool else None

    def now(self) -> datetime:
        return self.settings.clock()

    def seconds(self) -> int:
        """The present whole second, as Moodle counts."""
        return int(self.now().timestamp())

    def person(self, user_id: str) -> Person:
        for person in self.settings.people:
            if person.user_id == user_id:
                return person
        raise PageError(404, "Nicht gefunden", "Diese Person gibt es hier nicht.")

    def course(self, course_id: str) -> Course:
        for course in self.courses():
            if course.course_id == course_id:
                return course
        raise PageError(404, "Nicht gefunden", "Diesen Kurs gibt es hier nicht.")

    def courses(self) -> list[Course]:
        """All courses, with those who are enrolled in them now."""
        with self.store.reading() as state:
            away = frozenset(state.away)
        return [
            replace(
                course,
                members=tuple(m for m in course.members if (course.course_id, m[0]) not in away),
            )
            for course in self.courses_as_set_up()
        ]

    def courses_as_set_up(self) -> list[Course]:
        """Those it began with, then the copies, without any that were deleted; with everybody who
        was ever enrolled."""
        with self.store.reading() as state:
            known = (*self.settings.courses, *state.courses.values())
            return [course for course in known if course.course_id not in state.deleted]

    def courses_of(self, person: Person) -> list[Course]:
        courses = (course for course in self.courses() if course.role_of(person.user_id))
        return [course for course in courses if person in self.active_in(course)]

    def active_in(self, course: Course) -> list[Person]:
        """The members without those who are suspended."""
        with self.store.reading() as state:
            out = {user for where, user in state.suspended if where == course.course_id}
        return [person for person in self.people_in(course) if person.user_id not in out]

    def people_in(self, course: Course, *roles: Role) -> list[Person]:
        """The members with one of these roles, or all of them, in the course's order."""
        return [self.person(user) for user, role in course.members if not roles or role in roles]

    def mark(self, purpose: str, user_id: str) -> str:
        """A value that only this LMS can make for this person (cookie, sesskey)."""
        with self.store.reading() as state:
            key = state.secret.encode()
        return hmac.new(key, f"{purpose}:{user_id}".encode(), hashlib.sha256).hexdigest()[:20]

    def sesskey(self, person: Person) -> str:
        return self.mark("sesskey", person.user_id)[:10]

    def new_token(self) -> str:
        return secrets.token_hex(16)

    def leave_notice(self, person: Person, text: str) -> None:
        """Kept until the person's next course page shows it."""
        self._notices.setdefault(person.user_id, []).append(text)

    def take_notices(self, person: Person) -> list[str]:
        return self._notices.pop(person.user_id, [])

    def items_url(self, course_id: str) -> str:
        return f"{self.base_url}/services/{course_id}/lineitems"

    def item_url(self, course_id: str, item_id: str) -> str:
        return f"{self.items_url(course_id)}/{item_id}/lineitem"

    def members_url(self, course_id: str) -> str:
        type_id = self.tool.deployment_id
        return f"{self.base_url}/services/CourseSection/{course_id}/bindings/{type_id}/memberships"
