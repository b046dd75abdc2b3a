"""The engine's own checks: what keeps a model's words and a pupil's tricks from having effects."""

from tests.sabotage.shape import Sabotage

TELLING = "feedback_engine/telling.py"
ENGINE = "feedback_engine/engine.py"

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
)
