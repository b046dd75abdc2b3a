"""The host fails in every way of the fault catalogue (47-55): each failure has one meaning."""

import socket
import traceback
from collections.abc import Callable

import pytest

from feedback_engine.build import build_engine
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import FeedbackEngine
from feedback_engine.errors import (
    EngineError,
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    EngineUnavailable,
)
from tests.fakes.ollama import FakeOllama, Mode
from tests.feedback_engine.examples import plants

PRIVATE = "Mein Geheimnis ist: Die Pflanze braucht Licht."

MEANING: dict[Mode, type[EngineError]] = {
    Mode.ERROR_500: EngineUnavailable,
    Mode.ERROR_503: EngineUnavailable,
    Mode.BUSY: EngineUnavailable,
    Mode.DIES: EngineUnavailable,
    Mode.NO_MEMORY_LATE: EngineUnavailable,
    Mode.NO_MODEL: EngineMisconfigured,
    Mode.BAD_OPTION: EngineMisconfigured,
    Mode.NO_MEMORY: EngineMisconfigured,
    Mode.HTML: EngineMisconfigured,
    Mode.GZIP: EngineMisconfigured,
    Mode.NO_PICTURE: EngineRefused,
    Mode.HALF_LINE: EngineFailed,
    Mode.NOT_UTF8: EngineFailed,
    Mode.CUT_OFF: EngineRefused,
    Mode.EMPTY: EngineRefused,
    Mode.ONLY_THINKING: EngineRefused,
    Mode.FLOOD: EngineRefused,
    Mode.LOOPS: EngineRefused,
    Mode.GIVES_UP: EngineRefused,
}
# What is ended by one kind of patience only; that one is short here, the others are long.
SILENCE: dict[Mode, tuple[str, type[EngineError]]] = {
    Mode.SILENT: ("first_token", EngineUnavailable),
    Mode.STALLED: ("idle", EngineFailed),
    Mode.ENDLESS: ("idle", EngineFailed),
    Mode.DRIP: ("timeout", EngineFailed),
}


def failure(engine: FeedbackEngine) -> EngineError:
    with pytest.raises(EngineError) as failed:
        engine.give_feedback(plants(PRIVATE))
    return failed.value


def test_every_way_to_fail_is_tried() -> None:
    assert set(MEANING) | set(SILENCE) | {Mode.WELL} == set(Mode)


@pytest.mark.parametrize("mode", MEANING)
def test_a_failure_has_its_meaning_and_tells_nothing_of_the_answer(
    host: FakeOllama, engine: FeedbackEngine, mode: Mode
) -> None:
    """FLT-49 to 52: each way by its name in `Mode`."""
    host.mode = mode

    error = failure(engine)

    assert type(error) is MEANING[mode]
    assert PRIVATE.split()[1] not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("mode", SILENCE)
def test_silence_and_endless_talk_are_cut_off(
    host: FakeOllama, engine_on: Callable[..., FeedbackEngine], mode: Mode
) -> None:
    """FLT-48."""
    patience, meaning = SILENCE[mode]
    host.mode = mode

    error = failure(engine_on(**{patience: 1.0}))

    assert type(error) is meaning


def test_a_host_that_is_silent_till_the_end_of_all_patience_has_failed(
    host: FakeOllama, engine_on: Callable[..., FeedbackEngine]
) -> None:
    host.mode = Mode.SILENT

    assert type(failure(engine_on(timeout=1.0))) is EngineFailed


@pytest.mark.parametrize("mode", [m for m in MEANING if MEANING[m] is not EngineRefused])
def test_a_failing_host_is_asked_only_once(
    host: FakeOllama, engine: FeedbackEngine, mode: Mode
) -> None:
    host.mode = mode

    failure(engine)

    assert len(host.asked) == 1


@pytest.mark.parametrize("mode", [Mode.ERROR_503, Mode.DIES, Mode.NOT_UTF8])
def test_a_host_that_fails_between_the_two_questions_fails_the_whole(
    host: FakeOllama, engine: FeedbackEngine, mode: Mode
) -> None:
    host.modes.extend([Mode.WELL, mode])

    assert type(failure(engine)) is MEANING[mode]


def test_nobody_listens(kind: EngineKind) -> None:
    """FLT-47."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        error = failure(build_engine(EngineConfig(kind, url, "gemma3:12b")))

    assert type(error) is EngineUnavailable


def test_the_host_has_no_address(kind: EngineKind) -> None:
    """FLT-47."""
    config = EngineConfig(kind, "http://model.invalid:11434", "gemma3:12b")

    assert type(failure(build_engine(config))) is EngineUnavailable


def test_a_missing_model_says_what_to_do(host: FakeOllama) -> None:
    engine = build_engine(EngineConfig(EngineKind.OLLAMA, host.url, "qwen3:8b"))

    error = failure(engine)

    assert isinstance(error, EngineMisconfigured)
    assert error.what_to_do == "fehlt: ollama pull qwen3:8b"
    assert host.asked == []


def test_too_little_memory_says_what_to_do(host: FakeOllama, engine: FeedbackEngine) -> None:
    host.mode = Mode.NO_MEMORY

    error = failure(engine)

    assert isinstance(error, EngineMisconfigured)
    assert "kleineres Modell" in error.what_to_do


def test_after_the_fault_the_same_engine_works_again(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    host.modes.extend([Mode.DIES, Mode.NOT_UTF8, Mode.ERROR_500])

    for _ in range(3):
        failure(engine)

    assert not engine.give_feedback(plants()).needs_teacher


def test_a_slow_host_within_its_time_is_waited_for(
    host: FakeOllama, engine_on: Callable[..., FeedbackEngine]
) -> None:
    host.pause_before = 0.3

    assert not engine_on(first_token=20).give_feedback(plants()).needs_teacher
