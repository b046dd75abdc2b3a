"""What an engine claims is checked here by code before anyone sees it. Pure rules, no engine.

A model's failure never becomes a level: what is missing, out of range or without evidence in the
answer is "not assessed". Prose that should not reach a pupil is flagged and waits for a teacher.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from feedback_engine.contract import (
    Criterion,
    CriterionVerdict,
    EarlierAttempt,
    FeedbackRequest,
    Flag,
    Language,
)
from feedback_engine.intake import runs
from feedback_engine.manner import is_hard_to_read, is_wrong_register
from feedback_engine.text import (
    FUNCTION_WORDS,
    Stems,
    contains,
    content_words,
    fold,
    sentences,
    visible,
    word_set,
    words,
)

LONGEST_QUOTE = 400
LONGEST_REASON = 400
LONGEST_PROSE = 700

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_ELLIPSIS = re.compile(r"\s*(?:\[…\]|\[\.\.\.\]|…|\.\.\.)\s*")
_QUOTED = re.compile(r"[„“\"»«][^„“”\"»«]*[“”\"«»]")
_SENTENCE = re.compile(r".+?[.!?…](?=\s|$)", re.DOTALL)

# Only words that no kind teacher would write to a child, in any context.
_UNKIND = word_set(
    """idiot idiotin idioten idiotisch dummkopf trottel versager versagerin bescheuert hirnlos
    schwachsinn loser moron stupid dumb pathetic worthless"""
)
# Words that say which of the two languages a text is in; those both share are left out.
_ONLY: dict[Language, frozenset[str]] = {
    "de": FUNCTION_WORDS["de"] - FUNCTION_WORDS["en"],
    "en": FUNCTION_WORDS["en"] - FUNCTION_WORDS["de"],
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What an engine says about one criterion, not yet believed."""

    level: int
    quote: str
    reason: str


def checked_verdict(criterion: Criterion, claim: Claim | None, answer: str) -> CriterionVerdict:
    """Turn a claim into a verdict that its evidence carries.

    Without a quote only the lowest level can be true ("nothing found"). A quote that the answer
    does not contain makes the whole claim worthless, the lowest level included.
    """
    if claim is None or not 0 <= claim.level <= criterion.top_level:
        return CriterionVerdict.not_assessed(criterion.id)
    reason = clean_prose(claim.reason, LONGEST_REASON)
    if not fold(claim.quote).letters:
        if claim.level == 0:
            return CriterionVerdict.nothing_found(criterion.id, reason)
        return CriterionVerdict.not_assessed(criterion.id)
    passage = find_quote(claim.quote, answer)
    if passage is None:
        return CriterionVerdict.not_assessed(criterion.id)
    return CriterionVerdict.assessed(criterion.id, claim.level, passage, reason)


def founded(
    verdicts: Sequence[CriterionVerdict], request: FeedbackRequest
) -> tuple[CriterionVerdict, ...]:
    """The verdicts; one that takes a level back without a reason to point at is "not assessed".

    Whoever follows advice must not stand lower for words that were worth more the last time. So a
    lower level needs something new: it quotes a passage that was not there before, or the passage
    that the higher level was given for is gone. A teacher decides about the others.
    """
    earlier = request.earlier
    if earlier is None:
        return tuple(verdicts)
    return tuple(
        CriterionVerdict.not_assessed(verdict.criterion_id)
        if _is_lowered(verdict, earlier) and not _is_explained(verdict, earlier, request.answer)
        else verdict
        for verdict in verdicts
    )


def _is_lowered(verdict: CriterionVerdict, earlier: EarlierAttempt) -> bool:
    before = earlier.result_for(verdict.criterion_id)
    if before is None or before.level is None or verdict.level is None:
        return False
    return verdict.level < before.level


def _is_explained(verdict: CriterionVerdict, earlier: EarlierAttempt, answer: str) -> bool:
    if verdict.quote and not contains(earlier.answer, verdict.quote):
        return True
    before = earlier.result_for(verdict.criterion_id)
    # A quote that is the whole answer is a teacher's level without evidence: it cannot be gone.
    evidence = before.quote if before and before.quote != earlier.answer else ""
    return not contains(answer, evidence)


def find_quote(quote: str, answer: str) -> str | None:
    """The passage of `answer` that `quote` means, exactly as it stands there, or None.

    Case, accents, spaces, punctuation and kinds of quotation marks may differ; letters, digits and
    their order may not. Of a quote with an omission ("…") the longest part counts. A quote must be
    worth looking for: four letters, a digit, or the whole answer.
    """
    wanted = max((fold(part).letters for part in _ELLIPSIS.split(quote)), key=len)
    text = fold(answer)
    is_telling = len(wanted) >= 4 or any(letter.isdigit() for letter in wanted)
    if not wanted or not (is_telling or wanted == text.letters):
        return None
    at = text.letters.find(wanted)
    if at < 0:
        return None
    return cut(answer[text.origin[at] : text.origin[at + len(wanted) - 1] + 1], LONGEST_QUOTE)


