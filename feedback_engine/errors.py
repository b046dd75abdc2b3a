"""Why there is no feedback: three classes, three reactions. Texts hold nothing a pupil wrote.

| class               | reaction of the host                                                    |
|---------------------|-------------------------------------------------------------------------|
| `EngineUnavailable` | wait and ring again; no attempt is counted: the answer is not to blame  |
| `EngineFailed`      | count an attempt and ring again; after the limit the teacher takes over |
| `EngineRefused`     | hand to the teacher now, with `reason`: no retry will help              |

The classes are named for what is the case, as the design names them, not for being errors.
"""

from enum import StrEnum


class EngineError(Exception):
    """No feedback came out of an engine."""


class EngineUnavailable(EngineError):
    """The model host does not answer, is overloaded or is still loading the model.

    The waiting must still have an end (hours, not attempts): a job that waits for ever is lost.
    """


class EngineMisconfigured(EngineUnavailable):
    """An operator has to act first: model missing, key refused, memory too small.

    Jobs wait as for any unavailable host. `what_to_do` is a German sentence for the operator.
    """

    def __init__(self, message: str, what_to_do: str) -> None:
        super().__init__(message)
        self.what_to_do = what_to_do


class EngineFailed(EngineError):
    """The host took the work and brought nothing usable: too slow, without end, garbled."""


class RefusalReason(StrEnum):
    """Shown to the teacher, who takes over."""

    EMPTY_ANSWER = "empty_answer"
    ANSWER_TOO_LONG = "answer_too_long"
    UNREADABLE_OUTPUT = "unreadable_output"
    PAGES_UNREAD = "pages_unread"


class EngineRefused(EngineError):
    """No retry will help: the answer is not fit for an engine, or the model cannot cope with it."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason.value)
        self.reason = reason
