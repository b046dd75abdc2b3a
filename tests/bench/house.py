"""The stage of a run: PostgreSQL, the platform, and each tool served as in production."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from lti_tool.cli.demo.plan import free_port
from lti_tool.cli.processes import WEB_THREADS
from lti_tool.content.service import create_task
from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres, running_postgres
from lti_tool.core.schema import upgrade
from tests.bench.launching import Tool
from tests.bench.lms import Lms
from tests.bench.measuring import Meter
from tests.school import found_school, launch_of
from tests.specs import FOTOSYNTHESE

OURS = "gustav"
PEER_DATABASE = "least_work"
KEEP_KEYS = {"BENCH_KEYS": "remembered"}

Server = Callable[[int, str], list[str]]  # the command that serves a module at a port


@dataclass(frozen=True)
class House:
    """Everything is up and answers."""

    lms: Lms
    tools: list[Tool]
    meter: Meter
    superuser_url: str
    postgres_folder: Path

    @property
    def ours(self) -> Tool:
        return self.tools[0]


@contextmanager
def open_house(*, peers: bool = True) -> Iterator[House]:
    with ExitStack() as stack:
        # Not below a closed folder: PostgreSQL runs as a user of its own for root.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gustav-bench-")))
        postgres = stack.enter_context(running_postgres(folder / "postgres"))
        upgrade(postgres.owner_url)
        lms = Lms()
        lms.open()
        stack.callback(lms.close)
        lms.task_id = _write_task(postgres, lms)
        tools = [stack.enter_context(_gustav(postgres, lms, folder))]
        if peers:
            tools += [stack.enter_context(_peer(*peer, lms)) for peer in _peers(postgres)]
        superuser = _plain(postgres.superuser_url)
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        meter = Meter(superuser, postmaster)
        yield House(lms, tools, meter, superuser, folder / "postgres")


def _write_task(postgres: EmbeddedPostgres, lms: Lms) -> str:
    """The school of the tests, registered, with one task; what pupils open is a real page."""
    database = Database(postgres.app_url)
    try:
        school = found_school(database, lms.platform.issuer)
        curie = launch_of(school, school.curie, school.bio)
        with database.begin(curie.actor) as db:
            return str(create_task(db, curie, FOTOSYNTHESE).id)
    finally:
        database.close()


@contextmanager
def _gustav(postgres: EmbeddedPostgres, lms: Lms, folder: Path) -> Iterator[Tool]:
    port = free_port()
    environment = {
        "GUSTAV_BASE_URL": f"http://127.0.0.1:{port}",
        "GUSTAV_SECRET_KEY": secrets.token_urlsafe(48),
        "GUSTAV_DATABASE_URL": postgres.app_url,
        "GUSTAV_OUTBOUND_ALLOW": lms.server.host,
        "GUSTAV_LOG_FORMAT": "json",
        "GUSTAV_FILES": str(folder / "files"),
    }
    command = [sys.executable, "-m", "lti_tool.cli", "web", "--bind", f"127.0.0.1:{port}"]
    with serving(command, environment, f"http://127.0.0.1:{port}/health/ready") as pid:
        yield Tool(OURS, port, pid, "/lti/login", "/lti/launch", FOTOSYNTHESE.title)


def _peers(postgres: EmbeddedPostgres) -> list[tuple[str, Server, str, dict[str, str]]]:
    with psycopg.connect(_plain(postgres.superuser_url), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {PEER_DATABASE}".encode())
    store = _plain(postgres.superuser_url).replace("/gustav?", f"/{PEER_DATABASE}?")
    kept = {"BENCH_STORE": store}
    return [
        ("least work", _gunicorn, "tests.bench.peers.least_work", kept),
        ("least work, granian", _granian, "tests.bench.peers.least_work", kept),
        ("PyLTI1p3", _gunicorn, "tests.bench.peers.pylti", kept),
        ("PyLTI1p3, keys kept", _gunicorn, "tests.bench.peers.pylti", kept | KEEP_KEYS),
    ]


@contextmanager
def _peer(
    name: str, server: Server, module: str, knobs: Mapping[str, str], lms: Lms
) -> Iterator[Tool]:
    port = free_port()
    names = ("issuer", "client_id", "deployment_id", "auth_url", "token_url", "jwks_url")
    platform = {name: getattr(lms.platform, name) for name in names}
    command = [sys.executable, "-m", *server(port, module)]
    environment = {"BENCH_PLATFORM": json.dumps(platform), **knobs}
    with serving(command, environment, f"http://127.0.0.1:{port}/") as pid:
        yield Tool(name, port, pid, "/login", "/launch", "Vorname Nachname")


def _gunicorn(port: int, module: str) -> list[str]:
    """As Flask's own guide serves it, with threads."""
    options = "--worker-class gthread --threads 32 --keep-alive 75 --no-control-socket"
    listens = ["--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    return ["gunicorn", *options.split(), *listens, f"{module}:create_app()"]


def _granian(port: int, module: str) -> list[str]:
    """As ours is served."""
    options = f"--interface wsgi --factory --blocking-threads {WEB_THREADS} --no-ws"
    listens = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    return ["granian", *options.split(), *listens, f"{module}:create_app"]


@contextmanager
def serving(command: list[str], environment: Mapping[str, str], probe: str) -> Iterator[int]:
    """A process that answers at `probe`; yields its number."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)
    try:
        _wait_until_it_answers(process, probe)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_until_it_answers(process: subprocess.Popen[bytes], probe: str) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"It ended with {process.returncode}: {' '.join(process.args)}")
        try:
            urllib.request.urlopen(probe, timeout=5)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"It does not answer: {probe}")


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)
