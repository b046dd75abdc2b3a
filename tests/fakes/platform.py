"""A platform that signs launches as Moodle 4.5 does, and whatever else a test asks it to sign."""

import base64
import copy
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm

from lti_tool.launch.claims import (
    AGS,
    CONTEXT,
    CUSTOM,
    DEEP_LINKING,
    DEPLOYMENT_ID,
    FOR_USER,
    LTI,
    MESSAGE_TYPE,
    NRPS,
    PRESENTATION,
    RESOURCE_LINK,
    ROLES,
    TARGET_LINK_URI,
    VERSION,
    LaunchClaims,
)
from lti_tool.launch.keysets import KeySetUnavailable, public_jwk, thumbprint
from lti_tool.launch.verify import ExpectedLaunch, LaunchRefused, Reason, verify_launch

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
INSTRUCTOR = f"{MEMBERSHIP}Instructor"
LEARNER = f"{MEMBERSHIP}Learner"
TOOL = "https://gustav.schule.example"
NOW = datetime(2025, 9, 15, 8, 0, 30, tzinfo=UTC)
DROP = object()

Claims = dict[str, Any]
Path = tuple[str | int, ...]


@cache
def rsa_key(name: str, bits: int = 2048, exponent: int = 65537) -> RSAPrivateKey:
    """One key per name for the whole run: making them is what costs time."""
    return generate_private_key(exponent, bits)


def changed(document: Claims, path: Path, value: object) -> Claims:
    """A copy in which what lies at `path` is `value`, or gone if that is DROP."""
    result = copy.deepcopy(document)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    if value is DROP:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return result


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


