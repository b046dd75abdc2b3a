"""The only door out of the house: every request to another machine goes through here.

`Outbound` is the client for LMS requests. `GuardedTransport` is the same guard for libraries that
bring an httpx client of their own. What may be reached is decided in `addresses`.
"""

from lti_tool.core.outbound.addresses import AllowList, origin_of
from lti_tool.core.outbound.client import Outbound, Reply
from lti_tool.core.outbound.errors import (
    OutboundError,
    OutboundFailed,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
)
from lti_tool.core.outbound.transport import GuardedTransport

__all__ = [
    "AllowList",
    "GuardedTransport",
    "Outbound",
    "OutboundError",
    "OutboundFailed",
    "OutboundGarbage",
    "OutboundRefused",
    "Refusal",
    "Reply",
    "origin_of",
]
