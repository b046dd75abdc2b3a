"""`gustav web` as a process of its own, and pupils with a browser that notices a broken line."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from lti_tool.cli.demo.plan import free_port
from lti_tool.core.db import LAUNCH, Database, service_of
from lti_tool.launch.guard import CSRF_FIELD, SESSION_COOKIE
from lti_tool.launch.models import LaunchSessionRow
from lti_tool.launch.secrets import Secrets, hashed
from lti_tool.people.models import Membership, Person
from lti_tool.people.roles import Role
from tests.classroom import ANSWER, Classroom
from tests.entrance import SECRET, TOOL
from tests.fakes.files import a_folder

ROOT = Path(__file__).parents[2]
PATIENCE = 30  # seconds
HOST = urlsplit(TOOL).netloc
GUSTAV_WEB = ("-m", "lti_tool.cli", "web", "--bind")

FORM = "application/x-www-form-urlencoded"
BYTES = "application/octet-stream"

Reached = tuple[str, int]


@contextmanager
def web(
    database_url: str, command: Sequence[str] = GUSTAV_WEB, **knobs: str
) -> Iterator[tuple[Reached, subprocess.Popen[bytes]]]:
    """It answers when this begins. `command` gets the address to listen at as its last word, or
    only the port where it asks for that."""
    address = ("127.0.0.1", free_port())
    listens = str(address[1]) if command[-1] == "--port" else f"{address[0]}:{address[1]}"
    environment = {
        "PATH": os.environ["PATH"],
        "GUSTAV_BASE_URL": TOOL,
        "GUSTAV_SECRET_KEY": SECRET,
        "GUSTAV_DATABASE_URL": database_url,
        "GUSTAV_FILES": a_folder(),
        **knobs,
    }
    process = subprocess.Popen(
        [sys.executable, *command, listens],
        env=environment,
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        host = urlsplit(environment["GUSTAV_BASE_URL"]).netloc
        wait_until(lambda: Browser(address, host=host).get("/health/live").status == 200)
        yield address, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def wait_until(what: object) -> None:
    """Until it is so; a line that breaks meanwhile counts as not yet."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if what():  # type: ignore[operator]
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@dataclass(frozen=True)
class Reply:
    """A whole answer. What was cut off is none: a browser shows its own page for that."""

    status: int
    head: str
    body: str

    @property
    def is_receipt(self) -> bool:
        return self.status == 303 and "/work/" in self.head


class Unanswered(OSError):
    """The line broke before the answer was whole."""


@dataclass(frozen=True)
class Browser:
    """One connection for each request, so that a broken one concerns only this."""

    address: Reached
    cookie: str = ""
    host: str = HOST

    def get(self, path: str, at: Reached | None = None) -> Reply:
        return self.sends(self.request("GET", path), at)

    def request(
        self, method: str, path: str, body: bytes = b"", kind: str = FORM, csrf: str = ""
    ) -> bytes:
        """As bytes; `csrf`: the token where a script sends, not a form."""
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", "Connection: close"]
        if csrf:
            head.append(f"X-CSRF: {csrf}")
        if self.cookie:
            head.append(f"Cookie: {self.cookie}")
        if method == "POST":
            head += [
                f"Content-Type: {kind}",
                f"Content-Length: {len(body)}",
            ]
        return "\r\n".join([*head, "", ""]).encode() + body

    def sends(self, request: bytes, at: Reached | None = None) -> Reply:
        """Raises Unanswered, also where only a part of the answer came."""
        answer = self.raw(request, at)
        head, there, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: *([0-9]+)\r$", head + b"\r", re.MULTILINE)
        if not there or (length and len(body) < int(length[1])):
            raise Unanswered(len(answer))
        return Reply(int(head.split()[1]), head.decode("latin-1"), body.decode())

    def raw(self, request: bytes, at: Reached | None = None) -> bytes:
        """What came, as far as it came."""
        answer = b""
        with socket.create_connection(at or self.address, timeout=PATIENCE) as line:
            try:
                line.sendall(request)
                while piece := line.recv(65_536):
                    answer += piece
            except ConnectionError:
                pass
        return answer


@dataclass
class Pupil:
    """Somebody with the task open: each text gets a key, made once, like each page's form."""

    browser: Browser
    session_id: UUID
    person_id: UUID
    sent: dict[UUID, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/s/{self.session_id}/work/"

    def form(self, attempt: int, text: str = ANSWER, key: UUID | None = None) -> bytes:
        """The request that hands in; the text comes last, as in the page."""
        key = key or uuid4()
        self.sent[key] = text
        fields = {
            CSRF_FIELD: Secrets(SECRET).csrf(self.session_id),
            "client_key": key,
            "attempt": attempt,
            "text": text,
        }
        return self.browser.request("POST", self.path, urlencode(fields).encode())

    def page(self) -> str:
        return self.browser.get(self.path).body


def pupils(room: Classroom, address: Reached, count: int) -> list[Pupil]:
    """So many, launched."""
    made = []
    platform_id = room.school.platform_id
    with room.database.begin(service_of(platform_id)) as db:
        for number in range(count):
            person = Person(id=uuid7(), platform_id=platform_id, sub=f"pupil {number} {uuid4()}")
            member = Membership(course_id=room.school.bio, person_id=person.id, role=Role.LEARNER)
            member.platform_id = platform_id
            db.add(person)
            db.flush()
            db.add(member)
            made.append(person.id)
    return [_launched(room, address, person_id) for person_id in made]


def _launched(room: Classroom, address: Reached, person_id: UUID) -> Pupil:
    secret, session_id = str(uuid7()), uuid7()
    row = LaunchSessionRow(
        id=session_id,
        platform_id=room.school.platform_id,
        course_id=room.school.bio,
        person_id=person_id,
        resource_link_id=room.link_id,
        deployment_id=room.school.deployment,
        secret_hash=hashed(secret),
        browser_hash=hashed(str(uuid7())),
        role=Role.LEARNER,
        locale="de",
    )
    with room.database.begin(LAUNCH) as db:
        db.add(row)
    return Pupil(Browser(address, f"{SESSION_COOKIE}={secret}"), session_id, person_id)


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)
