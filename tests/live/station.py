"""`gustav live` as a process of its own, and browsers that listen to it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from lti_tool.cli.demo.plan import free_port
from lti_tool.launch.session import SESSION_COOKIE
from tests.content.browser import SECRET, TOOL
from tests.visitor import Visitor

ROOT = Path(__file__).parents[2]
PATIENCE = 30  # seconds


@dataclass(frozen=True)
class Station:
    """The running process."""

    port: int
    process: subprocess.Popen[bytes]
    ears: list[Ear] = field(default_factory=list)

    def status(self, path: str = "/health/events") -> int:
        return self._get(path, "").status

    def _get(self, path: str, cookie: str) -> Ear:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            ear = Ear(connection, connection.getresponse())
        except OSError:
            connection.close()
            raise
        self.ears.append(ear)
        return ear

    def hangs_up(self) -> None:
        """All browsers leave."""
        for ear in self.ears:
            ear.leaves()
        self.ears.clear()

    def tunes(self, visitor: Visitor, submission_id: UUID, cookie: str | None = None) -> Ear:
        """A browser opens the stream of a submission, with its own cookie or another."""
        own = cookie_of(visitor) if cookie is None else cookie
        return self._get(f"/s/{visitor.session_id}/live/{submission_id}", own)

    @property
    def worker(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (number,) = children.read_text().split()
        return int(number)

    def listens(self) -> bool:
        """Soon, or not at all."""
        return soon(lambda: self.status() == 200)


@dataclass(frozen=True)
class Ear:
    """One stream, as a browser reads it."""

    connection: http.client.HTTPConnection
    answer: http.client.HTTPResponse

    def leaves(self) -> None:
        self.answer.close()
        self.connection.close()

    @property
    def status(self) -> int:
        return self.answer.status

    def hears(self) -> str | None:
        """The next event; None if the stream has ended."""
        for line in self.answer:
            if line.startswith(b"data: "):
                return line[6:].decode().strip()
        return None


def cookie_of(visitor: Visitor) -> str:
    kept = visitor.client.get_cookie(
        SESSION_COOKIE, TOOL.removeprefix("https://"), f"/s/{visitor.session_id}"
    )
    assert kept is not None
    return f"{SESSION_COOKIE}={kept.value}"


def soon(is_so) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if is_so():
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


@contextmanager
def running_station(database_url: str) -> Iterator[Station]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "GUSTAV_BASE_URL": TOOL,
        "GUSTAV_SECRET_KEY": SECRET,
        "GUSTAV_DATABASE_URL": database_url.replace("postgresql+psycopg", "postgresql"),
    }
    command = [sys.executable, "-m", "lti_tool.cli", "live", "--bind", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        station = Station(port, process)
        try:
            assert station.listens()
            yield station
        finally:
            station.hangs_up()
            process.send_signal(signal.SIGTERM)
