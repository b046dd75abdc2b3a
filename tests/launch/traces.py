"""What a launch leaves behind: rows of people, and refusals. And what its page says."""

from __future__ import annotations

import re
from collections.abc import Callable

from werkzeug.test import TestResponse

Ask = Callable[..., list[tuple]]

NOTHING = (0, 0, 0, 0)


def people_in(ask: Ask) -> tuple[int, ...]:
    """How many persons, courses, memberships and sessions there are."""
    (row,) = ask(
        "SELECT (SELECT count(*) FROM persons), (SELECT count(*) FROM courses),"
        " (SELECT count(*) FROM memberships), (SELECT count(*) FROM launch_sessions)"
    )
    return row


def reasons(ask: Ask) -> list[str]:
    return [reason for (reason,) in ask("SELECT reason FROM security_events ORDER BY at")]


def message_of(answer: TestResponse) -> str | None:
    """The class of a page that says no: what it tells people apart by, never the reason."""
    found = re.search(r'data-message="([a-z_]+)"', answer.text)
    return found[1] if found else None
