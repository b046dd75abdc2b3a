"""Where quoted passages stand in an answer. Pure; the template escapes every piece by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

Span = tuple[int, int]


@dataclass(frozen=True)
class Segment:
    """A piece of the answer. `begins`: numbers of the passages that start with it."""

    text: str
    marked: bool
    begins: tuple[int, ...] = ()


def find(answer: str, quote: str) -> Span | None:
    """The first place of `quote`; spaces and line breaks may differ. None if it is not there."""
    if words := quote.split():
        found = re.search(r"\s+".join(map(re.escape, words)), answer)
        return found.span() if found else None
    return None


def segments(answer: str, quotes: Iterable[tuple[int, str]]) -> tuple[Segment, ...]:
    """The whole answer in pieces, in order; `quotes` are numbered. Passages may overlap."""
    spans = {number: span for number, quote in quotes if (span := find(answer, quote))}
    cuts = sorted({0, len(answer), *(place for span in spans.values() for place in span)})
    return tuple(
        Segment(
            answer[start:end],
            any(first <= start and end <= last for first, last in spans.values()),
            tuple(sorted(number for number, span in spans.items() if span[0] == start)),
        )
        for start, end in pairwise(cuts)
    )
