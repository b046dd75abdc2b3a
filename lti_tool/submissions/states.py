"""The life of a submission. The database enforces the same moves (migration 0004, and a test
holds the two together)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    HANDED_IN = "handed_in"  # kept; feedback is being worked out (its job says how far)
    AWAITING_TEACHER = "awaiting_teacher"  # feedback is there, a teacher has to let it out
    NEEDS_TEACHER = "needs_teacher"  # no usable feedback came about; a teacher writes it
    RELEASED = "released"  # the pupil sees the feedback


MOVES: frozenset[tuple[State, State]] = frozenset(
    {
        (State.HANDED_IN, State.RELEASED),
        (State.HANDED_IN, State.AWAITING_TEACHER),
        (State.HANDED_IN, State.NEEDS_TEACHER),
        (State.AWAITING_TEACHER, State.RELEASED),
        (State.AWAITING_TEACHER, State.HANDED_IN),  # the teacher asks the model once more
        (State.NEEDS_TEACHER, State.RELEASED),
        (State.NEEDS_TEACHER, State.HANDED_IN),
    }
)


class ForbiddenMove(ValueError):
    """A step that the life of a submission does not have."""


def move(state: State, to: State) -> State:
    """The new state. Raises ForbiddenMove."""
    if (state, to) not in MOVES:
        raise ForbiddenMove(f"{state} → {to}")
    return to
