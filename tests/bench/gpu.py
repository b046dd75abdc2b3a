"""A graphics card by its numbers: one model at a time, a prompt alone, writing shared by streams.

`Card` is that card in time that somebody else moves on; `Gpu` is the same on a clock that runs
faster than that on the wall, so that a lesson of ten minutes is seen in seconds.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from tests.bench.lesson import GAIN, MODELS, Model

DONE = 1e-6


@dataclass(eq=False)
class Stream:
    """What is left of one answer. `over`: it is written."""

    reading: float  # seconds of the whole card
    writing: float  # tokens
    over: threading.Event = field(default_factory=threading.Event)


class Card:
    """`now` in seconds of its time; `busy` of them it has read or written."""

    def __init__(self, loaded: Model) -> None:
        self.loaded = loaded
        self.now = self.busy = 0.0
        self.loads = 0
        self.streams: list[Stream] = []
        self._ready_at = 0.0  # when the model that is being loaded is

    def begin(self, model: Model, prompt: int, written: int) -> Stream:
        """Another model is loaded first; nothing may run then."""
        if model is not self.loaded:
            self.loaded, self.loads = model, self.loads + 1
            self._ready_at = self.now + model.load
        stream = Stream(prompt / model.reads, float(written))
        self.streams.append(stream)
        return stream

    def next_at(self) -> float | None:
        """When a prompt is read or an answer written; None: nothing runs."""
        return max(self.now, self._ready_at) + self._step() if self.streams else None

    def advance(self, to: float) -> list[Stream]:
        """Do what there is to do until then; returns what was finished."""
        over: list[Stream] = []
        while self.streams and self.now < to:
            if self.now < self._ready_at:
                self.now = min(to, self._ready_at)
                continue
            self._work(min(self._step(), to - self.now))
            over += self._end()
        self.now = max(self.now, to)
        return over

    def _step(self) -> float:
        reads = self._reading()
        if reads is not None:
            return reads.reading
        return min(stream.writing for stream in self.streams) / self._rate()

    def _reading(self) -> Stream | None:
        return next((stream for stream in self.streams if stream.reading > DONE), None)

    def _rate(self) -> float:
        streams = len(self.streams)
        return self.loaded.writes * (1 + (streams - 1) * GAIN) / streams

    def _work(self, seconds: float) -> None:
        reads = self._reading()
        if reads is not None:
            reads.reading -= seconds
        else:
            written = self._rate() * seconds
            for stream in self.streams:
                stream.writing -= written
        self.now += seconds
        self.busy += seconds

    def _end(self) -> list[Stream]:
        over = [s for s in self.streams if s.reading <= DONE and s.writing <= DONE]
        for stream in over:
            self.streams.remove(stream)
        return over


class Gpu:
    """A card for any number of threads. `speed`: its seconds per second on the wall. Use it with
    `with`."""

    def __init__(self, loaded: Model, speed: float) -> None:
        self.speed = speed
        self._card = Card(loaded)
        self._began = time.monotonic()
        self._changed = threading.Condition()
        self._over = False

    @property
    def busy(self) -> float:
        return self._card.busy

    @property
    def loads(self) -> int:
        return self._card.loads

    def now(self) -> float:
        return (time.monotonic() - self._began) * self.speed

    def answer(self, name: str, prompt: int, written: int) -> None:
        """Returns once all is written. As with Ollama, another model is loaded only when nothing
        is being written any more."""
        model = MODELS[name]
        with self._changed:
            self._advance()
            while model is not self._card.loaded and self._card.streams:
                self._changed.wait()
            self._advance()
            stream = self._card.begin(model, prompt, written)
            self._changed.notify_all()
        stream.over.wait()

    def __enter__(self) -> Gpu:
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _run(self) -> None:
        with self._changed:
            while not self._over:
                self._advance()
                next_at = self._card.next_at()
                wait = None if next_at is None else max(0.0, next_at - self.now()) / self.speed
                self._changed.wait(wait)

    def _advance(self) -> None:
        over = self._card.advance(self.now())
        for stream in over:
            stream.over.set()
        if over:
            self._changed.notify_all()
