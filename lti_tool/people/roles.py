"""The two roles the tool knows. Everything unknown is a learner."""

from enum import StrEnum


class Role(StrEnum):
    LEARNER = "learner"
    INSTRUCTOR = "instructor"
