"""How soon a lesson has its feedback, through the real queue (P8): `python -m tests.bench.lanes`.

PostgreSQL, handing in, dispatcher, lanes, leases and flows are those of the tool; the model host is
a card by its numbers (`gpu.py`), asked without HTTP or DSPy, whose cost would be multiplied by the
speed of its time.

The goals for the mean are about forty lessons. A few of them scatter: with no overhead at all the
first five reach 1/3.08 with one model, the first one 1/3.57, all forty 1/3.41. So the policy is
judged by all of them, without a queue (`simulated.py`); fewer lessons through the real one are
judged by what it costs beyond that. A lesson needs a fiftieth of a core, so ten are held at once:
`--seeds 40` takes seventeen minutes. Ends with 1 if a goal that was judged is missed.
"""

from __future__ import annotations

import argparse
import logging
import queue
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from config.logs import configure_logs
from lti_tool.core.db import Database
from lti_tool.core.embedded import running_postgres
from lti_tool.core.schema import upgrade
from tests.bench.class_at_work import AGE_LIMIT, Outcome, class_at_work
from tests.bench.lesson import GEMMA, QWEN, HandIn, Model, first_in_first_out, lesson
from tests.bench.simulated import Simulated

SEEDS = 10
ENOUGH = 40  # lessons, to judge the mean by
AT_ONCE = 10
SPEED = 4.0  # what the tool needs is multiplied by it, too
WARM_UP = 200.0  # before it counts, so that statements are prepared
OVERHEAD = 0.02
COST = 1.05  # of the mean wait, by all that a tool does around the model
SLOTS = 4


@dataclass(frozen=True)
class Case:
    """`goal`: the mean wait is at most this part of that of first-in-first-out with two models."""

    name: str
    vision: Model
    text: Model
    goal: float


CASES = (
    Case("two models", QWEN, GEMMA, 1 / 2.4),
    Case("one model for both", GEMMA, GEMMA, 1 / 3.3),
)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.lanes", description=__doc__)
    asked.add_argument("--seeds", type=int, default=SEEDS, help="lessons of each case")
    asked.add_argument("--speed", type=float, default=SPEED, help="of the card's time")
    asked.add_argument("--at-once", type=int, default=AT_ONCE, help="lessons side by side")
    options = asked.parse_args()
    configure_logs("text")
    logging.getLogger().setLevel(logging.WARNING)
    lessons = [lesson(seed) for seed in range(options.seeds)]
    print(f"P8: {options.seeds} lessons, half with photos, {SLOTS} slots, time x{options.speed:g}")
    before = first_in_first_outs(options.seeds)
    print(f"  {'first in, first out':22} {figures(before)}")
    missed = False
    with schools(options.at_once) as hold:
        list(hold([lessons[0][:4]] * options.at_once, (QWEN, GEMMA), WARM_UP))
        for case in CASES:
            outcomes = list(hold(lessons, (case.vision, case.text), options.speed))
            missed |= not told(case, outcomes, before)
    return 1 if missed else 0


def told(case: Case, outcomes: Sequence[Outcome], before: Sequence[float]) -> bool:
    """Say what came out; returns whether all goals are reached. `before`: how long each waits in
    these lessons where the first in is the first out."""
    waited = [wait for outcome in outcomes for wait in outcome.waited]
    least = without_a_queue(case, len(outcomes))
    overhead = sum(o.overhead for o in outcomes) / sum(o.busy for o in outcomes)
    repeated = sum(o.repeated for o in outcomes)
    of_policy = mean(without_a_queue(case, ENOUGH)) / mean(first_in_first_outs(ENOUGH))
    share, cost = mean(waited) / mean(before), mean(waited) / mean(least)
    print(
        f"  {case.name:22} {figures(waited)}  1/{1 / share:.2f} (goal 1/{1 / case.goal:.1f})",
        end="  ",
    )
    print(f"{mean(o.loads for o in outcomes):.1f} loads  stages repeated {repeated}", end="  ")
    print(f"overhead {overhead:.2%} (goal {OVERHEAD:.0%})", flush=True)
    print(
        f"  {'  without a queue':22} {figures(least)}  all {ENOUGH} lessons 1/{1 / of_policy:.2f}",
        end="  ",
    )
    print(f"the queue's mean is {cost:.3f} of it (at most {COST})")
    enough = len(outcomes) >= ENOUGH
    fast = share <= case.goal if enough else of_policy <= case.goal and cost <= COST
    return fast and overhead <= OVERHEAD and repeated == 0


def without_a_queue(case: Case, lessons: int) -> list[float]:
    return [
        wait
        for seed in range(lessons)
        for wait in Simulated(lesson(seed), case.vision, case.text, SLOTS, AGE_LIMIT).runs()
    ]


def first_in_first_outs(lessons: int) -> list[float]:
    return [w for seed in range(lessons) for w in first_in_first_out(lesson(seed), QWEN, GEMMA)]


def figures(waits: Sequence[float]) -> str:
    return f"mean {mean(waits):4.0f} s  p95 {p95(waits):4.0f} s"


def p95(waits: Sequence[float]) -> float:
    return sorted(waits)[max(0, -(-len(waits) * 95 // 100) - 1)]


Hold = Callable[[Sequence[Sequence[HandIn]], tuple[Model, Model], float], Iterator[Outcome]]


@contextmanager
def schools(at_once: int) -> Iterator[Hold]:
    """Each has a database of its own: a host does the work of all that are in one."""
    with ExitStack() as stack:
        free: queue.SimpleQueue[Database] = queue.SimpleQueue()
        for _ in range(at_once):
            free.put(stack.enter_context(database()))
        rooms = stack.enter_context(ThreadPoolExecutor(at_once))

        def held(work: Sequence[HandIn], models: tuple[Model, Model], speed: float) -> Outcome:
            db = free.get()
            try:
                return class_at_work(db, work, models, SLOTS, speed)
            finally:
                free.put(db)

        yield lambda lessons, models, speed: rooms.map(held, lessons, repeat(models), repeat(speed))


@contextmanager
def database() -> Iterator[Database]:
    with (
        TemporaryDirectory(prefix="gustav-bench-") as folder,
        running_postgres(Path(folder) / "postgres") as postgres,
    ):
        upgrade(postgres.owner_url)
        opened = Database(postgres.app_url, pool_size=12)
        try:
            yield opened
        finally:
            opened.close()


if __name__ == "__main__":
    sys.exit(main())
