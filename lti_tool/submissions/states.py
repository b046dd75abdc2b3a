"""The life of a submission: its states and the moves between them."""

from __future__ import annotations

from enum import StrEnum

from lti_tool.core.moves import moved


class State(StrEnum):
    HANDED_IN = "handed_in"  # kept; feedback is being worked out (its job says how far)
    TO_CHECK = "to_check"  # its photos were read; the pupil looks whether that is what they wrote
    AWAITING_TEACHER = "awaiting_teacher"  # feedback is there, a teacher has to let it out
    NEEDS_TEACHER = "needs_teacher"  # no usable feedback came about; a teacher writes it
    RELEASED = "released"  # the pupil sees the feedback


MOVES: frozenset[tuple[State, State]] = frozenset(
    {
        (State.HANDED_IN, State.RELEASED),
        (State.HANDED_IN, State.TO_CHECK),
        (State.TO_CHECK, State.HANDED_IN),
        (State.TO_CHECK, State.RELEASED),  # a teacher need not wait for the pupil
        (State.TO_CHECK, State.AWAITING_TEACHER),
        (State.HANDED_IN, State.AWAITING_TEACHER),
        (State.HANDED_IN, State.NEEDS_TEACHER),
        (State.AWAITING_TEACHER, State.RELEASED),
        (State.AWAITING_TEACHER, State.HANDED_IN),  # the teacher asks the model once more
        (State.NEEDS_TEACHER, State.RELEASED),
        (State.NEEDS_TEACHER, State.HANDED_IN),
    }
)


def move(state: State, to: State) -> State:
    """The new state. Raises ForbiddenMove."""
    return moved(state, to, MOVES)
