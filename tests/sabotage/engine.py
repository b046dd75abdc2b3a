"""The engine's own checks: what keeps a model's words and a pupil's tricks from having effects."""

from tests.sabotage.shape import Sabotage

TELLING = "feedback_engine/telling.py"
ENGINE = "feedback_engine/engine.py"

SECOND = ("tests/feedback_engine/test_second_attempt.py",)
CHECKS = ("tests/feedback_engine/test_checks.py",)
TOLD = ("tests/feedback_engine/test_telling.py",)

ENGINE_CHECKS = (
    Sabotage(
        "sentences are told unchecked",
        TELLING,
        "text.startswith(before) and self._passes(list(texts.values()))",
        "text.startswith(before)",
        TOLD,
    ),
    Sabotage(
        "what was told is replaced before the eyes",
        TELLING,
        "text.startswith(before) and self._passes",
        "self._passes",
        TOLD,
    ),
    Sabotage(
        "prose is told although a teacher must look first",
        ENGINE,
        "if told is not None and not needs_teacher(verdicts, noticed):",
        "if told is not None:",
        TOLD,
    ),
    Sabotage(
        "a level is taken back for the same words",
        "feedback_engine/checks.py",
        "if _is_lowered(verdict, earlier) and not _is_explained(verdict, earlier, request.answer)",
        "if False",
        SECOND,
    ),
    Sabotage(
        "a model's progress is not checked against what stood there before",
        "feedback_engine/progress.py",
        'verdict.quote != "" and not contains(earlier.answer, verdict.quote)',
        'verdict.quote != ""',
        SECOND,
    ),
    Sabotage(
        "feedback may say Sie to a child",
        "feedback_engine/checks.py",
        "is_wrong_register(text, request.language, request.register)",
        "False",
        ("tests/feedback_engine/test_manner.py",),
    ),
    Sabotage(
        "a page that was badly read counts as nonsense",
        "feedback_engine/nonsense.py",
        "if request.images or request.drawings:",
        "if False:",
        ("tests/feedback_engine/test_nonsense.py",),
    ),
    Sabotage(
        "a level beyond the rubric counts",
        "feedback_engine/checks.py",
        "if claim is None or not 0 <= claim.level <= criterion.top_level:",
        "if claim is None:",
        CHECKS,
    ),
    Sabotage(
        "a passage that nobody wrote is evidence",
        "feedback_engine/checks.py",
        "    if passage is None:\n        return CriterionVerdict.not_assessed(criterion.id)\n",
        "    passage = passage or claim.quote\n",
        CHECKS,
    ),
    Sabotage(
        "a model may name a classmate",
        "feedback_engine/checks.py",
        "Flag.PERSON_NAMED: names_person(text, request),",
        "Flag.PERSON_NAMED: False,",
        TOLD,
    ),
    Sabotage(
        "orders in what is drawn are not noticed",
        "feedback_engine/intake.py",
        '"\\n".join([request.answer, *request.drawings])',
        "request.answer",
        ("tests/feedback_engine/test_intake.py",),
    ),
    Sabotage(
        "a host may judge what it has cut",
        "feedback_engine/models.py",
        'how["json"] |= {"truncate": False, "shift": False}',
        "pass",
        ("tests/feedback_engine/test_engine.py",),
    ),
    Sabotage(
        "a model judges that nobody has approved",
        ENGINE,
        "if not self._config.approves(digest):",
        "if False:",
        ("tests/feedback_engine/test_engine.py",),
    ),
    Sabotage(
        "a model reads that nobody has approved",
        "feedback_engine/transcribe.py",
        "if not self._config.approves(digest):",
        "if False:",
        ("tests/feedback_engine/test_transcribe.py",),
    ),
    Sabotage(
        "the pin of the settings never reaches the engine",
        "lti_tool/core/engines.py",
        "        digest=settings.model_digest,\n",
        "",
        ("tests/test_profiles.py", "tests/cli/test_doctor.py"),
    ),
)
