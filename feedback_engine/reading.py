"""What a vision model says about a page, believed only as far as it can be. Pure rules, no model.

A word that the model is unsure of carries "(?)", as people mark it who copy a manuscript. What the
page says stays a text, whatever it says: nothing here looks for meaning.
"""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pydantic

from feedback_engine.checks import clean_prose
from feedback_engine.intake import runs
from feedback_engine.models import UnusableOutput
from feedback_engine.text import fold, goes_in_circles, visible, words

_MOST_DRAWINGS = 10
_LONGEST_DRAWING = 300
_ECHO = 8  # words in a row that stand in our instructions, and on no pupil's page by chance
_SAME_LINE = 6

_MARK = "(?)"
_GAP = re.compile(r"\[(?:…|\.\.\.|unleserlich|illegible|unreadable)\]", re.IGNORECASE)
_EDGES = ".,;:!?„“”\"'»«()"
# Ruled lines of a worksheet, and the dots of an example that a model hands back.
_RULED = re.compile(r"[\s_.…·\-–—]*")

# What models say instead of reading, matched against folded text. It has to say no, as pupils who
# describe a picture begin with "Das Bild zeigt".
_EXCUSE = re.compile(
    r"(?:estutmirleid|tutmirleid|entschuldigung|leider|iam|im|sorry|unfortunately|aber|but)*"
    r"(?:ichkann(?:leider)?.{0,25}(?:bild|foto|text|schrift|seite)[a-z]{0,30}nicht"
    r"(?:\w{0,10})(?:lesen|erkennen|entziffern|sehen|verarbeiten|abschreiben)"
    r"|ichkannkeine?n?(?:\w{0,10})(?:text|schrift|handschrift)\w{0,20}(?:lesen|erkennen|entziffern)"
    r"|i(?:cannot|cant|amunableto|munableto|amnotableto)"
    r"(?:read|see|transcribe|process|view|makeout).{0,40}(?:image|picture|photo|text|handwriting|page)"
    r"|alskikannich|asanai(?:languagemodel|assistant)?i"
    r"|(?:aufder?m?(?:bild|seite|foto)ist)?(?:kein|no)(?:lesbarer|erkennbarer|readable|visible|legible)?"
    r"text(?:aufde[mr](?:bild|seite))?(?:vorhanden|erkennbar|lesbar|sichtbar|zusehen|visible|found"
    r"|present|detected)?$"
    r"|(?:die|diese|the|this)(?:seite|page|image)(?:ist|is)(?:leer|blank|empty)$)"
)
_LONGEST_EXCUSE = 40  # words


@dataclass(frozen=True, slots=True)
class Reading:
    """As `PageReading`, without saying who read."""

    text: str = field(repr=False)
    unsure: tuple[tuple[int, int], ...]
    drawings: tuple[str, ...] = field(repr=False)


class Page(pydantic.BaseModel):
    """The form in which a model has to answer."""

    model_config = pydantic.ConfigDict(strict=True, extra="forbid")

    lines: list[str]
    drawings: list[str]


def believed(answer: dict[str, Any], instructions: str) -> Reading:
    """Turn an answer into what stands on the page.

    Raise `UnusableOutput` for another form, for lines that repeat without end and for our own
    instructions handed back. A model's excuse means that nothing was read.
    """
    try:
        page = Page.model_validate(answer)
    except pydantic.ValidationError:
        raise UnusableOutput("not a page") from None
    lines = [visible(line).rstrip() for said in page.lines for line in said.splitlines()]
    lines = [line for line in lines if not _RULED.fullmatch(line)]
    if _is_stuck(lines):
        raise UnusableOutput("the same again and again")
    drawings = [clean_prose(said, _LONGEST_DRAWING) for said in page.drawings[:_MOST_DRAWINGS]]
    written = "\n".join(lines)
    if _is_echo("\n".join([written, *drawings]), instructions):
        raise UnusableOutput("instructions handed back")
    if is_excuse(written):
        written = ""
    text, unsure = without_marks(written)
    shown = (said for said in drawings if words(said) and not is_excuse(said))
    return Reading(text, unsure, tuple(shown))


def without_marks(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The text without the marks, and where the words stand that carried one.

    Only a mark that touches its word is the model's; "(?)" after a space is the pupil's own.
    """
    out = ""
    spans: list[tuple[int, int]] = []
    *marked, last = text.split(_MARK)
    for piece in marked:
        out += piece
        if (span := _last_word(out)) and (not spans or span[0] >= spans[-1][1]):
            spans.append(span)
        else:
            out += _MARK
    out += last
    gaps = (gap.span() for gap in _GAP.finditer(out))
    spans += [(a, b) for a, b in gaps if all(b <= start or a >= end for start, end in spans)]
    return out, tuple(sorted(spans))


def _last_word(text: str) -> tuple[int, int] | None:
    """The word in which a text ends, without its punctuation; None after a space."""
    word = re.search(r"\S+\Z", text)
    if word is None:
        return None
    start = word.start() + len(word[0]) - len(word[0].lstrip(_EDGES))
    end = word.start() + len(word[0].rstrip(_EDGES))
    return (start, end) if start < end else None


def is_excuse(text: str) -> bool:
    """Whether a model speaks here, of not being able to read, and no pupil."""
    return len(words(text)) <= _LONGEST_EXCUSE and bool(_EXCUSE.match(fold(text).letters))


def _is_stuck(lines: list[str]) -> bool:
    spoken = [" ".join(words(line)) for line in lines]
    same = 1
    for before, line in pairwise(spoken):
        same = same + 1 if line and line == before else 1
        if same >= _SAME_LINE:
            return True
    return any(goes_in_circles(line) for line in lines) or goes_in_circles("\n".join(lines))


def _is_echo(text: str, instructions: str) -> bool:
    return not set(runs(words(text), _ECHO)).isdisjoint(runs(words(instructions), _ECHO))
