"""A model host on this machine, and engines that talk to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from feedback_engine.build import build_engine
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import FeedbackEngine
from tests.fakes.ollama import FakeOllama

MODEL = "gemma3:12b"


@pytest.fixture
def host() -> Iterator[FakeOllama]:
    with FakeOllama({MODEL: "a" * 64}) as fake:
        yield fake


@pytest.fixture(params=[EngineKind.OLLAMA, EngineKind.OPENAI])
def kind(request: pytest.FixtureRequest) -> EngineKind:
    """Whatever is said of one protocol is said of both."""
    return EngineKind(request.param)


@pytest.fixture
def engine_on(host: FakeOllama, kind: EngineKind) -> Callable[..., FeedbackEngine]:
    def make(**settings: Any) -> FeedbackEngine:
        return build_engine(EngineConfig(kind, host.url, MODEL, **settings))

    return make


@pytest.fixture
def engine(engine_on: Callable[..., FeedbackEngine]) -> FeedbackEngine:
    return engine_on()
