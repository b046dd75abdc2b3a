"""What a launch says, as frozen values, and every reason for which one is refused.

Pure shapes: `readers` fills them from JSON, `verify` decides. E-mail, phone, address and idnumber
have no place here, so that nothing can keep them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lti_tool.core.errors import ToolError
from lti_tool.people.roles import Role

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
VERSION = LTI + "version"
MESSAGE_TYPE = LTI + "message_type"
DEPLOYMENT_ID = LTI + "deployment_id"
TARGET_LINK_URI = LTI + "target_link_uri"
ROLES = LTI + "roles"
CONTEXT = LTI + "context"
RESOURCE_LINK = LTI + "resource_link"
PRESENTATION = LTI + "launch_presentation"
CUSTOM = LTI + "custom"
FOR_USER = LTI + "for_user"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"


class MessageType(StrEnum):
    RESOURCE_LINK = "LtiResourceLinkRequest"
    DEEP_LINKING = "LtiDeepLinkingRequest"
    SUBMISSION_REVIEW = "LtiSubmissionReviewRequest"

    @property
    def is_about_a_link(self) -> bool:
        """Whether it comes from an activity; a selection makes the activities first."""
        return self is not MessageType.DEEP_LINKING


class Reason(StrEnum):
    """Why a launch was refused: for the security event, never for the page."""

    MALFORMED = "malformed"
    DUPLICATE_KEY = "duplicate_key"
    ALGORITHM_FORBIDDEN = "algorithm_forbidden"
    CRITICAL_HEADER = "critical_header"
    KID_MISSING = "kid_missing"
    KID_INVALID = "kid_invalid"
    KEY_UNKNOWN = "key_unknown"
    SIGNATURE_INVALID = "signature_invalid"
    NOT_A_LAUNCH = "not_a_launch"
    CLAIMS_MISSING = "claims_missing"
    ISSUER_INVALID = "issuer_invalid"
    AUDIENCE_INVALID = "audience_invalid"
    REGISTRATION_MISMATCH = "registration_mismatch"
    AUTHORIZED_PARTY_INVALID = "authorized_party_invalid"
    TIMES_INVALID = "times_invalid"
    EXPIRED = "expired"
    LIFETIME_TOO_LONG = "lifetime_too_long"
    ISSUED_TOO_LONG_AGO = "issued_too_long_ago"
    ISSUED_IN_FUTURE = "issued_in_future"
    NONCE_MISMATCH = "nonce_mismatch"
    VERSION_MISSING = "version_missing"
    VERSION_UNSUPPORTED = "version_unsupported"
    MESSAGE_TYPE_MISSING = "message_type_missing"
    MESSAGE_TYPE_UNSUPPORTED = "message_type_unsupported"
    SUBJECT_MISSING = "subject_missing"
    SUBJECT_INVALID = "subject_invalid"
    DEPLOYMENT_MISSING = "deployment_missing"
    DEPLOYMENT_INVALID = "deployment_invalid"
    DEPLOYMENT_MISMATCH = "deployment_mismatch"
    TARGET_MISMATCH = "target_mismatch"
    ROLES_MISSING = "roles_missing"
    ROLES_INVALID = "roles_invalid"
    RESOURCE_LINK_MISSING = "resource_link_missing"
    RESOURCE_LINK_INVALID = "resource_link_invalid"
    CLAIM_INVALID = "claim_invalid"
    SERVICE_URL_FOREIGN = "service_url_foreign"
    DEEP_LINKING_INVALID = "deep_linking_invalid"
    DEEP_LINKING_UNSUPPORTED = "deep_linking_unsupported"
    DEEP_LINKING_FORBIDDEN = "deep_linking_forbidden"
    FOR_USER_INVALID = "for_user_invalid"
    SUBMISSION_REVIEW_FORBIDDEN = "submission_review_forbidden"
    # Decided by the caller, against its tables:
    STATE_UNKNOWN = "state_unknown"
    NONCE_USED = "nonce_used"
    UNKNOWN_DEPLOYMENT = "unknown_deployment"
    PERSON_BLOCKED = "person_blocked"

    @property
    def status(self) -> int:
        """HTTP status of the answer: 400 for what is no launch we serve, 403 for a refusal."""
        return 400 if self in _BAD_REQUEST else 403


_BAD_REQUEST = frozenset(
    {
        Reason.MALFORMED,
        Reason.KID_INVALID,
        Reason.MESSAGE_TYPE_UNSUPPORTED,
        Reason.DEEP_LINKING_UNSUPPORTED,
    }
)


class LaunchRefused(ToolError):
    """No session may begin. Carries the code only, nothing that the token said."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Context:
    """The course."""

    id: str
    title: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceLink:
    """The activity in the course."""

    id: str
    title: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Presentation:
    """How the LMS shows us. `return_url` is the issuer's own and holds Moodle's sesskey."""

    document_target: str | None = None
    return_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class GradeService:
    """Assignment and Grade Services 2.0, §3.1; each part may be missing."""

    lineitem: str | None
    lineitems: str | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class MembershipService:
    """Names and Role Provisioning Services 2.0, §3.6.1."""

    context_memberships_url: str


@dataclass(frozen=True, slots=True)
class DeepLinkingSettings:
    """Deep Linking 2.0, §4.4.1. `data` goes back byte by byte; None means: send none."""

    deep_link_return_url: str = field(repr=False)
    accept_types: tuple[str, ...]
    accept_multiple: bool
    accept_lineitem: bool = True
    data: str | None = field(default=None, repr=False)
    title: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LaunchClaims:
    """A proven launch. A text that is blank is None. There is either a resource link or a
    deep linking request, as the message type says. `for_user`: the `sub` of the person whose work
    a submission review is about; None where it is about the whole activity."""

    subject: str = field(repr=False)
    deployment_id: str
    message_type: MessageType
    role: Role
    target_link_uri: str
    context: Context | None
    resource_link: ResourceLink | None
    name: str | None = field(repr=False)
    given_name: str | None = field(repr=False)
    family_name: str | None = field(repr=False)
    locale: str | None
    custom: Mapping[str, str] = field(repr=False)
    presentation: Presentation
    ags: GradeService | None
    nrps: MembershipService | None
    deep_linking: DeepLinkingSettings | None
    for_user: str | None = field(repr=False)
