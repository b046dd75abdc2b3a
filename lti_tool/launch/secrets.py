"""What only this tool can make: state, nonce and form tokens, derived and never stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID


class Secrets:
    """Derives each value with the tool's secret; a leaked database forges none."""

    def __init__(self, secret_key: str) -> None:
        self._key = secret_key.encode()

    def sealed(self, purpose: str, content: bytes) -> str:
        """The content, readable by anybody, and proof that it is ours and for this purpose."""
        return f"{_base64(content)}.{self._mac(purpose, content)}"

    def opened(self, purpose: str, sealed: str) -> bytes | None:
        """What was sealed for this purpose; None if we did not seal it."""
        text, _, _ = sealed.partition(".")
        try:
            content = urlsafe_b64decode(text)
        except ValueError:
            return None
        expected = self.sealed(purpose, content)
        fits = hmac.compare_digest(sealed.encode(), expected.encode())  # and is spelt as we do it
        return content if fits else None

    def nonce(self, login_id: UUID) -> str:
        """OIDC `nonce`: bound to the state, because both come from the same login."""
        return self._mac("nonce", login_id.bytes)

    def csrf(self, session_id: UUID) -> str:
        """What every form of a session carries."""
        return self._mac("csrf", session_id.bytes)

    def owner(self, person_id: UUID) -> str:
        """Names a person to the browser they sit at, and to nobody else."""
        return self._mac("owner", person_id.bytes)

    def writing_key(self, person_id: UUID) -> str:
        """With it a page of this person's seals what it could not send yet; see docs/adr/0014."""
        return self._mac("writing", person_id.bytes)

    def _mac(self, purpose: str, content: bytes) -> str:
        said = purpose.encode() + b"\0" + content
        return _base64(hmac.digest(self._key, said, "sha256")[:24])


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()


def new_secret() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> bytes:
    """How a cookie's secret is kept; long and random, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).digest()
