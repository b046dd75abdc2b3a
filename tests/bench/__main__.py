"""Drives launches through the tool and its peers, interleaved, and says what they cost.

Ends with 1 only if something is broken: an error under load, or a bad launch that was let in.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench import loads, report
from tests.bench.house import House, open_house
from tests.bench.launching import REPLAY, SPOILED, Tool, is_refused, refuses_replay
from tests.bench.loads import Load
from tests.bench.measuring import Counted
from tests.bench.report import Figures
from tests.bench.statements import count_statements

AT_A_TIME = 8
LAUNCHES = 100  # per tool and round
WARM_UP = 150  # so that every connection has prepared its statements
IDLE = 40
ARRIVE_IN = 60.0  # seconds, for 1,000 launches
AT_THE_BELL = 500
NOTHING = Counted(0.0, 0.0, 0)


def main() -> int:
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    asked.add_argument("--rounds", type=int, default=3, help="of all tools, one after another")
    asked.add_argument("--seconds", type=float, default=ARRIVE_IN, help="of the open loop (P4)")
    asked.add_argument("--alone", action="store_true", help="without peers")
    options = asked.parse_args()
    with open_house(peers=not options.alone) as house:
        return asyncio.run(run(house, options.rounds, options.seconds))


async def run(house: House, rounds: int, seconds: float) -> int:
    figures = await side_by_side(house, rounds)
    ours = figures[house.ours.name]
    print("\n".join(report.table(figures)), "\n", sep="")
    peers = {name: figures[name] for name in figures if name != house.ours.name}
    if peers:
        print("\n".join(report.goals(ours, peers)))
    print(f"  {report.statements(await count_statements(house))}", flush=True)
    idle = await loads.closed(house.ours, house.lms, IDLE, 1)
    arrived = await loads.arriving(house.ours, house.lms, 1000 / ARRIVE_IN, seconds)
    print("\n".join(report.arrivals(idle, arrived, seconds)), flush=True)
    rung = await loads.bell(house.ours, house.lms, AT_THE_BELL)
    print("\n".join(report.bell(rung)), flush=True)
    return verdict(ours, [idle, arrived, rung])


async def side_by_side(house: House, rounds: int) -> Mapping[str, Figures]:
    """The tools in turns, so that a slow minute of the machine hits them all."""
    for tool in house.tools:
        await loads.closed(tool, house.lms, WARM_UP, AT_A_TIME)
    sums = {tool.name: Sum() for tool in house.tools}
    for _ in range(rounds):
        for tool in house.tools:
            await sums[tool.name].measure(house, tool)
    return {tool.name: sums[tool.name].figures(await let_in(house, tool)) for tool in house.tools}


@dataclass
class Sum:
    """What one tool did in all rounds so far."""

    load: Load = field(default_factory=Load)
    counted: Counted = NOTHING
    way_in: Counted = NOTHING
    ways_in: int = 0
    fetches: int = 0

    async def measure(self, house: House, tool: Tool) -> None:
        meter, fetched = house.meter, house.lms.key_fetches
        before = meter.read(tool.pid)
        self.load += await loads.closed(tool, house.lms, LAUNCHES, AT_A_TIME)
        between = meter.read(tool.pid)
        self.fetches += house.lms.key_fetches - fetched
        arrived = await loads.closed(tool, house.lms, LAUNCHES, AT_A_TIME, to_the_page=False)
        self.counted += between - before
        self.way_in += meter.read(tool.pid) - between
        self.ways_in += len(arrived.took)

    def figures(self, let_in: list[str]) -> Figures:
        way_in = (self.way_in.tool_cpu + self.way_in.store_cpu) / self.ways_in * 1e3
        return Figures(self.load, self.counted, self.fetches, way_in, let_in)


async def let_in(house: House, tool: Tool) -> list[str]:
    """Bad launches that the tool takes for good ones, of twelve kinds."""
    taken = [name for name, bad in SPOILED.items() if not await is_refused(tool, house.lms, bad)]
    return taken if await refuses_replay(tool, house.lms) else [*taken, REPLAY]


def verdict(ours: Figures, others: list[Load]) -> int:
    errors = sum((load.errors for load in others), ours.load.errors)
    if errors:
        print("Errors:", dict(errors), file=sys.stderr)
    if ours.let_in:
        print("Bad launches were let in:", ", ".join(ours.let_in), file=sys.stderr)
    return 1 if errors or ours.let_in else 0


if __name__ == "__main__":
    sys.exit(main())
