"""What one practice LMS is made of: its address, its people and courses, and the one tool it knows.

Everything that reaches outside (clock, sleep, HTTP) is a field here, so that tests need no sockets
and no waiting.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import httpx


class Role(StrEnum):
    """`ASSISTANT` is Moodle's non-editing teacher: Instructor in a launch, but Learner in NRPS."""

    TEACHER = "teacher"
    ASSISTANT = "assistant"
    PUPIL = "pupil"


@dataclass(frozen=True)
class Person:
    """An invented person. `user_id` is a decimal string, like Moodle's."""

    user_id: str
    given_name: str
    family_name: str
    username: str

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def email(self) -> str:
        return f"{self.username}@schule.example"


@dataclass(frozen=True)
class Course:
    """A course and who is in it. `history` holds the ids it was copied from, nearest first."""

    course_id: str
    label: str
    title: str
    members: tuple[tuple[str, Role], ...]
    history: tuple[str, ...] = ()

    def role_of(self, user_id: str) -> Role | None:
        return dict(self.members).get(user_id)


@dataclass(frozen=True)
class ToolRegistration:
    """The tool as an administrator entered it. `redirect_uris` match exactly, as in Moodle.

    `deployment_id` is also the `type_id` of the service URLs. `custom` are the tool's parameters;
    they win over those of an activity. Names and e-mail go out only when the switches say so.
    """

    name: str
    client_id: str
    deployment_id: str
    login_url: str
    redirect_uris: tuple[str, ...]
    target_link_uri: str
    deep_link_url: str
    jwks_url: str
    custom: tuple[tuple[str, str], ...] = ()
    share_names: bool = True
    share_email: bool = False

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """Out of JSON, where tuples have become lists."""
        custom = tuple((key, value) for key, value in fields["custom"])
        return cls(**fields | {"redirect_uris": tuple(fields["redirect_uris"]), "custom": custom})


def utc_now() -> datetime:
    return datetime.now(UTC)


def fetch_json(url: str) -> object:
    """GET a JSON document. Raises `httpx.HTTPError` or `ValueError`."""
    answer = httpx.get(url, timeout=5, trust_env=False)
    return answer.raise_for_status().json()


def fetch_status(url: str) -> int:
    """GET a page and forget it, as Moodle does. Raises `httpx.HTTPError`."""
    return httpx.get(url, timeout=2, trust_env=False).status_code


PEOPLE = (
    Person("11", "Marie", "Curie", "m.curie"),
    Person("21", "Ada", "Abel", "a.abel"),
    Person("22", "Ben", "Blau", "b.blau"),
    Person("23", "Cem", "Çelik", "c.celik"),
    Person("24", "Dana", "Dorn", "d.dorn"),
)

COURSES = (
    Course(
        course_id="2",
        label="BIO8B",
        title="Bio 8b",
        members=(
            ("11", Role.TEACHER),
            ("21", Role.PUPIL),
            ("22", Role.PUPIL),
            ("23", Role.PUPIL),
            ("24", Role.PUPIL),
        ),
    ),
)


_GIVEN = ("Ela", "Finn", "Greta", "Hamid", "Ida", "Jan", "Kim", "Lale", "Mats", "Nele", "Omar")
_FAMILY = ("Eder", "Falk", "Groß", "Hadi", "Imhof", "Jung", "Kaya", "Lutz", "Maier", "Nowak")


def whole_class(pupils: int) -> tuple[tuple[Person, ...], tuple[Course, ...]]:
    """The same people and course with so many pupils, for a lesson with everybody at once."""
    known = sum(role is Role.PUPIL for _, role in COURSES[0].members)
    more = tuple(_invented(number) for number in range(pupils - known))
    joining = tuple((person.user_id, Role.PUPIL) for person in more)
    course = replace(COURSES[0], members=(*COURSES[0].members, *joining))
    return (*PEOPLE, *more), (course, *COURSES[1:])


def _invented(number: int) -> Person:
    given = _GIVEN[number % len(_GIVEN)]
    family = _FAMILY[(number + number // len(_GIVEN)) % len(_FAMILY)]
    return Person(str(31 + number), given, family, f"pupil{31 + number}")


@dataclass(frozen=True)
class PracticeSettings:
    """`base_url` is the issuer, without a slash at its end; `data_dir=None` keeps all in memory."""

    base_url: str
    data_dir: Path | None = None
    tool: ToolRegistration | None = None
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    fetch_json: Callable[[str], object] = fetch_json
    fetch_status: Callable[[str], int] = fetch_status
    people: tuple[Person, ...] = PEOPLE
    courses: tuple[Course, ...] = COURSES


@dataclass(frozen=True)
class PlatformUrls:
    """What a tool's administrator has to enter about this platform."""

    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str


def platform_urls(base_url: str) -> PlatformUrls:
    return PlatformUrls(base_url, f"{base_url}/auth", f"{base_url}/token", f"{base_url}/jwks")
