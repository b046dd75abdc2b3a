"""What an operator is told about a model host."""

import pytest

from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.health import check_models
from tests.fakes.ollama import FakeOllama

HERE = "gemma3:12b"


def test_all_is_well(host: FakeOllama, kind: EngineKind) -> None:
    health = check_models(EngineConfig(kind, host.url, HERE))

    assert health.ok
    assert health.reachable
    assert set(health.digests) == {HERE}
    assert host.asked == []


def test_a_missing_model_is_named_with_the_command_that_brings_it(host: FakeOllama) -> None:
    health = check_models(
        EngineConfig(EngineKind.OLLAMA, host.url, HERE), [HERE, "qwen2.5vl:7b", "phi4"]
    )

    assert health.missing == ("qwen2.5vl:7b", "phi4")
    assert health.what_to_do == ("fehlt: ollama pull qwen2.5vl:7b", "fehlt: ollama pull phi4")
    assert health.digests == {HERE: "a" * 64}


def test_a_reader_without_eyes_is_told(host: FakeOllama) -> None:
    host.sees.clear()

    health = check_models(EngineConfig(EngineKind.OLLAMA, host.url, HERE, sees=True))

    assert "kann keine Bilder sehen" in health.what_to_do[0]
    assert health.digests == {HERE: "a" * 64}
    assert check_models(EngineConfig(EngineKind.OLLAMA, host.url, HERE)).ok


def test_a_context_longer_than_the_model_has_is_told(host: FakeOllama) -> None:
    host.context = 4096

    health = check_models(EngineConfig(EngineKind.OLLAMA, host.url, HERE))

    assert "fasst nur 4096 Tokens" in health.what_to_do[0]


def test_other_servers_have_no_pull(host: FakeOllama) -> None:
    health = check_models(EngineConfig(EngineKind.OPENAI, f"{host.url}/v1", "mistral"))

    assert "mistral" in health.what_to_do[0]
    assert "ollama" not in health.what_to_do[0]


def test_a_model_without_a_tag_is_the_latest(host: FakeOllama) -> None:
    host.models["phi4:latest"] = "d" * 64

    assert check_models(EngineConfig(EngineKind.OLLAMA, host.url, "phi4")).ok


def test_a_model_that_is_not_the_approved_one_is_reported(host: FakeOllama) -> None:
    health = check_models(EngineConfig(EngineKind.OLLAMA, host.url, HERE, digest="b" * 64))

    assert not health.ok
    assert "Prüfsumme" in health.what_to_do[0]


def test_nobody_answers(kind: EngineKind) -> None:
    health = check_models(EngineConfig(kind, "http://model.invalid:11434", HERE))

    assert not health.reachable
    assert health.what_to_do == (
        "Der Modell-Server unter http://model.invalid:11434 antwortet nicht. Läuft er?",
    )


def test_some_other_server_answers(host: FakeOllama, kind: EngineKind) -> None:
    health = check_models(EngineConfig(kind, f"{host.url}/elsewhere", HERE))

    assert health.reachable
    assert not health.ok


def test_the_engine_without_a_model_is_always_well() -> None:
    assert check_models(EngineConfig(EngineKind.LEXICAL)).ok


@pytest.mark.parametrize(
    ("host", "model", "num_ctx"), [("", "m", 8192), ("http://h", "", 8192), ("http://h", "m", 4000)]
)
def test_a_configuration_that_cannot_work_stops_the_start(
    host: str, model: str, num_ctx: int
) -> None:
    with pytest.raises(ValueError, match=r"model needs|num_ctx"):
        EngineConfig(EngineKind.OLLAMA, host, model, num_ctx=num_ctx)


def test_a_key_is_never_printed() -> None:
    config = EngineConfig(EngineKind.OPENAI, "http://h", "m", api_key="geheim")

    assert "geheim" not in repr(config)
