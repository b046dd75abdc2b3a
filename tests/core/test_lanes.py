"""The policy of the lanes, in tables: who is next at a model host."""

from datetime import timedelta
from statistics import mean
from uuid import UUID

import pytest

from lti_tool.core.hosts import OPENS_AFTER, may_try
from lti_tool.core.lanes import NEVER, Lane, Urgency, Waiting, choose
from tests.bench.lanes import CASES as CASES_OF_P8
from tests.bench.lanes import first_in_first_outs, without_a_queue

TEXT, VISION = "gemma3:12b", "qwen2.5vl:7b"
LIVE, HOMEWORK, AGAIN = Urgency
AGE_LIMIT = timedelta(minutes=2)


def job(
    name: int,
    urgency: Urgency = LIVE,
    model: str = TEXT,
    waited: float = 10,
    *,
    ready: float | None = None,
    course: int = 1,
    served: float | None = None,
) -> Waiting:
    return Waiting(
        job_id=UUID(int=name),
        urgency=urgency,
        course_id=UUID(int=course),
        model=model,
        waited=timedelta(seconds=waited),
        ready=timedelta(seconds=waited if ready is None else ready),
        served=NEVER if served is None else timedelta(seconds=served),
    )


def at(loaded: str = TEXT, busy: int = 0, slots: int = 4) -> Lane:
    return Lane(slots=slots, busy=busy, loaded=loaded)


CASES = {
    "nobody waits": ([], at(), None),
    "the only one": ([job(1)], at(), 1),
    "no slot is free": ([job(1)], at(busy=4), None),
    "one slot is free": ([job(1)], at(busy=3), 1),
    "a lesson before homework, however long that has waited": (
        [job(1, HOMEWORK, waited=9999), job(2, LIVE, waited=1)],
        at(),
        2,
    ),
    "homework before regeneration": ([job(1, AGAIN, waited=99), job(2, HOMEWORK)], at(), 2),
    "a lesson before homework, even if another model must be loaded": (
        [job(1, HOMEWORK, TEXT), job(2, LIVE, VISION)],
        at(TEXT),
        2,
    ),
    "homework does not lengthen the wait for that other model": (
        [job(1, HOMEWORK, TEXT), job(2, LIVE, VISION)],
        at(TEXT, busy=1),
        None,
    ),
    "the course served longest ago": (
        [job(1, course=1, served=5, waited=90), job(2, course=2, served=60, waited=1)],
        at(),
        2,
    ),
    "a course that was never served before all others": (
        [job(1, course=1, served=9999), job(2, course=2)],
        at(),
        2,
    ),
    "in one course who has waited longest": ([job(1, waited=1), job(2, waited=2)], at(), 2),
    "among equals the model that is loaded": (
        [job(1, model=VISION, waited=119), job(2, model=TEXT, waited=1)],
        at(TEXT),
        2,
    ),
    "a text answer does not wait for the vision model to be loaded": (
        [job(1, model=VISION, waited=90), job(2, model=TEXT, waited=1)],
        at(TEXT, busy=2),
        2,
    ),
    "unless another has waited too long": (
        [job(1, model=VISION, waited=120), job(2, model=TEXT, waited=1)],
        at(TEXT),
        1,
    ),
    "for one stage: who was read a moment ago is not too long without the other model": (
        [job(1, model=VISION, waited=10), job(2, model=TEXT, waited=300, ready=119)],
        at(VISION),
        1,
    ),
    "but then who handed in first, whatever was ready first": (
        [job(1, model=VISION, waited=200, ready=200), job(2, model=TEXT, waited=300, ready=120)],
        at(VISION),
        2,
    ),
    "then what runs ends first": (
        [job(1, model=VISION, waited=120), job(2, model=TEXT, waited=1)],
        at(TEXT, busy=1),
        None,
    ),
    "both too long: who has waited longer": (
        [job(1, model=VISION, waited=130), job(2, model=TEXT, waited=140)],
        at(TEXT),
        2,
    ),
    "nothing for the loaded model: the other is loaded": (
        [job(1, model=VISION, waited=1)],
        at(TEXT),
        1,
    ),
    "but not beside what still runs": ([job(1, model=VISION, waited=1)], at(TEXT, busy=1), None),
    "nothing is loaded yet": ([job(1, model=VISION)], at(""), 1),
    "a model is loaded for who has waited longest": (
        [job(1, model=TEXT, waited=1, course=2), job(2, model=VISION, waited=9, served=1)],
        at("llama"),
        2,
    ),
    "what needs no model goes beside any": ([job(1, model="")], at(TEXT, busy=3), 1),
    "with one model for both kinds of work none is ever loaded again": (
        [job(1, model=TEXT, waited=500), job(2, model=TEXT, waited=1)],
        at(TEXT, busy=3),
        1,
    ),
}


@pytest.mark.parametrize(("waiting", "lane", "chosen"), CASES.values(), ids=CASES)
def test_who_is_next(waiting, lane, chosen):
    found = choose(waiting, lane, AGE_LIMIT)

    assert (found.job_id.int if found else None) == chosen


@pytest.mark.parametrize("case", CASES_OF_P8, ids=lambda case: case.name)
def test_a_lesson_waits_as_little_as_it_may(case):
    """P8, as far as the policy is concerned: forty lessons of 28, half of them with photos."""
    assert mean(without_a_queue(case, 40)) <= case.goal * mean(first_in_first_outs(40))


def test_a_big_class_does_not_keep_a_small_one_waiting():
    """FLT-32: by turns, as long as both have somebody waiting."""
    big = [job(n, course=1, waited=100 - n) for n in range(1, 29)]
    small = [job(n, course=2, waited=10 - n % 7) for n in range(51, 54)]
    waiting, order, last = big + small, [], {1: None, 2: None}
    for turn in range(8):
        seen = [
            job(
                w.job_id.int,
                waited=w.waited.total_seconds(),
                course=w.course_id.int,
                served=None if last[w.course_id.int] is None else turn - last[w.course_id.int],
            )
            for w in waiting
        ]
        chosen = choose(seen, at(), AGE_LIMIT)
        last[chosen.course_id.int] = turn
        order.append(chosen.course_id.int)
        waiting = [w for w in waiting if w.job_id != chosen.job_id]

    assert order == [1, 2, 1, 2, 1, 2, 1, 1]


@pytest.mark.parametrize(
    ("failures", "resting", "busy", "may"),
    [
        (0, False, 3, True),
        (OPENS_AFTER - 1, False, 3, True),
        (OPENS_AFTER, True, 0, False),
        (OPENS_AFTER, False, 0, True),  # one tries
        (OPENS_AFTER, False, 1, False),  # and nobody else, until it has an answer
        (OPENS_AFTER + 9, False, 0, True),
    ],
)
def test_a_host_that_fails_is_left_alone_and_then_tried_by_one(failures, resting, busy, may):
    assert may_try(failures, resting=resting, busy=busy) is may
