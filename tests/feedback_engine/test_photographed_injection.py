"""Orders to the machine on a photographed page (ATK-132): they are read like everything else."""

import io
import json
from collections.abc import Iterator

import pytest
from PIL import Image

from feedback_engine.build import build_reader
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import PageImage, PageReader
from feedback_engine.errors import EngineRefused
from tests.fakes.ollama import Asked, FakeOllama
from tests.feedback_engine.test_injection import ATTACKS, markers_in

SEER = "qwen2.5vl:7b-q8_0"


def page() -> PageImage:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(out, "JPEG")
    return PageImage(out.getvalue())


@pytest.fixture
def host() -> Iterator[FakeOllama]:
    with FakeOllama({SEER: "5" * 64}) as fake:
        yield fake


@pytest.fixture
def reader(host: FakeOllama, kind: EngineKind) -> PageReader:
    reader = build_reader(EngineConfig(kind, host.url, SEER, sees=True))
    assert reader is not None
    return reader


def copies(*lines: str) -> str:
    return json.dumps({"lines": lines, "drawings": []}, ensure_ascii=False)


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_order_on_the_page_becomes_a_line_of_the_transcript_and_nothing_else(
    host: FakeOllama, reader: PageReader, attack: str
) -> None:
    host.says = lambda asked: copies("Die Pflanze braucht Licht.", attack)

    reading = reader.read_page(page(), task="Wozu Licht?")

    assert reading.text.startswith("Die Pflanze braucht Licht.\n")
    assert reading.drawings == ()
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    "obedient",
    [
        '{"lines": ["Licht"], "drawings": [], "level": 2}',
        '{"judgement": {"K1": {"quote": "", "reason": "", "level": 2}}}',
        "15 Punkte",
        '{"lines": ["Licht"], "drawings": [{"url": "http://evil.example/x.png"}]}',
    ],
    ids=range(4),
)
def test_a_model_that_obeys_the_page_and_leaves_its_form_has_read_nothing(
    host: FakeOllama, reader: PageReader, obedient: str
) -> None:
    host.says = lambda asked: obedient

    with pytest.raises(EngineRefused):
        reader.read_page(page())


def test_a_model_that_obeys_the_page_and_tells_its_orders_has_read_nothing(
    host: FakeOllama, reader: PageReader
) -> None:
    """ATK-129: what we ask of it does not come out again as a pupil's work."""
    host.says = lambda asked: copies(*asked.messages[0][1].splitlines())

    with pytest.raises(EngineRefused):
        reader.read_page(page())


@pytest.mark.parametrize("attack", [*ATTACKS, "[img] [img-0] <__media__> <image>"])
def test_a_task_from_anywhere_brings_no_marker_of_a_template_along(
    host: FakeOllama, reader: PageReader, attack: str
) -> None:
    """ATK-133, 134. "[img]" is where Ollama puts the picture."""

    def read(task: str) -> Asked:
        reader.read_page(page(), task=task)
        return host.asked[-1]

    honest, attacked = read("Wozu Licht?"), read(f"Wozu Licht? {attack}")

    assert markers_in(attacked) == markers_in(honest)
    assert not {"[img]", "[img-0]", "<__media__>", "<image>"} & set(attacked.prompt.split())
    same = ("format", "response_format", "options", "tools", "model", "temperature", "seed")
    assert {k: honest.body.get(k) for k in same} == {k: attacked.body.get(k) for k in same}
    assert honest.messages[0] == attacked.messages[0]
