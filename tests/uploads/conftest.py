"""A class at their browsers, and a worker that has the same store of files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.classroom import Classroom, open_classroom
from tests.fakes.school import open_school
from tests.specs import spec
from tests.uploads.photos import FakeReader
from tests.visitor import Browsers, Visitor, open_browsers
from tests.workbench import Workbench, open_bench


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def browsers(room: Classroom) -> Browsers:
    return open_browsers(room)


@pytest.fixture
def ada(browsers: Browsers) -> Visitor:
    return browsers.ada()


@pytest.fixture
def bench(room: Classroom, browsers: Browsers, postgres) -> Iterator[Workbench]:
    with bench_beside(browsers, room, postgres) as bench:
        yield bench


@pytest.fixture
def unchecked(database, postgres) -> Iterator[tuple[Visitor, Workbench]]:
    """Ada where nobody looks at what was read before it is judged."""
    room = open_classroom(database, spec(checks_reading=False))
    browsers = open_browsers(room)
    with bench_beside(browsers, room, postgres) as bench:
        yield browsers.ada(), bench


@contextmanager
def bench_beside(browsers: Browsers, room: Classroom, postgres) -> Iterator[Workbench]:
    with open_school() as site:
        bench = open_bench(room, site, postgres)
        bench.files = browsers.app.extensions["uploads"].lab.files
        bench.reader = FakeReader()
        yield bench
