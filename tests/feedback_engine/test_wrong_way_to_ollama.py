"""Ollama, asked in OpenAI's protocol, leaves out what does not fit, pages first: status 200."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from feedback_engine.build import build_engine, build_reader
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import PageImage
from feedback_engine.errors import EngineMisconfigured
from feedback_engine.health import check_models
from tests.fakes.ollama import Asked, FakeOllama, fitting_answer
from tests.feedback_engine.examples import plants

SEER = "qwen2.5vl:7b-q8_0"
ANSWER = "Die Pflanze braucht Licht, weil es die Energie liefert. " * 40
ADVICE = "Bitte ein Profil für Ollama einstellen (GUSTAV_MODEL_PROFILE)."


@pytest.fixture
def host() -> Iterator[FakeOllama]:
    with FakeOllama({SEER: "5" * 64}) as fake:
        fake.is_ollama_for_all = True
        yield fake


@pytest.fixture
def config(host: FakeOllama) -> EngineConfig:
    return EngineConfig(EngineKind.OPENAI, f"{host.url}/v1", SEER, sees=True)


def test_drawings_that_no_model_has_seen_are_not_judged(
    host: FakeOllama, config: EngineConfig
) -> None:
    host.letters_per_token = 1
    seen: list[Asked] = []

    def makes_it_up(asked: Asked) -> str:
        seen.append(asked)
        return fitting_answer(asked)

    host.says = makes_it_up
    drawn = replace(plants(ANSWER), images=(PageImage(_jpeg()),))

    with pytest.raises(EngineMisconfigured) as failed:
        build_engine(config).give_feedback(drawn)

    assert failed.value.what_to_do.endswith(ADVICE)
    assert len(host.asked[0].images) == 1
    assert [asked.images for asked in seen] == [()]


def test_a_refusal_of_its_own_is_not_put_down_to_the_answer(
    host: FakeOllama, config: EngineConfig
) -> None:
    """The same answer fits as soon as Ollama is asked in its own words."""
    host.letters_per_token = 1
    drawn = replace(plants(), images=(PageImage(_jpeg()),) * 2)

    with pytest.raises(EngineMisconfigured) as failed:
        build_engine(config).give_feedback(drawn)

    assert failed.value.what_to_do.endswith(ADVICE)


def test_pages_are_not_read_on_this_way(config: EngineConfig) -> None:
    reader = build_reader(config)
    assert reader is not None

    with pytest.raises(EngineMisconfigured) as failed:
        reader.read_page(PageImage(_jpeg()))

    assert failed.value.what_to_do.endswith(ADVICE)


def test_an_operator_is_told_before_anybody_hands_in(config: EngineConfig) -> None:
    health = check_models(config)

    assert health.reachable
    (advice,) = health.what_to_do
    assert advice.endswith(ADVICE)


def test_asked_in_its_own_words_it_is_welcome(config: EngineConfig, host: FakeOllama) -> None:
    assert check_models(replace(config, kind=EngineKind.OLLAMA, host=host.url)).ok


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (800, 600), "white").save(out, "JPEG")
    return out.getvalue()
