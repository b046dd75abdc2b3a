"""How long a feedback may take: longer where there is more to say (FLT-48, ATK-121)."""

from collections.abc import Callable

import pytest

from feedback_engine.config import EngineConfig, EngineKind, time_for
from feedback_engine.contract import FeedbackEngine
from feedback_engine.errors import EngineFailed
from tests.fakes.ollama import FakeOllama
from tests.feedback_engine.examples import plants

SENTENCE = "Die Pflanze nimmt Wasser auf und wandelt mit dem Licht die Energie um. "


@pytest.mark.parametrize(
    ("letters", "criteria", "seconds"),
    [
        (0, 1, 100),
        (2000, 4, 100),
        (4000, 4, 150),
        (2000, 8, 150),
        (10_000, 4, 300),
        (20_000, 20, 300),
    ],
)
def test_long_answers_and_many_criteria_have_more_time_up_to_threefold(
    letters: int, criteria: int, seconds: float
) -> None:
    config = EngineConfig(EngineKind.OLLAMA, "http://h", "m", timeout=100)

    assert time_for(config, "x" * letters, criteria) == seconds


def test_what_is_too_slow_for_a_short_answer_is_in_time_for_a_long_one(
    host: FakeOllama, engine_on: Callable[..., FeedbackEngine]
) -> None:
    host.pause_before = 1.2
    engine = engine_on(timeout=2.0, num_ctx=16_384)

    with pytest.raises(EngineFailed):
        engine.give_feedback(plants())

    assert engine.give_feedback(plants(SENTENCE * 160)).verdicts
