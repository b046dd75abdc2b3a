"""The figures of a run as a table, and whether they reach the goals. Goals are said, not asserted:
machines are noisy, and only ratios within one run mean anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench.loads import Load
from tests.bench.measuring import Counted, percentile


@dataclass(frozen=True)
class Figures:
    """One tool under the same load as all others."""

    load: Load
    counted: Counted
    key_fetches: int
    way_in: float  # milliseconds of processor time up to the session, without the first page
    let_in: list[str]  # bad launches

    @property
    def launches(self) -> int:
        return len(self.load.took)

    @property
    def cpu(self) -> float:
        """Milliseconds per launch, tool and store."""
        return (self.counted.tool_cpu + self.counted.store_cpu) / self.launches * 1e3

    @property
    def rate(self) -> float:
        return self.launches / self.load.seconds

    def milliseconds(self, percent: float) -> float:
        return percentile(self.load.took, percent) * 1e3


def table(figures: Mapping[str, Figures]) -> Iterator[str]:
    yield f"{'':20} launches/s  p50 ms  p99 ms  CPU ms (tool + store)  to the page  writes   keys"
    for name, tool in figures.items():
        tool_cpu = tool.counted.tool_cpu / tool.launches * 1e3
        yield (
            f"{name:20} {tool.rate:10.1f} {tool.milliseconds(50):7.0f} {tool.milliseconds(99):7.0f}"
            f" {tool.cpu:7.1f} ({tool_cpu:.1f} + {tool.cpu - tool_cpu:.1f}) {tool.way_in:15.1f}"
            f" {tool.counted.written / tool.launches:10.2f}"
            f" {tool.key_fetches / tool.launches:6.2f}"
        )
    for name, tool in figures.items():
        yield f"  bad launches let in by {name}: {', '.join(tool.let_in) or 'none of 12'}"


def goals(ours: Figures, peers: Mapping[str, Figures]) -> Iterator[str]:
    """P1 to P3 of the goals for launches."""
    least, library = peers["least work"], peers["PyLTI1p3"]
    same_server = peers["least work, granian"]
    yield goal("P1 CPU / least work", ours.cpu / least.cpu, at_most=1.25)
    yield goal("P1 CPU / least work, granian", ours.cpu / same_server.cpu, at_most=1.25)
    yield goal("P1 CPU / PyLTI1p3", ours.cpu / library.cpu, at_most=0.5)
    # Their first page is one line, ours is a task for a pupil.
    yield goal("   the same, to the page", ours.way_in / least.way_in, at_most=1.25)
    yield goal("   the same, to the page", ours.way_in / library.way_in, at_most=0.5)
    yield goal("P2 launches/s / least work", ours.rate / least.rate, at_least=0.85)
    yield goal("P2 launches/s / least, granian", ours.rate / same_server.rate, at_least=0.85)
    yield goal("P2 launches/s / PyLTI1p3", ours.rate / library.rate, at_least=2.0)
    yield goal("P2 p99 / p50", ours.milliseconds(99) / ours.milliseconds(50), at_most=2.5)
    yield goal("P3 key set fetches per launch", ours.key_fetches / ours.launches, at_most=0.01)
    # One; PostgreSQL's own housekeeping writes now and then too.
    yield goal("P3 writing commits per launch", ours.counted.written / ours.launches, at_most=1.1)


def statements(counts: Mapping[str, float]) -> str:
    """How many statements each request of a launch sends, with BEGIN and COMMIT."""
    parts = ", ".join(f"{name} {count:g}" for name, count in counts.items())
    return f"P3 statements per launch: {sum(counts.values()):g} ({parts})"


def arrivals(idle: Load, load: Load, seconds: float) -> Iterator[str]:
    yield f"{len(load.took)} launches in {seconds:g} s, {load.errors.total()} errors"
    ratio = percentile(load.took, 95) / percentile(idle.took, 50)
    yield goal("P4 p95 / idle p50", ratio, at_most=4.0)


def bell(load: Load) -> Iterator[str]:
    yield f"{len(load.took)} launches at once, {load.errors.total()} errors"
    yield goal("bell: p95 in seconds", percentile(load.took, 95), at_most=2.0)


def goal(what: str, value: float, *, at_most: float = 0.0, at_least: float = 0.0) -> str:
    met = value <= at_most if at_most else value >= at_least
    bound = f"<= {at_most:g}" if at_most else f">= {at_least:g}"
    return f"  {what:32} {value:7.2f}   goal {bound:8} {'met' if met else 'NOT MET'}"
