"""Feedback without a model: which of a criterion's words occur in the answer, and where.

Honest about what it is. It counts stemmed words, so it takes "Pflanzen brauchen kein Licht" for as
good as its opposite, knows no synonyms, and cannot judge spelling or style (those criteria are not
assessed). It is the baseline that a model has to beat, and what a school has when no model runs.
"""

import math
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from feedback_engine import intake
from feedback_engine.checks import LONGEST_QUOTE, cut, founded
from feedback_engine.contract import (
    Criterion,
    CriterionVerdict,
    EngineInfo,
    FeedbackDraft,
    FeedbackRequest,
    Flag,
    Told,
    VerdictStatus,
)
from feedback_engine.nonsense import is_no_answer
from feedback_engine.phrases import Phrases, phrases_for
from feedback_engine.progress import has_grown, progress_of, weakest
from feedback_engine.text import Stems, content_words, sentences, words

LEXICAL_INFO = EngineInfo("lexical", "", "", "lexical-1", is_model=False)
LONGEST_ANSWER = 60_000

# Words of marking, not of the subject: finding them in an answer means nothing.
_MARKING = """nennen nennt benennen erklären erklärt erläutern begründen begründet beschreiben
    beschreibt darstellen vollständig teilweise unvollständig richtig falsch korrekt fehlt fehlen
    genannt gelungen ansatz ansatzweise ausführlich mindestens beispiel beispielsweise kriterium
    lösung antwort punkte text aufgabe sicher gut stufe beide alle rolle nennst erklärst
    erläuterst begründest beschreibst zeigst gehst stellst verwendest benutzt schreibst vergleichst
    name names named explain explains explained describe describes justify complete completely
    partly partial correct incorrect missing wrong answer solution example criterion point points
    least task level good"""
# Criteria about form cannot be seen by counting the subject's words.
_FORM = (
    "rechtschreib",
    "grammat",
    "zeichensetz",
    "satzbau",
    "sprachlich",
    "sprachrichtig",
    "ausdrucksweise",
    "wortwahl",
    "handschrift",
    "leserlich",
    "spelling",
    "grammar",
    "punctuation",
    "wording",
    "handwriting",
    "legib",
)

# Fitted once on the training part of the data set named in `evaluation`, never on its test part:
# half the square root of the number of terms is enough for the highest level, but never one word.
_ENOUGH = 0.5
_AT_LEAST = 2.0


@dataclass(frozen=True, slots=True)
class _Found:
    """How much of what was looked for is there, 0 to 1, and the sentence that has most of it."""

    share: float
    sentence: str


class LexicalEngine:
    """Implements `FeedbackEngine`. Keeps no state, so threads may share it."""

    def give_feedback(
        self,
        request: FeedbackRequest,
        *,
        told: Told | None = None,  # noqa: ARG002 - all is said at once
    ) -> FeedbackDraft:
        """Raise `EngineRefused` for blank and for very long answers; nothing else can go wrong."""
        intake.refuse_unfit(request, LONGEST_ANSWER)
        if is_no_answer(request):
            return without_answer(request)
        vocabulary = _Vocabulary(request)
        verdicts = tuple(_verdict(c, vocabulary, request) for c in request.criteria)
        return without_model(request, verdicts)


def without_answer(request: FeedbackRequest) -> FeedbackDraft:
    """A draft on what is no answer: nothing was found, and a friendly word how to begin.

    It is an attempt like any other: the pupil handed it in, and nothing technical went wrong.
    """
    nothing = tuple(CriterionVerdict.nothing_found(c.id) for c in request.criteria)
    draft = without_model(request, nothing)
    phrases = phrases_for(request.language, request.register)
    is_blank = intake.is_wordless(request.answer)
    return replace(
        draft,
        strengths=phrases.no_text if is_blank else phrases.no_answer,
        flags=(*draft.flags, Flag.NO_ANSWER),
    )


def without_model(request: FeedbackRequest, judged: tuple[CriterionVerdict, ...]) -> FeedbackDraft:
    """A draft around verdicts that no model gave, with prose put together from phrases."""
    phrases = phrases_for(request.language, request.register)
    verdicts = founded(judged, request)
    lowered = () if verdicts == judged else (Flag.LOWERED_WITHOUT_REASON,)
    focus = weakest(request.criteria, verdicts)
    return FeedbackDraft(
        verdicts=verdicts,
        strengths=_strengths(request, verdicts, phrases),
        next_step=_next_step(focus, verdicts, phrases),
        question=(
            phrases.question.format(title=focus.title) if focus else phrases.question_all_there
        ),
        flags=(*intake.noticed(request), *lowered),
        engine=LEXICAL_INFO,
        progress=progress_of(request, verdicts),
    )


