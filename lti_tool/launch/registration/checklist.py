"""What is in place after connecting, and what is not yet: shown to the admin, decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from lti_tool.core.outbound.addresses import is_public, literal_address
from lti_tool.launch.registration.proposal import GRADE_SCOPES, ROSTER_SCOPE

# Moodle refuses a signature from the future without any leeway; ours are back-dated by this much.
MOST_SKEW = 5  # seconds


class State(StrEnum):
    GOOD = "good"
    OPEN = "open"  # somebody has to do something
    UNKNOWN = "unknown"  # only time, or the platform, can tell


@dataclass(frozen=True)
class Check:
    """`code` chooses the sentence; `seconds` is for the clocks: positive when ours is ahead."""

    code: str
    state: State
    seconds: int = 0


def checklist(
    *,
    base_url: str,
    keys_usable: bool,
    platform_time: datetime | None,
    now: datetime,
    deployment_id: str | None,
    scopes: frozenset[str] | None,
) -> list[Check]:
    """`scopes`: what the platform granted; None where it has not been asked (by hand)."""
    return [
        Check("our_keys", _reachable(base_url)),
        Check("their_keys", State.GOOD if keys_usable else State.OPEN),
        _clocks(platform_time, now),
        Check("deployment", State.GOOD if deployment_id else State.OPEN),
        Check("grades", _granted(scopes, GRADE_SCOPES)),
        Check("roster", _granted(scopes, frozenset({ROSTER_SCOPE}))),
    ]


def _reachable(base_url: str) -> State:
    """Whether the platform can reach us cannot be seen from here; that it cannot, sometimes can."""
    host = urlsplit(base_url).hostname or ""
    address = literal_address(host)
    inside = host == "localhost" or (address is not None and not is_public(address))
    return State.OPEN if inside else State.UNKNOWN


def _clocks(platform_time: datetime | None, now: datetime) -> Check:
    if platform_time is None:
        return Check("clocks", State.UNKNOWN)
    ahead = round((now - platform_time).total_seconds())
    return Check("clocks", State.OPEN if abs(ahead) > MOST_SKEW else State.GOOD, ahead)


def _granted(scopes: frozenset[str] | None, needed: frozenset[str]) -> State:
    if scopes is None:
        return State.UNKNOWN
    return State.GOOD if needed <= scopes else State.OPEN