def flags_for_prose(prose: Sequence[str], request: FeedbackRequest, canary: str) -> list[Flag]:
    """What a teacher should know about these texts (reasons and prose of one draft); most of it is
    a reason not to show them to the pupil yet."""
    text = "\n".join(prose)
    found = {
        Flag.SOLUTION_GIVEN_AWAY: gives_solution_away(text, request),
        Flag.WRONG_LANGUAGE: is_wrong_language(text, request.language),
        Flag.PERSON_NAMED: names_person(text, request),
        Flag.PROMPT_ECHOED: bool(canary) and fold(canary).letters in fold(text).letters,
        Flag.UNKIND: not _UNKIND.isdisjoint(words(text)),
        Flag.WRONG_REGISTER: is_wrong_register(text, request.language, request.register),
        Flag.HARD_TO_READ: is_hard_to_read(text),
    }
    return [flag for flag, is_so in found.items() if is_so]


def is_wrong_language(text: str, language: Language) -> bool:
    """A simple look at function words; quoted passages and texts under eight words pass.

    A single sentence is wrong only if it has more of the other language: one of many nouns and few
    function words is still German.
    """
    own_words = _QUOTED.sub(" ", text)
    own, other = _shares(own_words, language)
    if other > own or own < 0.08:
        return True
    shares = (_shares(sentence, language) for sentence in sentences(own_words))
    return any(theirs > ours for ours, theirs in shares)


def _shares(text: str, language: Language) -> tuple[float, float]:
    """How much of a text is function words of this language, and of the other; all of it is of
    this one if the text is too short to tell."""
    spoken = words(text)
    if len(spoken) < 8:
        return 1.0, 0.0
    other: Language = "en" if language == "de" else "de"
    own_share = sum(word in _ONLY[language] for word in spoken) / len(spoken)
    return own_share, sum(word in _ONLY[other] for word in spoken) / len(spoken)


def gives_solution_away(text: str, request: FeedbackRequest) -> bool:
    """Whether the text says something of the solution notes that the pupil has not said.

    What stands in the answer, the task or the criteria is known to the pupil already. Of the rest,
    a run of five words, half of the new content words (two at least) or a number is too much.
    """
    stems = Stems(request.language)
    shown = [request.answer, request.task_title, request.task_prompt]
    shown += [part for c in request.criteria for part in (c.title, c.description)]
    known = {stems.of(word) for part in shown for word in words(part)}
    secret = {stems.of(w) for w in content_words(request.solution_notes, request.language)} - known
    if not secret:
        return False
    said = [stems.of(word) for word in words(text)]
    revealed = secret.intersection(said)
    if any(len(stem) > 1 and stem[0].isdigit() for stem in revealed):
        return True
    notes = [stems.of(word) for word in words(request.solution_notes)]
    copied = set(runs(notes, min(5, len(notes)))).intersection(runs(said, min(5, len(notes))))
    return any(secret.intersection(run) for run in copied) or len(revealed) >= max(
        2, len(secret) / 2
    )


def names_person(text: str, request: FeedbackRequest) -> bool:
    """Whether a withheld name is written. Names that the task or the answer mention may be."""
    shown = " ".join((request.task_title, request.task_prompt, request.answer))
    mentioned = set(re.findall(r"\w+", shown))
    written = set(re.findall(r"\w+", text))
    parts = {part for name in request.names_to_withhold for part in re.findall(r"\w{3,}", name)}
    return not parts.isdisjoint(written - mentioned)


def clean_prose(text: str, longest: int = LONGEST_PROSE) -> str:
    """Plain text for a page: no links, no hidden characters, whole sentences up to `longest`."""
    text = _ADDRESS.sub("", _LINK.sub(r"\1", visible(text)))
    text = re.sub(r"[ \t]+", " ", text).strip()
    if len(text) <= longest:
        return text
    kept = ""
    for sentence in _SENTENCE.finditer(text):
        if sentence.end() > longest:
            break
        kept = text[: sentence.end()]
    return kept.strip() or cut(text, longest - 1) + "…"


def cut(text: str, longest: int) -> str:
    """At most `longest` characters, up to a word's end if the text has words."""
    if len(text) <= longest:
        return text
    head = text[: longest + 1]
    return head.rsplit(None, 1)[0] if any(c.isspace() for c in head) else text[:longest]
