"""Which steps the life of a row may take. Written once per state enum; the database enforces the
same pairs by triggers, and a test holds the two together."""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum
from typing import TypeVar

State = TypeVar("State", bound=StrEnum)


class ForbiddenMove(ValueError):
    """A step that this life does not have."""


def moved(state: State, to: State, allowed: Set[tuple[State, State]]) -> State:
    """The new state. Raises ForbiddenMove."""
    if (state, to) not in allowed:
        raise ForbiddenMove(f"{state} → {to}")
    return to
