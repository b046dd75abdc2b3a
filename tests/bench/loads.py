"""Ways in which launches arrive: so many at a time, by themselves, or all at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from time import perf_counter

from tests.bench.browser import Broken
from tests.bench.launching import Tool, launch
from tests.bench.lms import PUPILS, Lms


@dataclass
class Load:
    """What became of a load: how long each launch took, what went wrong, and how long it was."""

    took: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def __add__(self, other: Load) -> Load:
        errors = self.errors + other.errors
        return Load(self.took + other.took, errors, self.seconds + other.seconds)


async def closed(
    tool: Tool, lms: Lms, count: int, at_a_time: int, *, to_the_page: bool = True
) -> Load:
    """Each of `at_a_time` browsers launches again as soon as it has its page, or is let in."""
    load, numbers = Load(), iter(range(count))

    async def browser() -> None:
        for number in numbers:
            await _one(load, tool, lms, number, to_the_page=to_the_page)

    await _timed(load, [browser() for _ in range(at_a_time)])
    return load


async def arriving(tool: Tool, lms: Lms, rate: float, seconds: float) -> Load:
    """So many per second on average, whether the tool keeps up or not (Poisson). Counted from the
    moment at which the pupil clicked."""
    load, chance, at = Load(), random.Random(7), 0.0
    clicks = []
    while (at := at + chance.expovariate(rate)) < seconds:
        clicks.append(at)
    begun = perf_counter()

    async def pupil(number: int, click: float) -> None:
        await asyncio.sleep(max(0.0, begun + click - perf_counter()))
        late = perf_counter() - begun - click
        await _one(load, tool, lms, number, late)

    await _timed(load, [pupil(number, click) for number, click in enumerate(clicks)])
    return load


async def bell(tool: Tool, lms: Lms, count: int) -> Load:
    """All click in the same moment."""
    load = Load()
    await _timed(load, [_one(load, tool, lms, number) for number in range(count)])
    return load


async def _one(
    load: Load, tool: Tool, lms: Lms, number: int, late: float = 0.0, *, to_the_page: bool = True
) -> None:
    try:
        took = await launch(tool, lms, number % PUPILS, to_the_page=to_the_page)
        load.took.append(late + took)
    except Broken as error:
        load.errors[str(error)] += 1


async def _timed(load: Load, tasks: Iterable[Awaitable[None]]) -> None:
    begun = perf_counter()
    await asyncio.gather(*tasks)
    load.seconds = perf_counter() - begun
