"""A class at their browsers, and a worker that has the same store of files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.classroom import Classroom, open_classroom
from tests.fakes.school import open_school
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
    with open_school() as site:
        bench = open_bench(room, site, postgres)
        bench.files = browsers.app.extensions["uploads"].lab.files
        bench.reader = FakeReader()
        yield bench
