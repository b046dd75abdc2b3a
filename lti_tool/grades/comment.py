"""The words that go into the gradebook beside the points. Plain text: Moodle shows nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from lti_tool.submissions.models import Author, Feedback, Submission

LONGEST = 2000

_WORDS = {
    "de": {
        "attempt": "Versuch {attempt}",
        "step": "Dein nächster Schritt: {text}",
        "formal_step": "Ihr nächster Schritt: {text}",
        Author.AI: "KI-Rückmeldung",
        "edited": "von der Lehrkraft bearbeitet",
        Author.TEACHER: "Rückmeldung der Lehrkraft",
        "no_model": "Rückmeldung ohne KI-Modell",
        "confirmed": "von der Lehrkraft freigegeben",
    },
    "en": {
        "attempt": "Attempt {attempt}",
        "step": "Your next step: {text}",
        "formal_step": "Your next step: {text}",
        Author.AI: "AI feedback",
        "edited": "edited by the teacher",
        Author.TEACHER: "Feedback by the teacher",
        "no_model": "Feedback without an AI model",
        "confirmed": "released by the teacher",
    },
}


def comment_of(submission: Submission, feedback: Feedback, *, formal: bool = False) -> str:
    """Which attempt, what was found per criterion, the next step, and who wrote it. `formal`: it
    says Sie to the pupil, where German is spoken."""
    words = _WORDS["en" if submission.language == "en" else "de"]
    # Many criteria are whole sentences: no full stop before the colon.
    lines = [f"{r.title.rstrip('.')}: {r.level_text}" for r in feedback.results if r.level_text]
    if feedback.next_step:
        lines.append(words["formal_step" if formal else "step"].format(text=feedback.next_step))
    by = _signed(feedback, words)
    head = words["attempt"].format(attempt=submission.attempt)
    body = "\n".join([head, *lines])
    return f"{body[: LONGEST - len(by) - 3]}\n({by})"


def _signed(feedback: Feedback, words: Mapping[str, str]) -> str:
    """Who wrote it, and what the teacher did with it."""
    if feedback.author is Author.TEACHER:
        return words[Author.TEACHER]
    by = words["no_model" if feedback.engine == "lexical" else Author.AI]
    if feedback.author is Author.AI_EDITED:
        return f"{by}, {words['edited']}"
    return f"{by}, {words['confirmed']}" if feedback.released_by else by
