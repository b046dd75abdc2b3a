"""What was read on a page, as it is shown: with the words that the model was not sure of. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from lti_tool.submissions.marks import Segment
from lti_tool.submissions.transcripts import ReadPage


@dataclass(frozen=True)
class CheckedPage:
    """One page beside its photo. `words`: the text in pieces, those marked that are unsure;
    `by_nobody`: no model here can read."""

    page_id: UUID
    number: int
    width: int
    height: int
    text: str
    words: tuple[Segment, ...]
    drawings: tuple[str, ...]
    read_as: str | None
    by_nobody: bool

    @property
    def unsure(self) -> tuple[str, ...]:
        return tuple(piece.text for piece in self.words if piece.marked)


def checked_page(read: ReadPage) -> CheckedPage:
    """`read_as`: what the model had read, where the pupil has corrected it."""
    page, said = read.page, read.transcript
    text = said.text if said else ""
    spans = said.unsure if said and said.corrected is None else ()
    return CheckedPage(
        page_id=page.id,
        number=page.position,
        width=page.width,
        height=page.height,
        text=text,
        words=pieces(text, spans),
        drawings=tuple(said.drawings) if said else (),
        read_as=said.read_text if said and said.corrected is not None else None,
        by_nobody=said is not None and not said.engine,
    )


def pieces(text: str, spans: Sequence[Sequence[int]]) -> tuple[Segment, ...]:
    """The whole text, cut at the borders of half-open spans, which do not overlap."""
    found, at = [], 0
    for start, end in spans:
        if at <= start < end <= len(text):
            found += [Segment(text[at:start], marked=False), Segment(text[start:end], marked=True)]
            at = end
    found.append(Segment(text[at:], marked=False))
    return tuple(piece for piece in found if piece.text)
