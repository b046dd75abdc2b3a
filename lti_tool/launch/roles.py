"""Which of our two roles a launch carries. Least privilege: whatever is not listed is a learner.

Only roles *in the course* count (LTI 1.3 core, A.2.3). Institution and system roles say who
somebody is elsewhere in the school, and sub-roles such as TeachingAssistant are not teachers.
"""

from collections.abc import Iterable

from lti_tool.people.roles import Role

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"

# The short form is deprecated, but the certification suite still launches with it.
_TEACHING = frozenset(
    {
        f"{_MEMBERSHIP}Instructor",
        f"{_MEMBERSHIP}ContentDeveloper",
        f"{_MEMBERSHIP}Administrator",
        "Instructor",
    }
)


def role_of(roles: Iterable[str]) -> Role:
    """The role in the course, from the strings of the `roles` claim, compared byte by byte."""
    return Role.INSTRUCTOR if not _TEACHING.isdisjoint(roles) else Role.LEARNER
