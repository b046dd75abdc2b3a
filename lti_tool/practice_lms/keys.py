"""The platform's signing key, and the tool's public keys as fetched from its key set."""

import hashlib
import threading
from collections.abc import Callable, Mapping

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.types import Options

from .store import Store


class BadTokenError(Exception):
    """A JWT of the tool is not acceptable; the text says why and quotes nothing of it."""


class SigningKey:
    """One RSA key, made when it is first needed; turning it removes the old one at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaded: dict[str, rsa.RSAPrivateKey] = {}

    def sign(self, claims: Mapping[str, object]) -> str:
        key = self._key()
        return jwt.encode(dict(claims), key, algorithm="RS256", headers={"kid": _kid(key)})

    def claims_of(self, token: str) -> dict[str, object] | None:
        """What we signed ourselves, whatever its time; None if we did not."""
        key = self._key().public_key()
        try:
            return dict(jwt.decode(token, key, algorithms=["RS256"], options=_SIGNATURE_ONLY))
        except jwt.PyJWTError:
            return None

    def jwks(self) -> dict[str, object]:
        key = self._key()
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        numbers = {"n": public["n"], "e": public["e"]}
        return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": _kid(key), **numbers}]}

    def rotate(self) -> str:
        """Make a new key and return its kid."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        with self._store.changing() as state:
            state.key_pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode("ascii")
        return _kid(key)

    def _key(self) -> rsa.RSAPrivateKey:
        with self._store.reading() as state:
            if state.key_pem is None:
                self.rotate()
            pem = state.key_pem or ""
            if pem not in self._loaded:
                self._loaded = {pem: _load(pem)}  # Parsing takes longer than signing.
            return self._loaded[pem]


def _load(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the kept signing key is not an RSA key")
    return key


def _kid(key: rsa.RSAPrivateKey) -> str:
    return hashlib.sha256(str(key.public_key().public_numbers().n).encode()).hexdigest()[:20]


class ToolKeys:
    """The tool's key set, fetched again only when a verification fails, as Moodle does."""

    def __init__(self, fetch_json: Callable[[str], object]) -> None:
        self._fetch_json = fetch_json
        self._cached: dict[str, dict[str, jwt.PyJWK]] = {}
        self._lock = threading.Lock()

    def verify(self, token: str, jwks_url: str) -> dict[str, object]:
        """The claims of a token the tool signed; times are not judged. Raises `BadTokenError`."""
        with self._lock:
            cached = self._cached.get(jwks_url)
        if cached is not None:
            try:
                return _claims(token, cached)
            except BadTokenError:
                pass  # The tool may have turned its keys: look once more.
        fresh = self._fetch(jwks_url)
        with self._lock:
            self._cached[jwks_url] = fresh
        return _claims(token, fresh)

    def _fetch(self, jwks_url: str) -> dict[str, jwt.PyJWK]:
        try:
            document = self._fetch_json(jwks_url)
        except Exception as problem:  # Whatever an injected fetcher raises means the same here.
            raise BadTokenError(f"key set not reachable ({type(problem).__name__})") from problem
        entries = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(entries, list):
            raise BadTokenError("key set has no list of keys")
        return dict(filter(None, map(_public_key, entries)))


def _public_key(entry: object) -> tuple[str, jwt.PyJWK] | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA" or not entry.get("kid"):
        return None
    try:
        return str(entry["kid"]), jwt.PyJWK(entry, algorithm="RS256")
    except jwt.PyJWTError:
        return None


# The clock of this LMS is injected, so every rule about time or content is checked by the caller.
_SIGNATURE_ONLY: Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def _claims(token: str, keys: Mapping[str, jwt.PyJWK]) -> dict[str, object]:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str) or kid not in keys:
            raise BadTokenError("kid missing or not in the key set")
        return dict(jwt.decode(token, keys[kid], algorithms=["RS256"], options=_SIGNATURE_ONLY))
    except jwt.PyJWTError as problem:
        raise BadTokenError(f"not signed by the tool ({type(problem).__name__})") from problem
