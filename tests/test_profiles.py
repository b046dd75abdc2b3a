"""Which models a school runs: three sets of settings, and each of their values can be changed."""

import pytest

from config.profiles import PROFILES, Name
from config.settings import Settings, SettingsError, read_settings
from feedback_engine.config import EngineKind
from lti_tool.core import engines


def settings(**knobs: str) -> Settings:
    needed = {
        "GUSTAV_BASE_URL": "https://gustav.schule.example",
        "GUSTAV_SECRET_KEY": "s" * 32,
        "GUSTAV_DATABASE_URL": "postgresql://gustav_app@localhost/gustav",
    }
    return read_settings(needed | {f"GUSTAV_{name.upper()}": v for name, v in knobs.items()})


def test_without_a_word_two_models_share_the_work() -> None:
    chosen = settings()

    judge = engines.judging(chosen, chosen.model_host)
    reader = engines.reading(chosen, chosen.model_host)

    assert (judge.model, judge.sees) == ("gemma3:12b-it-q8_0", True)
    assert reader is not None
    assert (reader.model, reader.sees) == ("qwen2.5vl:7b-q8_0", True)
    assert reader.num_ctx > reader.max_output + 3000


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_makes_a_judge_and_a_reader(profile: Name) -> None:
    chosen = settings(model_profile=profile)

    assert chosen.model_slots == PROFILES[profile].model_slots
    assert settings(model_profile=profile, model_slots="3").model_slots == (3,)
    assert engines.judging(chosen, chosen.model_host).kind == chosen.engine
    assert engines.reading(chosen, chosen.model_host) is not None


def test_one_model_for_both_is_never_loaded_anew_between_the_two() -> None:
    chosen = settings(model_profile="ein-modell", image_size="2000")

    judge = engines.judging(chosen, chosen.model_host)
    reader = engines.reading(chosen, chosen.model_host)

    assert reader is not None
    assert (judge.model, judge.num_ctx) == (reader.model, reader.num_ctx)


def test_vllm_is_reached_as_such() -> None:
    chosen = settings(model_profile="vllm", model_host="http://gpu.schule.intern:8000")

    assert engines.judging(chosen, chosen.model_host).kind is EngineKind.OPENAI
    assert chosen.model_host == "http://gpu.schule.intern:8000"


def test_each_value_of_a_profile_can_be_changed() -> None:
    chosen = settings(
        model_name="mistral-small3.2",
        reading_model="minicpm-v",
        keep_alive="-1m",
        image_size="1200",
    )

    reader = engines.reading(chosen, chosen.model_host)

    assert reader is not None
    assert (reader.model, reader.keep_alive, reader.image_size) == ("minicpm-v", "-1m", 1200)
    assert chosen.model_name == "mistral-small3.2"


def test_a_judge_of_ones_own_is_shown_drawings_only_if_it_is_said_to_see() -> None:
    assert not settings(model_name="qwen3:8b").model_sees
    assert settings(model_name="qwen3:8b", model_sees="true").model_sees
    assert settings(model_name="minicpm-v", reading_model="minicpm-v").model_sees


@pytest.mark.parametrize(
    "knobs",
    [{"engine": "lexical"}, {"reading_model": "none"}, {"engine": "openai", "model_name": "m"}],
)
def test_there_is_no_reader_where_none_was_asked_for(knobs: dict[str, str]) -> None:
    """An address that speaks another protocol does not know the profile's reader."""
    chosen = settings(**knobs)

    assert engines.reading(chosen, chosen.model_host) is None


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("model_profile", "drei"),
        ("keep_alive", "-1"),
        ("keep_alive", "lang"),
        ("image_size", "50"),
        ("model_digest", "gemma3:12b"),
        ("model_digest", "abc123"),
        ("reading_digest", "z" * 64),
    ],
)
def test_an_impossible_value_is_named(knob: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"GUSTAV_{knob.upper()}"):
        settings(**{knob: value})


def test_each_model_can_be_pinned_as_the_command_line_shows_it() -> None:
    chosen = settings(model_digest="sha256:" + "A" * 64, reading_digest="b" * 12)

    reader = engines.reading(chosen, chosen.model_host)

    assert reader is not None
    assert engines.judging(chosen, chosen.model_host).digest == "a" * 64
    assert reader.digest == "b" * 12


def test_one_model_for_both_needs_one_pin() -> None:
    chosen = settings(model_profile="ein-modell", model_digest="a" * 12)

    reader = engines.reading(chosen, chosen.model_host)

    assert reader is not None
    assert reader.digest == "a" * 12
    assert not engines.reading(settings(model_digest="a" * 12), "http://h").digest  # another model


@pytest.mark.parametrize("engine", ["openai", "lexical"])
def test_a_pin_that_nobody_could_compare_stops_the_start(engine: str) -> None:
    with pytest.raises(SettingsError, match="GUSTAV_MODEL_DIGEST"):
        settings(engine=engine, model_digest="a" * 12)
