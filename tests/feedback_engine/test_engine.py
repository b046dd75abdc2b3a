"""A model gives feedback: what is asked of it, what is made of its words."""

from collections.abc import Callable

import pytest

from feedback_engine.build import build_engine
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import (
    CriterionVerdict,
    EarlierAttempt,
    FeedbackEngine,
    VerdictStatus,
)
from feedback_engine.errors import (
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    RefusalReason,
)
from tests.fakes.ollama import Asked, FakeOllama, fitting_answer
from tests.feedback_engine.examples import ADAS_ANSWER, LIGHT, NOTES, SUGAR, candle, plants
from tests.feedback_engine.speakers import K1, K2, judgement


def test_ada_gets_a_verdict_with_her_own_words_for_each_criterion_and_kind_prose(
    host: FakeOllama, engine: FeedbackEngine, kind: EngineKind
) -> None:
    host.says = judgement(K1=K1, K2=K2)

    draft = engine.give_feedback(plants())

    assert [(v.criterion_id, v.level, v.quote) for v in draft.verdicts] == [
        (LIGHT.id, 1, "Mit dem Licht wandelt sie"),
        (SUGAR.id, 1, "es entsteht Traubenzucker"),
    ]
    assert draft.verdicts[0].reason == "Du nennst es."
    assert draft.strengths.startswith("Du hast dich")
    assert draft.next_step.startswith("Lies deinen Text")
    assert draft.question.endswith("?")
    assert draft.flags == ()
    assert not draft.needs_teacher
    assert draft.engine.is_model
    assert (draft.engine.name, draft.engine.model) == (kind.value, "gemma3:12b")
    assert len(host.asked) == 2


def test_the_digest_of_the_model_is_recorded_where_the_host_tells_it(
    engine: FeedbackEngine, kind: EngineKind
) -> None:
    digest = engine.give_feedback(plants()).engine.digest

    assert digest == ("a" * 64 if kind is EngineKind.OLLAMA else "")


