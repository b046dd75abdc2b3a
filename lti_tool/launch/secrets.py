"""What only this tool can make: state, nonce and form tokens, derived and never stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from uuid import UUID


class Secrets:
    """Derives each value from a row's id with the tool's secret; a leaked database forges none."""

    def __init__(self, secret_key: str) -> None:
        self._key = secret_key.encode()

    def state(self, login_id: UUID) -> str:
        """OIDC `state`: the login's id, and proof that it is ours."""
        return f"{login_id.hex}.{self._mac('state', login_id)}"

    def login_of(self, state: str) -> UUID | None:
        """The login a state belongs to; None if we did not make it."""
        name, _, mac = state.partition(".")
        try:
            login_id = UUID(hex=name)
        except ValueError:
            return None
        fits = hmac.compare_digest(mac.encode(), self._mac("state", login_id).encode())
        return login_id if fits else None

    def nonce(self, login_id: UUID) -> str:
        """OIDC `nonce`: bound to the state, because both come from the same login."""
        return self._mac("nonce", login_id)

    def csrf(self, session_id: UUID) -> str:
        """What every form of a session carries."""
        return self._mac("csrf", session_id)

    def _mac(self, purpose: str, subject: UUID) -> str:
        digest = hmac.digest(self._key, purpose.encode() + subject.bytes, "sha256")
        return urlsafe_b64encode(digest[:24]).decode()


def new_secret() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> bytes:
    """How a cookie's secret is kept; long and random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).digest()
