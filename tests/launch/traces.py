"""What a launch leaves behind: rows of people, and refusals. And what its page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import time_machine
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
    """Why people were turned away, in order."""
    return [reason for (reason,) in ask("SELECT reason FROM security_events ORDER BY at")]


@dataclass(frozen=True)
class Outcome:
    """What became of a launch: the page, whether it brought a session's cookie, how many rows
    were added, and for what reasons somebody was turned away."""

    status: int
    message: str | None
    cookie: bool
    added: tuple[int, ...]
    reasons: tuple[str, ...]


def watched(ask: Ask, act: Callable[[], TestResponse]) -> Outcome:
    """What `act` leaves behind."""
    before, known = people_in(ask), len(reasons(ask))
    answer = act()
    return Outcome(
        answer.status_code,
        message_of(answer),
        "gustav_session" in "".join(answer.headers.getlist("Set-Cookie")),
        tuple(now - was for was, now in zip(before, people_in(ask), strict=True)),
        tuple(reasons(ask)[known:]),
    )


def refused(reason: str, status: int = 403, message: str = "launch_refused") -> Outcome:
    """Turned away: one page, one note of why, and not a row nor a cookie more."""
    return Outcome(status, message, False, NOTHING, (reason,))


def later(minutes: int) -> time_machine.travel:
    """`with later(11):` so many minutes have passed for the tool, though not for PostgreSQL."""
    return time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes))


def message_of(answer: TestResponse) -> str | None:
    """The class of a page that says no: what it tells people apart by, never the reason."""
    found = re.search(r'data-message="([a-z_]+)"', answer.text)
    return found[1] if found else None