class _Vocabulary:
    """What to look for in one answer, and with what.

    Words of the task count on neither side: repeating the question is not an answer.
    """

    def __init__(self, request: FeedbackRequest) -> None:
        self._stems = Stems(request.language)
        self._language = request.language
        self._ignored: frozenset[str] = frozenset()
        self._ignored = self.of(request.task_prompt, request.task_title, _MARKING)
        own = {c.id: self.of(c.title, c.description, c.levels[-1]) for c in request.criteria}
        self.terms = dict(own)
        for note in sentences(request.solution_notes):
            in_note = self.of(note)
            shared = {key: len(in_note & value) for key, value in own.items()}
            for key, count in shared.items():
                if count == max(shared.values()):
                    self.terms[key] |= in_note

    def of(self, *texts: str) -> frozenset[str]:
        """The stems of all words that mean something here."""
        spoken = [word for text in texts for word in content_words(text, self._language)]
        return frozenset(self._stems.of(word) for word in spoken) - self._ignored


def _verdict(
    criterion: Criterion, vocabulary: _Vocabulary, request: FeedbackRequest
) -> CriterionVerdict:
    terms = vocabulary.terms[criterion.id]
    if _is_about_form(criterion) or len(terms) < _AT_LEAST:
        return CriterionVerdict.not_assessed(criterion.id)
    phrases = phrases_for(request.language, request.register)
    found = _look_for(terms, request.answer, vocabulary)
    if found.share == 0:
        return CriterionVerdict.nothing_found(criterion.id, phrases.no_words_found)
    level = int(found.share * criterion.top_level + 0.5)
    reason = phrases.words_found if level == criterion.top_level else phrases.some_words_found
    return CriterionVerdict.assessed(
        criterion.id, level, cut(found.sentence, LONGEST_QUOTE), reason
    )


def _look_for(terms: frozenset[str], answer: str, vocabulary: _Vocabulary) -> _Found:
    def likeness(text: str) -> float:
        said = vocabulary.of(text)
        return sum(max((_likeness(term, word) for word in said), default=0.0) for term in terms)

    enough = max(_AT_LEAST, _ENOUGH * math.sqrt(len(terms)))
    share = min(1.0, likeness(answer) / enough)
    return _Found(share, max(sentences(answer), key=likeness, default=answer))


def _likeness(term: str, word: str) -> float:
    """1 for the same stem, less for part of a compound ("Kundenkarte") or a typing error."""
    if term == word:
        return 1.0
    if min(len(term), len(word)) < 5:
        return 0.0
    if term in word or word in term:
        return 0.8
    alike = SequenceMatcher(None, term, word, autojunk=False)
    return 0.8 if alike.real_quick_ratio() >= 0.85 and alike.ratio() >= 0.85 else 0.0


def _is_about_form(criterion: Criterion) -> bool:
    named = words(f"{criterion.title} {criterion.description}")
    return any(word.startswith(_FORM) for word in named)


def _strengths(
    request: FeedbackRequest, verdicts: tuple[CriterionVerdict, ...], phrases: Phrases
) -> str:
    pairs = list(zip(request.criteria, verdicts, strict=True))
    found = [(c, v) for c, v in pairs if v.status is VerdictStatus.ASSESSED and v.level]
    found.sort(key=lambda pair: -(pair[1].level or 0) / pair[0].top_level)
    parts = [
        phrases.found_here.format(title=c.title, quote=cut(v.quote, 160).rstrip(".,;: "))
        for c, v in found[:2]
    ]
    parts += [
        phrases.has_grown.format(title=c.title) for c, v in found if has_grown(v, request.earlier)
    ]
    return " ".join([*(parts or [phrases.a_beginning]), phrases.only_words])


def _next_step(
    focus: Criterion | None, verdicts: tuple[CriterionVerdict, ...], phrases: Phrases
) -> str:
    if focus is None:
        is_known = any(v.level is not None for v in verdicts)
        return phrases.all_there if is_known else phrases.teacher_looks
    look = phrases.look_again.format(title=focus.title, description=focus.description)
    return f"{look.rstrip(' :')} {phrases.add_a_sentence}"
