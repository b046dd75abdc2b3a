"""What can go wrong outside the house; each class means one reaction of the caller.

The texts are short codes of ours. Addresses, tokens and what a server answered never get into
them, because error texts end up in logs and on pages.
"""

from enum import StrEnum


class Refusal(StrEnum):
    """Why we will not go there."""

    URL = "url"  # not a plain address, e.g. line breaks, a user name, an odd spelling of a number
    SCHEME = "scheme"  # only https; http only for hosts on the allow-list
    PORT = "port"
    ADDRESS = "address"  # the name leads to a machine inside the house
    REDIRECT = "redirect"
    ORIGIN = "origin"  # not the platform that the token or the page belongs to
    REQUEST = "request"  # a method or header that cannot be written
    TOO_MANY = "too_many"  # more pages or members than any course has


class OutboundError(Exception):
    """Root: the request brought no usable answer."""


class OutboundRefused(OutboundError):
    """We refuse to go there. Final: trying again will not help."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class OutboundFailed(OutboundError):
    """The network or the other side failed. Try again later.

    `maybe_arrived` is true when the request may have been received and acted upon all the same.
    `retry_after` is the header of that name, as the server wrote it.
    """

    def __init__(self, what: str, *, maybe_arrived: bool, retry_after: str | None = None) -> None:
        super().__init__(what)
        self.maybe_arrived = maybe_arrived
        self.retry_after = retry_after


class OutboundGarbage(OutboundFailed):
    """An answer came and cannot be used: too large, packed, or not what was agreed."""

    def __init__(self, what: str) -> None:
        super().__init__(what, maybe_arrived=True)
