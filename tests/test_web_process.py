"""`gustav web` as a process of its own: killed, and asked to end in the middle of a request."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import uuid4

import psycopg

from lti_tool.cli.demo.plan import free_port
from tests.entrance import SECRET

ROOT = Path(__file__).parents[1]
PATIENCE = 30  # seconds


@dataclass(frozen=True)
class Web:
    address: str
    process: subprocess.Popen[str]

    def status(self, path: str) -> int:
        try:
            with urlopen(self.address + path, timeout=PATIENCE) as answer:
                return answer.status
        except HTTPError as error:
            return error.code

    @property
    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in children.read_text().split()]

    def says_until(self, event: str) -> list[str]:
        """Its log, up to the line with this event."""
        said: list[str] = []
        while not said or json.loads(said[-1])["event"] != event:
            said.append(self.process.stderr.readline())
        return said

    def answers(self) -> bool:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                return self.status("/health/ready") == 200
            except OSError:
                time.sleep(0.1)
        return False


@contextmanager
def web(database) -> Iterator[Web]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "GUSTAV_BASE_URL": address,
        "GUSTAV_SECRET_KEY": SECRET,
        "GUSTAV_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
    }
    command = [sys.executable, "-m", "lti_tool.cli", "web", "--bind", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        running = Web(address, process)
        try:
            assert running.answers()
            yield running
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_process_that_was_killed_is_replaced(database):
    with web(database) as running:
        (killed,) = running.workers
        os.kill(killed, signal.SIGKILL)

        assert running.answers()
        assert running.workers != [killed]


def test_whoever_was_being_answered_still_is_when_it_ends(database, postgres):
    url = postgres.superuser_url.replace("+psycopg", "")
    with web(database) as running, psycopg.connect(url) as lock, ThreadPoolExecutor(1) as pupil:
        lock.execute("LOCK TABLE launch_sessions")
        answer = pupil.submit(running.status, f"/s/{uuid4()}/")
        while not _somebody_waits(url):
            time.sleep(0.05)

        running.process.send_signal(signal.SIGTERM)
        lines = running.says_until("Shutting down granian")
        lock.rollback()

        assert answer.result() == 401
        lines += running.process.communicate(timeout=PATIENCE)[1].splitlines()
    assert running.process.returncode == 0
    assert {json.loads(line)["level"] for line in lines} <= {"info", "warning"}


def _somebody_waits(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as db:
        return bool(db.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall())
