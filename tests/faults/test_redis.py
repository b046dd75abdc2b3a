"""Redis away, silent, full or still loading: only bells were in it, so nothing is lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from dramatiq.brokers.stub import StubBroker
from pydantic import SecretStr

from lti_tool.core import bell
from lti_tool.core.db import WORKER, Database, service_of
from lti_tool.core.jobs import JobKind, enqueue, ready
from lti_tool.worker import Sweep
from tests.classroom import Classroom, open_classroom
from tests.faults.web import url_of


@contextmanager
def redis(says: bytes | None) -> Iterator[SecretStr]:
    """A Redis that says the same to everything; None: it takes everything and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(line,), daemon=True).start()

        def answer(line: socket.socket) -> None:
            with line:
                while line.recv(65_536):
                    line.sendall(says or b"")

        threading.Thread(target=serve, daemon=True).start()
        yield SecretStr(f"redis://127.0.0.1:{server.getsockname()[1]}/0")


TROUBLES = {
    "FLT-26 silent": None,
    "FLT-27 full": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "FLT-28 a replica": b"-READONLY You can't write against a read only replica.\r\n",
    "FLT-28 just starting": b"-LOADING Redis is loading the dataset in memory\r\n",
}


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


@pytest.mark.parametrize("says", TROUBLES.values(), ids=TROUBLES)
def test_whoever_hands_in_has_handed_in_and_the_row_is_found(room: Classroom, says: bytes | None):
    with redis(says) as url:
        database = Database(url_of(room.database), ring=bell.ringer(url))
        submission = _with(database, room).ada.hands_in()
        database.close()

    with room.database.begin(WORKER) as db:
        assert [kind for kind, _ in ready(db)] == [JobKind.GIVE_FEEDBACK]
    assert room.ada.sees().newest.id == submission.id


@pytest.mark.parametrize("says", TROUBLES.values(), ids=TROUBLES)
def test_a_worker_outlives_it_and_rings_when_it_is_over(room: Classroom, says: bytes | None):
    errand(room)
    with redis(says) as url:
        sweep = Sweep(room.database, bell.broker(url, patience=0.2))
        sweep.once()
        sweep.once()

    assert rings_of(sweep) == 1


def test_flt_25_a_worker_outlives_a_redis_that_is_gone(room: Classroom):
    errand(room)
    with redis(None) as url:
        pass
    sweep = Sweep(room.database, bell.broker(url))

    sweep.once()

    assert rings_of(sweep) == 1


def test_flt_24_bells_that_are_wiped_are_rung_again(room: Classroom, monkeypatch):
    """As FLUSHALL does it, with everybody's work still to be done."""
    errand(room)
    errand(room)
    broker = StubBroker(middleware=[])
    broker.declare_queue(bell.QUEUE)
    sweep = Sweep(room.database, broker)
    sweep.once()

    broker.flush_all()
    monkeypatch.setattr(Sweep, "AGAIN_AFTER", Sweep.AGAIN_AFTER * 0)
    sweep.once()

    assert broker.queues[bell.QUEUE].qsize() == 2


def test_a_page_waits_for_redis_less_than_anybody_notices():
    """FLT-26: there are five threads for all pages."""
    with redis(None) as url:
        waits = bell.broker(url, bell.RINGING).client.connection_pool.connection_kwargs

    assert waits["socket_timeout"] <= 0.2
    assert waits["socket_connect_timeout"] <= 0.2


def errand(room: Classroom) -> None:
    """Something to do that no model is needed for."""
    platform_id = room.school.platform_id
    with room.database.begin(service_of(platform_id)) as db:
        enqueue(db, JobKind.POST_SCORE, platform_id=platform_id, subject_id=uuid4())


def rings_of(sweep: Sweep) -> int:
    """How many bells ring once Redis is there again."""
    well = StubBroker(middleware=[])
    well.declare_queue(bell.QUEUE)
    sweep._broker = well
    sweep.once()
    return int(well.queues[bell.QUEUE].qsize())


def _with(database: Database, room: Classroom) -> Classroom:
    """The same people, whose pages reach this database."""
    return replace(room, database=database, ada=replace(room.ada, database=database))