def test_an_english_answer_is_spoken_of_in_english(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    draft = engine.give_feedback(candle())

    assert draft.strengths.startswith("You have worked")
    assert draft.flags == ()
    assert all("Write English." in asked.prompt for asked in host.asked)


def test_the_model_is_asked_as_repeatably_as_can_be_and_within_a_schema(
    host: FakeOllama, engine: FeedbackEngine, kind: EngineKind
) -> None:
    engine.give_feedback(plants())

    body = host.asked[0].body
    sampling = body["options"] if kind is EngineKind.OLLAMA else body
    limit = "num_predict" if kind is EngineKind.OLLAMA else "max_tokens"
    assert sampling["temperature"] == 0
    assert sampling["seed"] == 7
    assert sampling[limit] == 750
    entry = (host.asked[0].schema or {})["$defs"]["Entry3"]
    assert entry["properties"]["level"]["enum"] == [0, 1, 2]
    assert list(entry["properties"]) == ["quote", "reason", "level"]
    assert entry["additionalProperties"] is False


def test_ollama_is_told_how_much_to_read_and_how_long_to_stay(host: FakeOllama) -> None:
    config = EngineConfig(EngineKind.OLLAMA, host.url, "gemma3:12b", num_ctx=6000, keep_alive="1h")
    build_engine(config).give_feedback(plants())

    body = host.asked[0].body
    assert body["options"]["num_ctx"] == 6000
    assert body["keep_alive"] == "1h"
    assert body["think"] is False


def test_the_second_attempt_knows_the_first(host: FakeOllama, engine: FeedbackEngine) -> None:
    before = (CriterionVerdict.nothing_found(LIGHT.id), CriterionVerdict.not_assessed(SUGAR.id))
    earlier = EarlierAttempt("Nur Wasser.", before, "Denk an das Licht.")
    host.says = judgement(K1=K1, K2=K2)

    engine.give_feedback(plants(earlier=earlier))

    judging_prompt, composing_prompt = (asked.prompt for asked in host.asked)
    assert "Denk an das Licht." in composing_prompt
    assert composing_prompt.count("besser als beim letzten Versuch") == 1
    assert "Denk an das Licht." not in judging_prompt
    assert "Nur Wasser." not in judging_prompt + composing_prompt


def test_what_composes_has_never_seen_the_solution_and_nobody_sees_a_name(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    engine.give_feedback(plants(names=("Charles Babbage",)))

    judging_prompt, composing_prompt = (asked.prompt for asked in host.asked)
    assert NOTES in judging_prompt
    assert "Chlorophyll" not in composing_prompt
    assert "Babbage" not in judging_prompt + composing_prompt


def test_all_before_the_answer_is_the_same_for_a_whole_class(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    engine.give_feedback(plants("Erst die eine Antwort."))
    engine.give_feedback(plants("Dann eine ganz andere."))

    heads = {a.prompt.split("[[ ## answer ## ]]\n")[0] for a in host.asked if a.is_judging}
    assert len(heads) == 1


@pytest.mark.parametrize("answer", ["", " \n ", "\u200b"])
def test_for_a_blank_answer_no_model_is_asked(
    host: FakeOllama, engine: FeedbackEngine, answer: str
) -> None:
    with pytest.raises(EngineRefused):
        engine.give_feedback(plants(answer))

    assert host.paths == []


def test_for_an_answer_without_words_no_model_is_asked_either(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    draft = engine.give_feedback(plants("👍👍👍 ???"))

    assert {v.status for v in draft.verdicts} == {VerdictStatus.NOTHING_FOUND}
    assert not draft.engine.is_model
    assert host.paths == []


def test_what_would_not_fit_into_the_models_memory_is_refused_not_cut(
    host: FakeOllama, engine_on: Callable[..., FeedbackEngine]
) -> None:
    engine = engine_on(num_ctx=4096, max_output=1000)

    with pytest.raises(EngineRefused) as refused:
        engine.give_feedback(plants("Wort " * 2000))

    assert refused.value.reason is RefusalReason.ANSWER_TOO_LONG
    assert host.paths == []


@pytest.mark.parametrize("there", ["a" * 64, "a" * 11 + "b" * 53, ""])
def test_a_model_exchanged_against_the_approved_one_is_not_asked(
    host: FakeOllama, there: str
) -> None:
    """Nor one of which the host does not say whether it was exchanged."""
    host.models["gemma3:12b"] = there
    pin = "b" * 64 if there.startswith("a" * 12) else "a" * 12
    config = EngineConfig(EngineKind.OLLAMA, host.url, "gemma3:12b", digest=pin)

    with pytest.raises(EngineMisconfigured) as wrong:
        build_engine(config).give_feedback(plants())

    assert "Prüfsumme" in wrong.value.what_to_do
    assert host.asked == []


@pytest.mark.parametrize("pin", ["", "a" * 12, "a" * 64])
@pytest.mark.parametrize("told", ["", "sha256:"])
def test_the_approved_model_is_asked(host: FakeOllama, pin: str, told: str) -> None:
    host.models["gemma3:12b"] = told + "a" * 64
    config = EngineConfig(EngineKind.OLLAMA, host.url, "gemma3:12b", digest=pin)

    assert build_engine(config).give_feedback(plants()).engine.digest == told + "a" * 64


def test_a_model_exchanged_while_it_works_makes_the_result_worthless(host: FakeOllama) -> None:
    def pulled_meanwhile(asked: Asked) -> str:
        host.models["gemma3:12b"] = "c" * 64
        return fitting_answer(asked)

    host.says = pulled_meanwhile

    with pytest.raises(EngineFailed):
        build_engine(EngineConfig(EngineKind.OLLAMA, host.url, "gemma3:12b")).give_feedback(
            plants()
        )


def test_a_key_is_sent_where_one_is_set(
    host: FakeOllama, engine_on: Callable[..., FeedbackEngine]
) -> None:
    engine_on(api_key="geheim").give_feedback(plants())

    assert {asked.headers["authorization"] for asked in host.asked} == {"Bearer geheim"}


def test_nothing_compressed_is_asked_for(host: FakeOllama, engine: FeedbackEngine) -> None:
    engine.give_feedback(plants())

    assert {asked.headers["accept-encoding"] for asked in host.asked} == {"identity"}


def test_the_answer_itself_reaches_the_model_unharmed(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    engine.give_feedback(plants())

    assert host.asked[0].answer == ADAS_ANSWER


@pytest.mark.parametrize("older", [False, True], ids=["refuses", "cuts"])
def test_a_host_that_read_only_a_part_has_not_judged(host: FakeOllama, older: bool) -> None:
    """Ollama can be told not to cut what does not fit; 0.24 cuts it all the same and answers 200:
    there the count of tokens is the only sign."""
    host.older = older
    config = EngineConfig(EngineKind.OLLAMA, host.url, "gemma3:12b", num_ctx=2100, max_output=200)
    host.letters_per_token = 1

    with pytest.raises(EngineRefused) as refused:
        build_engine(config).give_feedback(plants())

    assert refused.value.reason is RefusalReason.ANSWER_TOO_LONG
    assert len(host.asked) == 1
