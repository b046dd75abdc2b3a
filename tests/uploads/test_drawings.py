"""Drawings on photographed pages reach the model that judges, as pictures, and no others do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback_engine.contract import EngineInfo, PageImage, PageReading
from tests.uploads.photos import hands_in, ids, photo, sends
from tests.visitor import Browsers, Visitor
from tests.workbench import Workbench


class Draws:
    """Sees a drawing on every page but the first."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def read_page(self, image: PageImage, *, task: str = "", language: str = "de") -> PageReading:
        self.seen.append(image.jpeg)
        drawings = ("Eine Pflanze im Topf.",) if len(self.seen) > 1 else ()
        info = EngineInfo("fake", "fake-seer", "1", "1", is_model=True)
        return PageReading("Die Pflanze braucht Licht.", (), drawings, info)


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    bench.reader = Draws()
    return bench


@pytest.fixture
def ada(browsers: Browsers) -> Visitor:
    """She has handed in four pages; what was read on them waits for her."""
    ada = browsers.ada()
    colours = ("red", "green", "blue", "white")
    sends(ada, *((f"{colour}.jpg", photo(colour)) for colour in colours))
    hands_in(ada)
    return ada


def judged(bench: Workbench) -> list[bytes]:
    """The images that came with the answer, an hour later."""
    bench.a_while_passes(timedelta(hours=1, minutes=1).total_seconds())
    bench.works()
    return [image.jpeg for image in bench.engine.asked[-1].images]


def test_the_first_two_pages_with_drawings_come_along(ada: Visitor, bench: Workbench):
    bench.works()

    assert judged(bench) == bench.reader.seen[1:3]
    assert bench.engine.asked[-1].drawings == ("Eine Pflanze im Topf.",) * 3


def test_a_hidden_photo_is_shown_to_no_model(ada: Visitor, browsers: Browsers, bench: Workbench):
    """ATK-80."""
    bench.works()
    hidden = ids(ada.get("/work/"))[1]
    browsers.curie().post(f"/overview/sheets/{hidden}/hide")

    assert judged(bench) == bench.reader.seen[2:4]
