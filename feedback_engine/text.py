"""Words, sentences and passages of German and English text. Pure; knows nothing of feedback."""

import re
import unicodedata
from dataclasses import dataclass

import snowballstemmer

from feedback_engine.contract import Language

# Zero-width, bidirectional and tag characters: nothing a reader could see, much a model could obey.
INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")
# A sentence ends at a line break, a semicolon, or a full stop that does not follow an abbreviation
# ("z. B.", "ca.").
_SENTENCE_END = re.compile(
    r"(?<!\b\w)(?<!\bca)(?<!\bNr)(?<!\bDr)(?<!\bbzw)(?<!\bvgl)(?<!\bAbb)[.…][\")”“»]*\s+"
    r"|[!?][\")”“»]*\s+|\s*\n\s*[-•*]?\s*|;\s+"
)

# Symbols that neutralising a text may change; without them a passage is still found.
_IGNORED = frozenset("<>|｜`´^¨¯¸")

_CIRCLES, _SHORTEST_CIRCLES, _CIRCLES_SEEN = 10, 100, 3000

_STEMMER = {"de": "german", "en": "english"}


def word_set(listed: str) -> frozenset[str]:
    """A word list written as running text."""
    return frozenset(listed.split())


FUNCTION_WORDS: dict[Language, frozenset[str]] = {
    "de": word_set(
        """aber alle als also am auch auf aus bei beim bis bist da dabei dadurch damit dann das dass
        dein deine deinem deinen deiner dem den denn der des deshalb die dies diese diesem diesen
        dieser dieses dir doch du durch ein eine einem einen einer eines er es etwas euch für ganz
        gibt habe haben hast hat hatte hier ich ihm ihn ihnen ihr ihre im ins ist ja jede jeder
        jedes jedoch kann kannst kein keine keinen können man mehr mein meine mich mir mit muss
        musst müssen nach nicht nichts noch nur ob oder ohne schon sehr sein seine seinen sich sie
        sind soll sollen sollte sondern um und uns unter vom von vor wann war waren warum weil
        welche welcher wenn werden wer wie wieder wird wo wobei wurde wurden zu zum zur zwischen
        über bzw usw etc zb"""
    ),
    "en": word_set(
        """a about after all also although and any are as at be because been before being but by
        can could did do does each for from further had has have he her here him his how i if into
        is it its just may me more most my no not of off on once only or other our out over own
        she should some such than that the their them then there these they this those through to
        too under until up us very was we were what when where which while who why will with would
        you your yours"""
    ),
}


@dataclass(frozen=True, slots=True)
class Folded:
    """Letters, digits and symbols of a text without case, accents, spaces and punctuation.

    `origin[i]` is the place in the original from which `letters[i]` was taken.
    """

    letters: str
    origin: tuple[int, ...]


def _is_symbol(letter: str) -> bool:
    return unicodedata.category(letter).startswith("S")


def fold(text: str) -> Folded:
    letters: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        for letter in unicodedata.normalize("NFKD", character).casefold():
            if letter not in _IGNORED and (letter.isalnum() or _is_symbol(letter)):
                letters.append(letter)
                origin.append(place)
    return Folded("".join(letters), tuple(origin))


def contains(text: str, passage: str) -> bool:
    """Whether the passage stands in the text, whatever case, accents, spaces and punctuation."""
    return fold(passage).letters in fold(text).letters


def words(text: str) -> list[str]:
    """Words and numbers in lower case, in order."""
    return [word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", text))]


def content_words(text: str, language: Language) -> list[str]:
    """Words that carry the subject: no function words, no single letters; numbers stay."""
    common = FUNCTION_WORDS[language]
    return [w for w in words(text) if w not in common and (len(w) > 1 or w.isdigit())]


def sentences(text: str) -> list[str]:
    """Sentences exactly as they stand in the text, without what separates them."""
    parts: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        parts.append(text[start : end.end()])
        start = end.end()
    parts.append(text[start:])
    return [part.strip(" \t\n;-•*") for part in parts if part.strip(" \t\n;-•*")]


def finished(text: str) -> str:
    """The text up to the end of its last sentence that is over, "" if none is yet."""
    ends = [end.end() for end in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]].rstrip() if ends else ""


def goes_in_circles(text: str) -> bool:
    """Whether a text ends in the same words ten times over, and in a hundred letters at least, as
    it does where a model found no way out.

    Only what has letters counts: a row of dots or dashes may well stand on a sheet.
    """
    tail = text[-_CIRCLES_SEEN:]
    for length in range(2, len(tail) // _CIRCLES + 1):
        turn = tail[-length:]
        times = max(_CIRCLES, -(-_SHORTEST_CIRCLES // length))
        if tail.endswith(turn * times) and any(letter.isalpha() for letter in turn):
            return True
    return False


def visible(text: str) -> str:
    """The text without characters that no reader sees; line breaks and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", INVISIBLE.sub("", text))


class Stems:
    """Stems of one language. Not to be shared between threads: the stemmer keeps state."""

    def __init__(self, language: Language) -> None:
        self._stemmer = snowballstemmer.stemmer(_STEMMER[language])
        self._known: dict[str, str] = {}

    def of(self, word: str) -> str:
        if word not in self._known:
            self._known[word] = str(self._stemmer.stemWord(word))
        return self._known[word]
