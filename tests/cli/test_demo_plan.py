"""Where the demo's data lies, and what is settled before anything starts."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from config.settings import Settings, read_settings
from feedback_engine.config import EngineConfig
from feedback_engine.health import ModelHealth
from lti_tool.cli.answers import CommandFailed
from lti_tool.cli.demo.household import choose_engine
from lti_tool.cli.demo.plan import (
    HOST,
    Plan,
    environment_of,
    free_port,
    keep_ports,
    need_free_port,
    secret_in,
)

DATABASE = "postgresql://gustav_app@/gustav?host=/somewhere"


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(tmp_path, 8080, 8081)


def settings_with(plan: Plan, **more: str) -> Settings:
    return read_settings(environment_of(plan, DATABASE) | more)


def test_the_secret_is_made_once_and_readable_by_nobody_else(plan: Plan) -> None:
    first = secret_in(plan.folder)
    value = first.read_text()

    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert len(value) >= 32
    assert secret_in(plan.folder).read_text() == value


def test_its_settings_are_good_settings_and_let_it_call_the_lms_only(plan: Plan) -> None:
    settings = settings_with(plan)

    assert settings.base_url == "http://localhost:8080"
    assert settings.outbound_allow == {"localhost:8081"}
    assert settings.files == str(plan.folder / "files")
    assert settings.sweep_every.total_seconds() == 1


def test_a_folder_stays_with_its_ports(plan: Plan) -> None:
    keep_ports(plan)
    keep_ports(plan)

    with pytest.raises(CommandFailed, match="8080 und 8081"):
        keep_ports(Plan(plan.folder, 8090, 8091))


def test_a_taken_port_is_named_with_the_option_that_changes_it() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CommandFailed, match=f"Port {port} .*--lms-port.*LMS_PORT="):
            need_free_port(port, "lms-port")

    need_free_port(free_port(), "port")


def test_the_model_writes_if_it_is_there(plan: Plan) -> None:
    asked: list[EngineConfig] = []

    def there(wanted: EngineConfig) -> ModelHealth:
        asked.append(wanted)
        return ModelHealth(reachable=True)

    chosen = choose_engine(settings_with(plan, GUSTAV_MODEL_NAME="qwen3:8b"), there)

    assert chosen.name == "ollama"
    assert "qwen3:8b" in chosen.says
    assert asked[0].model == "qwen3:8b"
    assert chosen.reading_model == asked[1].model
    assert f"Fotos liest das Modell {asked[1].model}." in chosen.says


def test_where_the_reader_is_missing_pupils_type_what_is_on_the_sheet(plan: Plan) -> None:
    def only_the_judge(wanted: EngineConfig) -> ModelHealth:
        missing = ("fehlt",) if wanted.model.startswith("qwen") else ()
        return ModelHealth(reachable=True, what_to_do=missing)

    chosen = choose_engine(settings_with(plan), only_the_judge)

    assert (chosen.name, chosen.reading_model) == ("ollama", "none")
    assert "Fotos" not in chosen.says


def test_without_the_model_rules_do_and_it_is_said_why(plan: Plan) -> None:
    missing = ModelHealth(reachable=True, what_to_do=("Es fehlt: ollama pull gemma3:12b",))
    chosen = choose_engine(settings_with(plan), lambda _: missing)

    assert chosen.name == "lexical"
    assert "ohne KI-Modell" in chosen.says
    assert "ollama pull gemma3:12b" in chosen.says


def test_whoever_wants_no_model_is_not_asked_for_one(plan: Plan) -> None:
    def never(_: EngineConfig) -> ModelHealth:
        raise AssertionError("asked")

    assert choose_engine(settings_with(plan, GUSTAV_ENGINE="lexical"), never).name == "lexical"
