"""Drives launches through the tool and its peers, interleaved, and says what they cost.

Ends with 1 only if something is broken: an error under load, or a bad launch that was let in.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping

from tests.bench import loads, report
from tests.bench.house import House, open_house
from tests.bench.launching import REPLAY, SPOILED, Tool, is_refused, refuses_replay
from tests.bench.loads import Load
from tests.bench.report import Figures
from tests.bench.statements import count_statements

AT_A_TIME = 8
LAUNCHES = 100  # per tool and round
WARM_UP = 150  # so that every connection has prepared its statements
IDLE = 40
ARRIVE_IN = 60.0  # seconds, for 1,000 launches
AT_THE_BELL = 500


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
    for tool in house.tools:
        await loads.closed(tool, house.lms, WARM_UP, AT_A_TIME)
    parts = [[await measured(house, tool) for tool in house.tools] for _ in range(rounds)]
    figures = {}
    for tool, slices in zip(house.tools, zip(*parts, strict=True), strict=True):
        load, counted, fetches = slices[0]
        for more_load, more_counted, more_fetches in slices[1:]:
            load, counted, fetches = (
                load + more_load,
                counted + more_counted,
                fetches + more_fetches,
            )
        figures[tool.name] = Figures(load, counted, fetches, await let_in(house, tool))
    return figures


async def measured(house: House, tool: Tool) -> tuple[Load, report.Counted, int]:
    fetched, before = house.lms.key_fetches, house.meter.read(tool.pid)
    load = await loads.closed(tool, house.lms, LAUNCHES, AT_A_TIME)
    return load, house.meter.read(tool.pid) - before, house.lms.key_fetches - fetched


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
