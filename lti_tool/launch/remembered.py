"""The registrations that logins ask for, remembered for a moment.

A class that comes in at the ring of a bell asks for the same one hundreds of times.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from lti_tool.core.clock import Clock
from lti_tool.core.db import LAUNCH, Begin
from lti_tool.core.outbound import origin_of
from lti_tool.people.arrivals import (
    Registration,
    active_registrations,
    registered_addresses,
)

GOOD_FOR = timedelta(seconds=10)


class RememberedRegistrations:
    """Only what was found is remembered, so a new platform is known at once and strangers fill no
    memory. One that was paused or changed meanwhile lets nobody in: a launch compares it with what
    is written (`people.arrivals.know`)."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._found: dict[tuple[str, str | None], tuple[Registration, datetime]] = {}

    def find(self, issuer: str, client_id: str | None) -> Registration | None:
        """The active one; None if there is none, or two of one issuer and no client_id named."""
        now = self._clock()
        known, since = self._found.get((issuer, client_id), (None, now))
        if known is not None and timedelta(0) <= now - since < GOOD_FOR:  # clocks are set back, too
            return known
        with self._begin(LAUNCH) as db:
            found = active_registrations(db, issuer, client_id)
        if len(found) != 1:
            self._found.pop((issuer, client_id), None)
            return None
        self._found[issuer, client_id] = found[0], now
        return found[0]

    def origins(self, issuer: str, client_id: str | None) -> frozenset[str]:
        """Who may show in a frame why such a login was refused: a platform that waits or is paused
        is known all the same. Nobody else."""
        with self._begin(LAUNCH) as db:
            return frozenset(map(origin_of, registered_addresses(db, issuer, client_id)))
