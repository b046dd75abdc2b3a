"""What changed between two attempts, word by word. Pure.

Texts come from pupils, so the work is bounded: sentences are compared first, and words only within
those that changed, unless they are so many that comparing them would take long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

MOST_PAIRS = 160_000  # words of one text times words of the other, in one changed place
_PIECES = re.compile(r"\S+|\s+")
_SENTENCES = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+")


class Kind(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True)
class Piece:
    """A stretch of one kind. All pieces but the new ones are the older text, all but the gone ones
    the newer."""

    kind: Kind
    text: str


_Changed = Callable[[Sequence[str], Sequence[str]], Iterator[Piece]]


def differences(older: str, newer: str) -> tuple[Piece, ...]:
    """What to leave out and to put in to make the older text the newer one."""
    pieces = _compared(_SENTENCES.findall(older), _SENTENCES.findall(newer), _words)
    return tuple(_joined(pieces))


def _words(older: Sequence[str], newer: Sequence[str]) -> Iterator[Piece]:
    before = _PIECES.findall("".join(older))
    after = _PIECES.findall("".join(newer))
    if len(before) * len(after) > MOST_PAIRS:
        return _replaced(before, after)
    return _compared(before, after, _replaced)


def _compared(older: Sequence[str], newer: Sequence[str], changed: _Changed) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, older, newer, autojunk=len(older) * len(newer) > MOST_PAIRS)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield Piece(Kind.SAME, "".join(older[a:b]))
        else:
            yield from changed(older[a:b], newer[c:d])


def _replaced(older: Sequence[str], newer: Sequence[str]) -> Iterator[Piece]:
    yield Piece(Kind.GONE, "".join(older))
    yield Piece(Kind.NEW, "".join(newer))


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind are one piece; empty ones are none."""
    last: Piece | None = None
    for piece in pieces:
        if not piece.text:
            continue
        if last is not None and last.kind is piece.kind:
            last = Piece(last.kind, last.text + piece.text)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
