"""The bench's stand-ins: a clock that is moved by hand, and a tool that signs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> int:
        return int(self.now.timestamp())

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """Making keys is slow, so every test uses the same ones."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class FakeTool:
    """Holds the tool's keys, publishes them, and signs what a tool signs."""

    def __init__(self) -> None:
        self._turns = 0
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.fetched: list[str] = []
        self.sniffed: list[str] = []
        self.reachable = True
        self.turn_key("first")

    def turn_key(self, kid: str) -> None:
        self._turns += 1
        self.kid = kid
        self.keys = {kid: rsa_key(f"tool {self._turns}")}

    def fetch_json(self, url: str) -> object:
        self.fetched.append(url)
        if not self.reachable:
            raise OSError
        public = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": "RS256"}
            for kid, key in self.keys.items()
        ]
        return {"keys": public}

    def fetch_status(self, url: str) -> int:
        self.sniffed.append(url)
        if not self.reachable:
            raise OSError
        return 405

    def sign(self, claims: Mapping[str, Any], **headers: str) -> str:
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, self.keys[self.kid], "RS256", headers or {"kid": self.kid})


@cache
def platform_pem() -> str:
    key = rsa_key("platform")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