class FakePlatform:
    """One registration of the tool at one LMS, with a clock that stands still at `now`."""

    def __init__(
        self,
        issuer: str = "https://moodle.schule.example",
        client_id: str = "k8wZ3nQx5TbY2Lr",
        deployment_id: str = "4",
        now: datetime = NOW,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.deployment_id = deployment_id
        self.now = now
        self.nonce = "nonce-of-this-login"
        self.target_link_uri = f"{TOOL}/lti/launch"
        self.jwks_url = f"{issuer}/mod/lti/certs.php"
        self.token_url = f"{issuer}/mod/lti/token.php"
        self.auth_url = f"{issuer}/mod/lti/auth.php"
        self.key = rsa_key(issuer)
        self.fetched: list[str] = []
        self.is_down = False
        self.body: bytes | None = None

    @property
    def kid(self) -> str:
        return thumbprint(self.key.public_key())

    @property
    def header(self) -> Claims:
        return {"typ": "JWT", "alg": "RS256", "kid": self.kid}

    def rotate(self) -> None:
        """From now on another key signs, and only that one is published."""
        self.key = rsa_key(f"{self.issuer} next")

    def jwks(self) -> bytes:
        return self.body or as_json({"keys": [public_jwk(self.key, self.kid)]})

    def fetch(self, url: str) -> bytes:
        """What the guarded client would bring."""
        self.fetched.append(url)
        if self.is_down:
            raise KeySetUnavailable
        return self.jwks()

    def find_key(self, kid: str) -> RSAPublicKey | None:
        return self.key.public_key() if kid == self.kid else None

    def expected(self, **changes: Any) -> ExpectedLaunch:
        """What the tool remembers of the login that this platform's next launch answers."""
        values: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "nonce": self.nonce,
            "target_link_uri": self.target_link_uri,
            "tool_base_url": TOOL,
            "deployment_hint": self.deployment_id,
            "allowed_origins": frozenset({self.issuer}),
        }
        return ExpectedLaunch(**values | changes)

    def _message(self, message_type: str, roles: Sequence[str]) -> Claims:
        seconds = int(self.now.timestamp())
        return {
            "nonce": self.nonce,
            "iat": seconds,
            "exp": seconds + 60,
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "17",
            "name": "Ada Lovelace",
            "given_name": "Ada",
            "family_name": "Lovelace",
            "email": "ada@schule.example",
            DEPLOYMENT_ID: self.deployment_id,
            TARGET_LINK_URI: self.target_link_uri,
            VERSION: "1.3.0",
            MESSAGE_TYPE: message_type,
            ROLES: list(roles),
            CONTEXT: {"id": "31", "label": "M8b", "title": "Mathe 8b", "type": ["CourseSection"]},
            LTI + "lis": {"person_sourcedid": "", "course_section_sourcedid": ""},
            LTI + "ext": {"user_username": "ada", "lms": "moodle-2"},
            LTI + "tool_platform": {
                "product_family_code": "moodle",
                "version": "2024100705",
                "guid": "f00d",
                "name": "schule",
                "description": "Unsere Schule",
            },
        }

    def launch(self, *roles: str) -> Claims:
        """The claims of an activity that Ada opens, as a learner unless told otherwise."""
        course = f"{self.issuer}/mod/lti/services.php/2/CourseSection/31"
        grades = f"{self.issuer}/mod/lti/services.php/31/lineitems"
        message = self._message("LtiResourceLinkRequest", roles or [LEARNER])
        return message | {
            RESOURCE_LINK: {"id": "9", "title": "Brüche", "description": "Lies genau.\r\nRechne."},
            PRESENTATION: {
                "locale": "de",
                "document_target": "iframe",
                "return_url": f"{self.issuer}/mod/lti/return.php?course=31&sesskey=abc",
            },
            CUSTOM: {"id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "context_history": None},
            AGS: {
                "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
                "lineitems": f"{grades}?type_id=4",
                "lineitem": f"{grades}/12/lineitem?type_id=4",
            },
            NRPS: {
                "context_memberships_url": f"{course}/bindings/4/memberships",
                "service_versions": ["1.0", "2.0"],
            },
        }

    def submission_review(self, for_user: str = "18", *roles: str) -> Claims:
        """The claims of a teacher who follows a pupil's grade in the gradebook."""
        return self.launch(*(roles or [INSTRUCTOR])) | {
            MESSAGE_TYPE: "LtiSubmissionReviewRequest",
            FOR_USER: {"user_id": for_user},
        }

    def deep_linking(self, *roles: str) -> Claims:
        """The claims of a teacher who chooses what to put into the course."""
        return self._message("LtiDeepLinkingRequest", roles or [INSTRUCTOR]) | {
            PRESENTATION: {"locale": "de"},
            DEEP_LINKING: {
                "accept_types": ["ltiResourceLink"],
                "accept_presentation_document_targets": ["frame", "iframe", "window"],
                "accept_multiple": True,
                "auto_create": False,
                "deep_link_return_url": f"{self.issuer}/mod/lti/contentitem_return.php?sesskey=abc",
                "data": "give-this-back",
                "title": "Aufgabe",
                "text": "Eine Aufgabe wählen",
            },
        }

    def sign(
        self,
        claims: Mapping[str, Any] | bytes,
        header: Mapping[str, Any] | bytes | None = None,
        key: RSAPrivateKey | None = None,
        algorithm: HashAlgorithm | None = None,
    ) -> str:
        """A token of these claims (or raw bytes), signed with RS256 whatever the header says."""
        head = self.header if header is None else header
        parts = (part if isinstance(part, bytes) else as_json(part) for part in (head, claims))
        signed = ".".join(base64url(part) for part in parts)
        signature = (key or self.key).sign(signed.encode(), PKCS1v15(), algorithm or SHA256())
        return f"{signed}.{base64url(signature)}"

    def posts(self, token: str | Claims, **expected: Any) -> LaunchClaims:
        """What the tool makes of this token (or of these claims, signed as they should be)."""
        signed = token if isinstance(token, str) else self.sign(token)
        return verify_launch(signed, self.expected(**expected), self.find_key, self.now)

    def is_refused(self, token: str | Claims, **expected: Any) -> Reason | None:
        """The reason why the tool refuses it, None if it does not."""
        try:
            self.posts(token, **expected)
        except LaunchRefused as refusal:
            return refusal.reason
        return None
