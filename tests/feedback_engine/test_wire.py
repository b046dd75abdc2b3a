"""What a model server's status and sentence mean, as real servers were seen or read to say them."""

import pytest

from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.errors import (
    EngineError,
    EngineMisconfigured,
    EngineRefused,
    EngineUnavailable,
)
from feedback_engine.wire import meaning_of_status

OLLAMA = EngineConfig(EngineKind.OLLAMA, "http://h", "phi4")
OTHER = EngineConfig(EngineKind.OPENAI, "http://h", "phi4")


@pytest.mark.parametrize(
    ("status", "said", "meaning"),
    [
        (500, "llama runner process has terminated: exit status 2", EngineUnavailable),
        (
            503,
            "server busy, please try again. maximum pending requests exceeded",
            EngineUnavailable,
        ),
        (-1, "an error was encountered while running the model: unexpected EOF", EngineUnavailable),
        (499, "request canceled", EngineUnavailable),
        (429, "", EngineUnavailable),
        (404, "model 'phi4' not found", EngineMisconfigured),
        (404, "404 page not found", EngineMisconfigured),
        (405, "405 method not allowed", EngineMisconfigured),
        (302, "", EngineMisconfigured),
        (400, 'time: invalid duration "lange"', EngineMisconfigured),
        (500, "invalid JSON schema in format", EngineMisconfigured),
        (500, "model requires more system memory (9 GiB) than is available", EngineMisconfigured),
        (400, "the input length exceeds the context length", EngineRefused),
        (400, "request (9000 tokens) exceeds the available context size (4096)", EngineRefused),
        (400, "This model's maximum context length is 4096 tokens.", EngineRefused),
        (413, "", EngineRefused),
        (400, '{"error":{"message":"Failed to load image or audio file"}}', EngineRefused),
    ],
)
def test_a_status_has_one_meaning(status: int, said: str, meaning: type[EngineError]) -> None:
    assert type(meaning_of_status(status, said, OLLAMA)) is meaning


@pytest.mark.parametrize(
    ("said", "config", "advice"),
    [
        ("model 'phi4' not found", OLLAMA, "fehlt: ollama pull phi4"),
        ("model 'phi4' not found", OTHER, "bietet phi4 nicht an"),
        ("404 page not found", OLLAMA, "Adresse prüfen"),
    ],
)
def test_an_operator_is_told_what_to_do(said: str, config: EngineConfig, advice: str) -> None:
    error = meaning_of_status(404, said, config)

    assert isinstance(error, EngineMisconfigured)
    assert advice in error.what_to_do
