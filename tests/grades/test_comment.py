"""The words beside the points, as a parent may read them in the gradebook."""

from uuid import uuid4

import pytest

from feedback_engine.contract import VerdictStatus
from lti_tool.grades.comment import LONGEST, comment_of
from lti_tool.submissions.models import Author, CriterionResult, Feedback, Submission


def feedback(author: Author = Author.AI, engine: str = "ollama", **more) -> Feedback:
    result = CriterionResult(
        title="Fachbegriffe", level_text="weitgehend", level=2, status=VerdictStatus.ASSESSED
    )
    return Feedback(
        author=author, engine=engine, next_step="Nenne ein Beispiel.", results=[result], **more
    )


def test_it_says_the_attempt_the_levels_and_the_next_step():
    said = comment_of(Submission(attempt=2, language="de"), feedback())

    assert said.splitlines() == [
        "Versuch 2",
        "Fachbegriffe: weitgehend",
        "Dein nächster Schritt: Nenne ein Beispiel.",
        "(KI-Rückmeldung)",
    ]


def test_a_criterion_that_is_a_sentence_has_no_full_stop_before_the_colon():
    given = feedback()
    given.results[0].title = "Du nennst den Zucker."

    said = comment_of(Submission(attempt=1, language="de"), given)

    assert "Du nennst den Zucker: weitgehend" in said


@pytest.mark.parametrize(
    ("given", "signed"),
    [
        (feedback(), "(AI feedback)"),
        (feedback(released_by=uuid4()), "(AI feedback, released by the teacher)"),
        (feedback(Author.AI_EDITED), "(AI feedback, edited by the teacher)"),
        (feedback(engine="lexical"), "(Feedback without an AI model)"),
        (
            feedback(Author.AI_EDITED, "lexical"),
            "(Feedback without an AI model, edited by the teacher)",
        ),
        (feedback(Author.TEACHER, ""), "(Feedback by the teacher)"),
        (feedback(Author.TEACHER, "lexical"), "(Feedback by the teacher)"),
    ],
)
def test_it_says_who_wrote_it_and_what_the_teacher_did(given, signed):
    said = comment_of(Submission(attempt=1, language="en"), given)

    assert said.splitlines()[-1] == signed


def test_a_long_comment_is_cut_but_keeps_its_author():
    long = feedback()
    long.next_step = "x" * 5000

    said = comment_of(Submission(attempt=1, language="de"), long)

    assert len(said) <= LONGEST
    assert said.endswith("(KI-Rückmeldung)")
