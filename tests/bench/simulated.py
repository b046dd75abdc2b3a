"""The same lesson with nothing but the card and the policy of the lanes: what a tool that needs no
time at all would reach. Whatever the real queue is slower, it has cost itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from lti_tool.core.lanes import Lane, Urgency, Waiting, choose
from tests.bench.gpu import Card, Stream
from tests.bench.lesson import HandIn, Model

Stages = list[tuple[Model, int, int]]


@dataclass(frozen=True)
class _Job:
    """One stage of one pupil's work, ready at a time of the card."""

    pupil: int
    ready: float
    stages: Stages  # this one and those to follow


class Simulated:
    """`waited`: seconds per pupil, after `runs`."""

    def __init__(
        self, work: Sequence[HandIn], vision: Model, text: Model, slots: int, age_limit: timedelta
    ) -> None:
        self.work, self.slots, self.age_limit = work, slots, age_limit
        self.card = Card(text)
        self.coming = [_Job(n, one.at, one.stages(vision, text)) for n, one in enumerate(work)]
        self.waiting: list[_Job] = []
        self.running: dict[Stream, _Job] = {}
        self.waited = [0.0] * len(work)

    def runs(self) -> list[float]:
        while self.coming or self.waiting or self.running:
            now = min(self._moments())
            for stream in self.card.advance(now):
                self._goes_on(self.running.pop(stream), now)
            self.waiting += [job for job in self.coming if job.ready <= now]
            self.coming = [job for job in self.coming if job.ready > now]
            self._fill(now)
        return self.waited

    def _moments(self) -> list[float]:
        """When something can happen next."""
        limits = [job.ready + self.age_limit.total_seconds() for job in self.waiting]
        moments = [job.ready for job in self.coming] + [t for t in limits if t > self.card.now]
        next_at = self.card.next_at()
        return moments if next_at is None else [*moments, next_at]

    def _goes_on(self, job: _Job, now: float) -> None:
        if len(job.stages) > 1:
            self.waiting.append(_Job(job.pupil, now, job.stages[1:]))
        else:
            self.waited[job.pupil] = now - self.work[job.pupil].at

    def _fill(self, now: float) -> None:
        while (job := self._next(now)) is not None:
            self.waiting.remove(job)
            self.running[self.card.begin(*job.stages[0])] = job

    def _next(self, now: float) -> _Job | None:
        seen = [self._seen(number, job, now) for number, job in enumerate(self.waiting)]
        lane = Lane(self.slots, len(self.running), self.card.loaded.name)
        chosen = choose(seen, lane, self.age_limit)
        return None if chosen is None else self.waiting[chosen.job_id.int]

    def _seen(self, number: int, job: _Job, now: float) -> Waiting:
        return Waiting(
            job_id=UUID(int=number),
            urgency=Urgency.LIVE,
            course_id=None,
            model=job.stages[0][0].name,
            waited=timedelta(seconds=now - self.work[job.pupil].at),
            ready=timedelta(seconds=now - job.ready),
        )
