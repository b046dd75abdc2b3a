"""A model looks at a page and says what stands on it, over both protocols."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from feedback_engine.build import build_reader
from feedback_engine.config import EngineConfig, EngineKind, reading_context
from feedback_engine.contract import PageImage, PageReader
from feedback_engine.errors import (
    EngineError,
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    EngineUnavailable,
    RefusalReason,
)
from feedback_engine.transcribe import INSTRUCTIONS
from tests.fakes.ollama import Asked, FakeOllama, Mode
from tests.feedback_engine.test_engine_faults import MEANING, SILENCE

SEER = "qwen2.5vl:7b-q8_0"
TASK = "Wozu braucht die Pflanze Licht?"


def page(width: int = 60, height: int = 40) -> PageImage:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "JPEG")
    return PageImage(out.getvalue())


@pytest.fixture
def host() -> Any:
    with FakeOllama({SEER: "5" * 64}) as fake:
        yield fake


@pytest.fixture
def reader_on(host: FakeOllama, kind: EngineKind) -> Callable[..., PageReader]:
    def make(**settings: Any) -> PageReader:
        reader = build_reader(EngineConfig(kind, host.url, SEER, sees=True, **settings))
        assert reader is not None
        return reader

    return make


@pytest.fixture
def reader(reader_on: Callable[..., PageReader]) -> PageReader:
    return reader_on()


def reads(*lines: str, drawings: tuple[str, ...] = ()) -> Callable[[Asked], str]:
    answer = json.dumps({"lines": lines, "drawings": drawings}, ensure_ascii=False)
    return lambda asked: answer


def failure(reader: PageReader) -> EngineError:
    with pytest.raises(EngineError) as failed:
        reader.read_page(page(), task=TASK)
    return failed.value


def test_a_page_is_read_with_its_unsure_words_and_its_drawings(
    host: FakeOllama, reader: PageReader, kind: EngineKind
) -> None:
    host.says = reads("Die Pflanze(?)", "braucht Licht.", drawings=("Eine Blume.",))

    reading = reader.read_page(page(), task=TASK)

    assert reading.text == "Die Pflanze\nbraucht Licht."
    assert [reading.text[a:b] for a, b in reading.unsure] == ["Pflanze"]
    assert reading.drawings == ("Eine Blume.",)
    assert reading.engine.model == SEER
    assert reading.engine.digest == ("5" * 64 if kind is EngineKind.OLLAMA else "")
    assert len(host.asked) == 1


def test_the_model_sees_the_page_and_the_task_and_no_more(
    host: FakeOllama, reader: PageReader
) -> None:
    image = page()

    reader.read_page(image, task=TASK)

    (asked,) = host.asked
    assert asked.images == (image.jpeg,)
    assert asked.messages[0] == ("system", INSTRUCTIONS["de"])
    assert asked.messages[1][1].startswith(f"[[ ## task ## ]]\n{TASK}\n")
    assert [role for role, _ in asked.messages] == ["system", "user"]


def test_an_english_page_is_asked_for_in_english(host: FakeOllama, reader: PageReader) -> None:
    reading = reader.read_page(page(), language="en")

    assert host.asked[0].messages[0][1] == INSTRUCTIONS["en"]
    assert reading.text.startswith("The plant needs light")


def test_a_large_page_is_made_as_small_as_the_model_needs(
    host: FakeOllama, reader_on: Callable[..., PageReader]
) -> None:
    reader_on(image_size=800).read_page(page(2000, 1000))

    with Image.open(io.BytesIO(host.asked[0].images[0])) as seen:
        assert seen.size == (800, 400)


def test_every_page_is_read_with_the_same_context(
    host: FakeOllama, reader_on: Callable[..., PageReader]
) -> None:
    """Ollama loads a model anew whenever num_ctx changes."""
    reader = reader_on(num_ctx=reading_context(1600), max_output=3000)

    reader.read_page(page(100, 100))
    reader.read_page(page(1600, 1200))

    assert len(host.loads) == 1


def test_what_is_no_picture_is_not_shown_to_a_model(host: FakeOllama, reader: PageReader) -> None:
    with pytest.raises(EngineRefused):
        reader.read_page(PageImage(b"%PDF-1.7"))

    assert host.asked == []


def test_half_a_picture_is_not_shown_to_a_model(host: FakeOllama, reader: PageReader) -> None:
    """Ollama would read half a page without a word."""
    with pytest.raises(EngineRefused):
        reader.read_page(PageImage(page().jpeg[:-40]))

    assert host.asked == []


def test_a_host_without_room_for_a_page_is_the_operators_business(
    host: FakeOllama, reader_on: Callable[..., PageReader]
) -> None:
    """No page is too long: all cost the same, and the next one would not fit either."""
    host.context = 4096
    host.letters_per_token = 1

    with pytest.raises(EngineMisconfigured) as failed:
        reader_on(num_ctx=4096).read_page(page(1600, 1600), task=TASK)

    assert "passt nicht in den Kontext des Modells" in failed.value.what_to_do
    assert len(host.asked) == 1


@pytest.mark.parametrize("mode", MEANING)
def test_every_fault_of_the_host_has_its_meaning(
    host: FakeOllama, reader: PageReader, mode: Mode
) -> None:
    """FLT-49 to 52."""
    host.mode = mode

    error = failure(reader)

    assert type(error) is MEANING[mode]
    if isinstance(error, EngineRefused):
        assert error.reason is RefusalReason.PAGES_UNREAD
        assert len(host.asked) == (1 if mode is Mode.NO_PICTURE else 2)


@pytest.mark.parametrize("mode", SILENCE)
def test_silence_and_a_slow_drip_are_cut_off(
    host: FakeOllama, reader_on: Callable[..., PageReader], mode: Mode
) -> None:
    """FLT-48: a limit for each silence, and one for the whole."""
    patience, meaning = SILENCE[mode]
    host.mode = mode

    assert type(failure(reader_on(**{patience: 1.0}))) is meaning


@pytest.mark.parametrize(
    "nonsense",
    [
        "Auf der Seite steht: Die Pflanze braucht Licht.",
        '{"lines": ["Licht"], "lines": ["mehr"], "drawings": []}',
        '{"lines": ["\\ud800"], "drawings": []}',
        '{"lines": ["Licht"], "drawings": []} Gern geschehen!',
        '{"lines": ' + "[" * 20_000,
    ],
    ids=range(5),
)
def test_garbage_is_asked_for_once_more_and_then_the_teacher_reads(
    host: FakeOllama, reader: PageReader, nonsense: str
) -> None:
    """FLT-51, ATK-122: prose, names twice, half a character, words behind it, deep nesting."""
    host.says = lambda asked: nonsense

    error = failure(reader)

    assert isinstance(error, EngineRefused)
    assert error.reason is RefusalReason.PAGES_UNREAD
    first, second = (asked.body for asked in host.asked)
    assert (first.get("options") or first)["seed"] != (second.get("options") or second)["seed"]


def test_the_second_try_counts(host: FakeOllama, reader: PageReader) -> None:
    said = iter(["nichts", '{"lines": ["Licht"], "drawings": []}'])
    host.says = lambda asked: next(said)

    assert reader.read_page(page()).text == "Licht"


def test_a_page_at_which_the_host_gave_up_is_asked_for_in_another_way(
    host: FakeOllama, reader: PageReader
) -> None:
    """With the same seed it would give up again, as often as it is asked."""
    host.modes.append(Mode.GIVES_UP)
    host.says = reads("Licht")

    assert reader.read_page(page()).text == "Licht"


def test_a_model_that_goes_in_circles_is_stopped_before_it_has_used_up_its_limit(
    host: FakeOllama, reader_on: Callable[..., PageReader]
) -> None:
    host.mode = Mode.LOOPS
    host.pause_line = 0.005  # so that it would talk for ten seconds, each time

    error = failure(reader_on(timeout=8.0))

    assert isinstance(error, EngineRefused)
    assert len(host.asked) == 2


def test_a_model_without_eyes_says_what_to_do(host: FakeOllama, reader: PageReader) -> None:
    host.sees.clear()

    error = failure(reader)

    assert isinstance(error, EngineMisconfigured)
    assert error.what_to_do.startswith(f"Das Modell {SEER} kann keine Bilder sehen.")


def test_a_model_that_is_swapped_meanwhile_has_read_nothing(host: FakeOllama) -> None:
    """FLT-54."""
    reader = build_reader(EngineConfig(EngineKind.OLLAMA, host.url, SEER, sees=True))
    assert reader is not None

    def swap(asked: Asked) -> str:
        host.models[SEER] = "6" * 64
        return '{"lines": [], "drawings": []}'

    host.says = swap

    assert isinstance(failure(reader), EngineFailed)


def test_another_model_than_the_approved_one_does_not_read(host: FakeOllama) -> None:
    """ATK-125."""
    config = EngineConfig(EngineKind.OLLAMA, host.url, SEER, sees=True, digest="7" * 64)
    reader = build_reader(config)
    assert reader is not None

    assert isinstance(failure(reader), EngineMisconfigured)
    assert host.asked == []


def test_nobody_listens(kind: EngineKind) -> None:
    reader = build_reader(EngineConfig(kind, "http://model.invalid:11434", SEER, sees=True))
    assert reader is not None

    assert type(failure(reader)) is EngineUnavailable


def test_without_a_model_that_sees_there_is_no_reader() -> None:
    assert build_reader(EngineConfig()) is None
    assert build_reader(EngineConfig(EngineKind.OLLAMA, "http://h", "phi4")) is None
