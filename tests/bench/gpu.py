"""A graphics card by its numbers: one model at a time, a prompt alone, writing shared by streams.

Its time runs faster than that on the wall, so that a lesson of ten minutes is seen in seconds.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from tests.bench.lesson import GAIN, MODELS, Model

DONE = 1e-6


@dataclass
class _Stream:
    reading: float  # seconds of the whole card
    writing: float  # tokens
    over: threading.Event = field(default_factory=threading.Event)


class Gpu:
    """`speed`: its seconds per second on the wall. Use it with `with`."""

    def __init__(self, loaded: Model, speed: float) -> None:
        self.speed = speed
        self.busy = 0.0
        self.loads = 0
        self._loaded = loaded
        self._ready_at = 0.0  # when the model that is being loaded is
        self._streams: list[_Stream] = []
        self._now = 0.0
        self._began = time.monotonic()
        self._changed = threading.Condition()
        self._over = False

    def now(self) -> float:
        return (time.monotonic() - self._began) * self.speed

    def answer(self, name: str, prompt: int, written: int) -> None:
        """Returns once all is written. As with Ollama, another model is loaded only when nothing
        is being written any more."""
        model = MODELS[name]
        stream = _Stream(prompt / model.reads, float(written))
        with self._changed:
            self._advance()
            while model is not self._loaded and self._streams:
                self._changed.wait()
            if model is not self._loaded:
                self._loaded, self.loads = model, self.loads + 1
                self._ready_at = self.now() + model.load
            self._streams.append(stream)
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
                self._changed.wait(self._until_next())

    def _until_next(self) -> float | None:
        """Seconds on the wall until a prompt is read or an answer written; None: nothing runs."""
        if not self._streams:
            return None
        start = max(self._now, self._ready_at)
        return max(0.0, (start + self._step() - self.now()) / self.speed)

    def _step(self) -> float:
        reads = self._reading()
        if reads is not None:
            return reads.reading
        return min(stream.writing for stream in self._streams) / self._rate()

    def _reading(self) -> _Stream | None:
        return next((stream for stream in self._streams if stream.reading > DONE), None)

    def _rate(self) -> float:
        streams = len(self._streams)
        return self._loaded.writes * (1 + (streams - 1) * GAIN) / streams

    def _advance(self) -> None:
        """Do what the card has done since it was looked at last."""
        to = self.now()
        while self._streams and self._now < to:
            if self._now < self._ready_at:
                self._now = min(to, self._ready_at)
                continue
            self._work(min(self._step(), to - self._now))
            self._end()
        self._now = max(self._now, to)

    def _work(self, seconds: float) -> None:
        reads = self._reading()
        if reads is not None:
            reads.reading -= seconds
        else:
            written = self._rate() * seconds
            for stream in self._streams:
                stream.writing -= written
        self._now += seconds
        self.busy += seconds

    def _end(self) -> None:
        over = [s for s in self._streams if s.reading <= DONE and s.writing <= DONE]
        for stream in over:
            self._streams.remove(stream)
            stream.over.set()
        if over:
            self._changed.notify_all()
