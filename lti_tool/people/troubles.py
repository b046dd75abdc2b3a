"""What stands between us and a platform, as short codes; `operator.findings` has the words."""

from __future__ import annotations

from enum import StrEnum

from lti_tool.core.outbound import OutboundError, OutboundGarbage, OutboundRefused, Refusal


class Trouble(StrEnum):
    NO_HOST = "no_host"  # the name leads nowhere
    NO_ANSWER = "no_answer"
    CERTIFICATE = "certificate"
    INSIDE = "inside"  # a machine inside the house that nobody has allowed
    REFUSED = "refused"  # an address we do not go to: http, an odd port, a redirect
    BUSY = "busy"
    GARBAGE = "garbage"
    NO_KEYS = "no_keys"  # something answers, but it is no key set
    # As people.tokens.TokenRefusal has them:
    CLIENT = "client"
    SCOPE = "scope"
    ADDRESS = "address"
    ANSWER = "answer"


def trouble_with(error: OutboundError) -> Trouble:
    """Which one it was, from the codes that the guarded client uses as texts."""
    if isinstance(error, OutboundRefused):
        return Trouble.INSIDE if error.reason is Refusal.ADDRESS else Trouble.REFUSED
    if isinstance(error, OutboundGarbage):
        return Trouble.GARBAGE
    told = str(error)
    if told == "gaierror":
        return Trouble.NO_HOST
    if told.startswith("SSL"):
        return Trouble.CERTIFICATE
    return Trouble.BUSY if told.startswith("answered ") else Trouble.NO_ANSWER
