"""Asks a platform about itself and registers with it, through the one guarded client.

What it answered stays here: outside there are only read values and reasons (ATK-37, ATK-41).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from lti_tool.core.outbound import (
    AllowList,
    Outbound,
    OutboundError,
    OutboundFailed,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
    Reply,
)
from lti_tool.launch.keysets import KeySetUnavailable, read_keyset
from lti_tool.launch.registration.documents import (
    PlatformConfiguration,
    RegistrationAnswer,
    read_answer,
    read_configuration,
)
from lti_tool.launch.registration.refusals import RegistrationRefused, Why

TOKEN_REFUSALS = (401, 403, 404)  # Moodle answers 404 with a whole page to a token it cannot read


@dataclass(frozen=True)
class KeysSeen:
    """Whether the platform's keys are there, and what its clock said."""

    usable: bool
    platform_time: datetime | None


class RegistrationClient:
    """Thread-safe, as `outbound` is. `allowed`: the operator's list, which `outbound` has too."""

    def __init__(self, outbound: Outbound, allowed: AllowList) -> None:
        self._outbound = outbound
        self._allowed = allowed

    def configuration(self, url: str) -> PlatformConfiguration:
        """What lies at an `openid_configuration` address. Raises RegistrationRefused."""
        try:
            reply = self._outbound.get(url, {"Accept": "application/json"})
        except OutboundError as error:
            why = _why(error)
        else:
            if reply.status == 200:
                return read_configuration(reply.body, url, self._allowed)
            why = Why.NO_ANSWER if reply.status >= 500 else Why.CONFIGURATION_UNREADABLE
        raise RegistrationRefused(why)  # out here, so that no context quotes the answer

    def register(
        self, url: str, token: str, request: dict[str, object]
    ) -> tuple[RegistrationAnswer, datetime | None]:
        """Post our registration; also what the platform's clock said. Raises RegistrationRefused.

        The token goes into the header and nowhere else.
        """
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        try:
            reply = self._outbound.request("POST", url, headers, json.dumps(request).encode())
        except OutboundFailed as failed:
            why = Why.ANSWER_LOST if failed.maybe_arrived else Why.NO_ANSWER
        except OutboundError as error:
            why = _why(error)
        else:
            if reply.status in (200, 201):
                return read_answer(reply.body), _date(reply)
            refused_us = reply.status in TOKEN_REFUSALS
            why = Why.TOKEN_REFUSED if refused_us else Why.PLATFORM_REFUSED
        raise RegistrationRefused(why)

    def look_at_keys(self, jwks_url: str) -> KeysSeen:
        """For the checklist only: a platform without usable keys cannot launch."""
        try:
            reply = self._outbound.get(jwks_url)
        except OutboundError:
            return KeysSeen(usable=False, platform_time=None)
        try:
            usable = reply.status == 200 and bool(read_keyset(reply.body).keys)
        except KeySetUnavailable:
            usable = False
        return KeysSeen(usable, _date(reply))


def _why(error: OutboundError) -> Why:
    if isinstance(error, OutboundRefused):
        redirected = error.reason is Refusal.REDIRECT
        return Why.REDIRECTED if redirected else Why.ADDRESS_FORBIDDEN
    if isinstance(error, OutboundGarbage):
        return Why.CONFIGURATION_UNREADABLE
    return Why.NO_ANSWER


def _date(reply: Reply) -> datetime | None:
    """What the platform's clock said (RFC 9110, section 6.6.1)."""
    try:
        told = parsedate_to_datetime(reply.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return told if told.tzinfo is not None else None
