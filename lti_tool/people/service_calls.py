"""Requests to a platform's services with its token, and only to the platform it belongs to."""

from collections.abc import Mapping
from urllib.parse import urlencode

from lti_tool.core.outbound import Outbound, OutboundFailed, OutboundRefused, Refusal, Reply
from lti_tool.people.tokens import (
    AccessToken,
    ServiceTokens,
    TokenEndpoint,
)


class ServiceCalls:
    """What AGS and NRPS have in common: bearer token, own origin, one new token after a 401."""

    def __init__(self, outbound: Outbound, tokens: ServiceTokens) -> None:
        self._outbound = outbound
        self._tokens = tokens

    def send(
        self,
        endpoint: TokenEndpoint,
        method: str,
        url: str,
        *,
        scope: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Reply:
        """One authorised request. Raises OutboundError, TokenRefused; a Reply may have any status.

        Nothing is sent to a host that is not the platform's: line item and roster addresses come
        from launches and could name any host.
        """
        if not endpoint.owns(url):
            raise OutboundRefused(Refusal.ORIGIN)
        scopes = frozenset({scope})
        token = self._token(endpoint, scopes)
        reply = self._outbound.request(method, url, {**headers, **_bearer(token)}, content)
        if reply.status != 401:
            return reply
        # The token may have been revoked before its time. A new one gets one try.
        self._tokens.forget(endpoint, scopes, token)
        token = self._token(endpoint, scopes)
        return self._outbound.request(method, url, {**headers, **_bearer(token)}, content)

    def _token(self, endpoint: TokenEndpoint, scopes: frozenset[str]) -> AccessToken:
        try:
            return self._tokens.token(endpoint, scopes)
        except OutboundFailed as failed:
            # Whatever became of the request for a token: what it was for has not left the house.
            what, retry_after = str(failed), failed.retry_after
            raise OutboundFailed(what, maybe_arrived=False, retry_after=retry_after) from None


def with_query(url: str, **wishes: str) -> str:
    """The URL, letter for letter, with these wishes added to its query."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(wishes)}"


def _bearer(token: AccessToken) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.value}"}
