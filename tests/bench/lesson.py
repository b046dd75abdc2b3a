"""A lesson whose pupils hand in, and a graphics card that answers them: what P8 is measured with.

The same lessons, seeds, models and rates as the project's simulator of 2026, written anew as data
and a formula. Times in seconds, rates in tokens per second.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

PUPILS = 28
WINDOW = 300.0
SHARE_WITH_PHOTO = 0.5
SHARE_LATE = 0.5  # hand in within the last fifth
VISION_PROMPT, TEXT_PROMPT = 1600, 1500
GAIN = 0.45  # what each further stream adds to the speed of one


@dataclass(frozen=True)
class Model:
    """On a card of 16 GB and 448 GB/s. `load`: until it answers after another one was loaded."""

    name: str
    load: float
    reads: float
    writes: float


GEMMA = Model("gemma3:12b-it-q8_0", load=10.0, reads=1200.0, writes=25.0)
QWEN = Model("qwen2.5vl:7b-q8_0", load=7.0, reads=2200.0, writes=38.0)
MODELS = {model.name: model for model in (GEMMA, QWEN)}


@dataclass(frozen=True)
class HandIn:
    """One pupil's work: when it comes, whether it is a photo, and what is written about it."""

    at: float
    photo: bool
    read_tokens: int
    written_tokens: int

    def stages(self, vision: Model, text: Model) -> list[tuple[Model, int, int]]:
        """Model, tokens of the prompt, tokens written."""
        judged = [(text, TEXT_PROMPT, self.written_tokens)]
        return [(vision, VISION_PROMPT, self.read_tokens), *judged] if self.photo else judged


def lesson(seed: int) -> list[HandIn]:
    """Who hands in what and when. The order of the draws is that of the simulator."""
    rng = random.Random(seed)
    work = []
    for _ in range(PUPILS):
        late = rng.random() < SHARE_LATE
        at = WINDOW * (rng.uniform(0.8, 1) if late else rng.uniform(0, 1))
        photo = rng.random() < SHARE_WITH_PHOTO
        read, written = max(40, int(rng.gauss(220, 70))), max(200, int(rng.gauss(600, 120)))
        work.append(HandIn(at, photo, read, written))
    return sorted(work, key=lambda one: one.at)


def first_in_first_out(work: Sequence[HandIn], vision: Model, text: Model) -> list[float]:
    """How long each waits where one worker takes one submission through all its stages."""
    now, loaded, waited = 0.0, text, []
    for one in work:
        now = max(now, one.at)
        for model, prompt, written in one.stages(vision, text):
            now += model.load if model is not loaded else 0.0
            loaded = model
            now += prompt / model.reads + written / model.writes
        waited.append(now - one.at)
    return waited
