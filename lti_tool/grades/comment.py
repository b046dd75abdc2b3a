"""The words that go into the gradebook beside the points. Plain text: Moodle shows nothing else."""

from __future__ import annotations

from lti_tool.submissions.models import Author, Feedback, Submission

LONGEST = 2000

_WORDS = {
    "de": {
        "attempt": "Versuch {attempt}",
        "step": "Dein nächster Schritt: {text}",
        Author.AI: "KI-Rückmeldung",
        Author.AI_EDITED: "KI-Rückmeldung, von der Lehrkraft bearbeitet",
        Author.TEACHER: "Rückmeldung der Lehrkraft",
        "no_model": "Rückmeldung ohne KI-Modell",
        "confirmed": "von der Lehrkraft freigegeben",
    },
    "en": {
        "attempt": "Attempt {attempt}",
        "step": "Your next step: {text}",
        Author.AI: "AI feedback",
        Author.AI_EDITED: "AI feedback, edited by the teacher",
        Author.TEACHER: "Feedback by the teacher",
        "no_model": "Feedback without an AI model",
        "confirmed": "released by the teacher",
    },
}


def comment_of(submission: Submission, feedback: Feedback) -> str:
    """Which attempt, what was found per criterion, the next step, and who wrote it."""
    words = _WORDS["en" if submission.language == "en" else "de"]
    lines = [f"{r.title}: {r.level_text}" for r in feedback.results if r.level_text]
    if feedback.next_step:
        lines.append(words["step"].format(text=feedback.next_step))
    by = words["no_model"] if _is_without_model(feedback) else words[feedback.author]
    if feedback.released_by is not None and feedback.author is Author.AI:
        by = f"{by}, {words['confirmed']}"
    head = words["attempt"].format(attempt=submission.attempt)
    body = "\n".join([head, *lines])
    return f"{body[: LONGEST - len(by) - 3]}\n({by})"


def _is_without_model(feedback: Feedback) -> bool:
    return feedback.author is Author.AI and feedback.engine == "lexical"
