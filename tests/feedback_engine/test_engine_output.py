"""A model says something wrong, broken or unkind: what is made of it."""

import json
from typing import Any

import pytest

from feedback_engine.contract import CriterionVerdict, FeedbackEngine, Flag, VerdictStatus
from feedback_engine.errors import EngineRefused, RefusalReason
from tests.fakes.ollama import Asked, FakeOllama, Mode, fitting_answer
from tests.feedback_engine.examples import SUGAR, plants
from tests.feedback_engine.speakers import K1, K2, composing, judgement, judging


def test_a_criterion_without_evidence_is_open_and_the_others_stand(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    host.says = judgement(K1=K1 | {"quote": "Das Chlorophyll fängt Licht ein"}, K2=K2)

    draft = engine.give_feedback(plants())

    assert [v.status for v in draft.verdicts] == [
        VerdictStatus.NOT_ASSESSED,
        VerdictStatus.ASSESSED,
    ]
    assert draft.needs_teacher


def test_a_criterion_of_which_the_answer_says_nothing_is_at_its_lowest_level(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    nothing = {"quote": "", "reason": "Dazu steht noch nichts da.", "level": 0}
    host.says = judgement(K1=K1, K2=nothing)

    sugar = engine.give_feedback(plants()).verdicts[1]

    assert (sugar.status, sugar.level) == (VerdictStatus.NOTHING_FOUND, 0)
    assert sugar.reason == "Dazu steht noch nichts da."


BROKEN = [
    "Gerne! Die Antwort ist gut.",
    '{"judgement": {"K1": ',
    "[1, 2]",
    "{}",
    '{"judgement": NaN}',
    '{"judgement": {"K1": {"quote": "Licht", "quote": "Luft", "reason": "", "level": 1}}}',
    '{"judgement": ' + '{"K1": ' * 10_000 + "1" + "}" * 10_001,
    "\ufffd",
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_cannot_be_read_is_asked_once_more_and_then_left_to_the_teacher(
    host: FakeOllama, engine: FeedbackEngine, text: str
) -> None:
    host.says = judging(text)

    with pytest.raises(EngineRefused) as refused:
        engine.give_feedback(plants())

    assert refused.value.reason is RefusalReason.UNREADABLE_OUTPUT
    assert len(host.asked) == 2


WORTHLESS_ENTRIES: list[Any] = [
    None,
    "12 von 10",
    K2 | {"level": "2"},
    K2 | {"level": 1.5},
    K2 | {"level": True},
    K2 | {"level": 99},
    K2 | {"level": -1},
    K2 | {"points": 15},
    {"quote": "es entsteht Traubenzucker", "level": 2},
    K2 | {"quote": ["es entsteht Traubenzucker"]},
]


@pytest.mark.parametrize("entry", WORTHLESS_ENTRIES, ids=range(len(WORTHLESS_ENTRIES)))
def test_a_worthless_entry_never_becomes_a_level_and_harms_no_other(
    host: FakeOllama, engine: FeedbackEngine, entry: Any
) -> None:
    """FLT-53."""
    host.says = judgement(K1=K1, K2=entry)

    draft = engine.give_feedback(plants())

    assert draft.verdicts[0].level == 1
    assert draft.verdicts[1] == CriterionVerdict.not_assessed(SUGAR.id)


def test_a_missing_criterion_is_asked_for_again_and_what_was_said_first_stays(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    answers = iter(
        [
            json.dumps({"judgement": {"K1": K1}}),
            json.dumps({"judgement": {"K1": K1 | {"level": 2}, "K2": K2}}),
        ]
    )
    host.says = lambda asked: next(answers) if asked.is_judging else fitting_answer(asked)

    draft = engine.give_feedback(plants())

    assert [v.level for v in draft.verdicts] == [1, 1]


def test_a_fenced_answer_is_an_answer(host: FakeOllama, engine: FeedbackEngine) -> None:
    host.says = lambda asked: f"```json\n{fitting_answer(asked)}\n```"

    assert not engine.give_feedback(plants()).needs_teacher
    assert len(host.asked) == 2


def test_a_second_try_may_succeed(host: FakeOllama, engine: FeedbackEngine) -> None:
    host.modes.extend([Mode.CUT_OFF, Mode.WELL, Mode.EMPTY, Mode.WELL])

    draft = engine.give_feedback(plants())

    assert not draft.needs_teacher
    assert len(host.asked) == 4


def test_without_prose_the_verdicts_wait_for_the_teacher(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    host.says = lambda asked: fitting_answer(asked) if asked.is_judging else "Leider nein."

    draft = engine.give_feedback(plants())

    assert draft.flags == (Flag.PROSE_MISSING,)
    assert (draft.strengths, draft.next_step, draft.question) == ("", "", "")
    assert draft.needs_teacher
    assert draft.verdicts[0].level is not None


@pytest.mark.parametrize(
    ("texts", "flag"),
    [
        (
            {"next_step": "Schreib: Das Chlorophyll fängt die Lichtenergie ein."},
            "SOLUTION_GIVEN_AWAY",
        ),
        (
            {"strengths": "You have explained this very well and it is clear to me."},
            "WRONG_LANGUAGE",
        ),
        ({"question": "Was sagt Charles Babbage dazu?"}, "PERSON_NAMED"),
        ({"strengths": "Du bist ein Idiot."}, "UNKIND"),
    ],
)
def test_prose_that_should_not_be_shown_waits_for_the_teacher(
    host: FakeOllama, engine: FeedbackEngine, texts: dict[str, str], flag: str
) -> None:
    english = dict.fromkeys(("strengths", "next_step", "question"), texts.get("strengths", ""))
    host.says = composing(**(english if flag == "WRONG_LANGUAGE" else texts))
    if flag == "WRONG_LANGUAGE":
        reason = "You say that and it is right for the task."
        entries = {"K1": K1 | {"reason": reason}, "K2": K2 | {"reason": reason}}
        compose = host.says
        judge = json.dumps({"judgement": entries})
        host.says = lambda asked: judge if asked.is_judging else compose(asked)

    draft = engine.give_feedback(plants(names=("Charles Babbage",)))

    assert Flag[flag] in draft.flags
    assert draft.needs_teacher


def test_a_reason_that_gives_the_solution_away_is_caught_as_well(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    leak = K1 | {"reason": "Es fehlt, dass Chlorophyll die Energie einfängt und Kohlenstoffdioxid."}
    host.says = judgement(K1=leak, K2=K2)

    assert Flag.SOLUTION_GIVEN_AWAY in engine.give_feedback(plants()).flags


def test_a_model_that_repeats_its_orders_is_caught(
    host: FakeOllama, engine: FeedbackEngine
) -> None:
    def echo(asked: Asked) -> str:
        marker = asked.prompt.split("[[ ## marker ## ]]\n")[1].split()[0]
        return composing(question=f"Soll ich {marker} verraten?")(asked)

    host.says = echo

    assert Flag.PROMPT_ECHOED in engine.give_feedback(plants()).flags
