"""Every reason why a platform is not connected. The code chooses the sentence on the page."""

from __future__ import annotations

from enum import StrEnum

from lti_tool.core.errors import ToolError


class Why(StrEnum):
    """For the page and the security event. Nothing a platform answered is in it (ATK-37)."""

    INVITATION_UNKNOWN = "invitation_unknown"
    INVITATION_EXPIRED = "invitation_expired"
    INVITATION_WITHDRAWN = "invitation_withdrawn"
    INVITATION_USED = "invitation_used"
    INVITATION_BUSY = "invitation_busy"  # a registration with it is under way
    ADDRESS_FORBIDDEN = "address_forbidden"  # we do not go there: ATK 31, 32, 34, 35
    REDIRECTED = "redirected"
    NO_ANSWER = "no_answer"
    CONFIGURATION_UNREADABLE = "configuration_unreadable"
    ISSUER_ELSEWHERE = "issuer_elsewhere"  # says it is a platform of another host
    ENDPOINT_ELSEWHERE = "endpoint_elsewhere"
    OTHER_HOST = "other_host"  # not the platform that the invitation is for
    OTHER_PLATFORM = "other_platform"  # not the platform that is to be connected anew
    TOKEN_MISSING = "token_missing"  # noqa: S105  # a code, no password
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    PLATFORM_REFUSED = "platform_refused"
    ANSWER_LOST = "answer_lost"  # the platform may have registered us, and we do not know how
    ANSWER_UNREADABLE = "answer_unreadable"
    CLIENT_ID_TAKEN = "client_id_taken"

    @property
    def status(self) -> int:
        return _STATUS.get(self, 400)


_STATUS = {
    Why.INVITATION_UNKNOWN: 403,
    Why.INVITATION_EXPIRED: 403,
    Why.INVITATION_WITHDRAWN: 403,
    Why.INVITATION_USED: 409,
    Why.INVITATION_BUSY: 409,
    Why.NO_ANSWER: 502,
    Why.OTHER_HOST: 403,
    Why.OTHER_PLATFORM: 403,
    Why.PLATFORM_REFUSED: 502,
    Why.ANSWER_LOST: 502,
    Why.ANSWER_UNREADABLE: 502,
    Why.CLIENT_ID_TAKEN: 409,
}


class RegistrationRefused(ToolError):
    """The platform is not connected, and nothing of what was known has changed."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why
