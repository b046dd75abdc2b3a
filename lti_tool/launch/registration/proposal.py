"""What we tell a platform of ourselves, and what it has to know when it is typed in by hand.

1EdTech Dynamic Registration 1.0, section 3.5. Exactly what is needed: no e-mail, names only where
the school wants them, and every scope has a request of ours that uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from lti_tool.launch.arrival import HISTORY_KEY
from lti_tool.launch.claims import MessageType
from lti_tool.launch.registration.documents import TOOL

NAME = "GUSTAV"
DESCRIPTION = "Rückmeldungen zu Schülerarbeiten"
HISTORY_VARIABLE = "$Context.id.history"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
GRADE_SCOPES = frozenset(
    f"{_AGS}{name}" for name in ("lineitem", "lineitem.readonly", "score", "result.readonly")
)
SCORE_SCOPE = f"{_AGS}score"
ROSTER_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
SCOPES = GRADE_SCOPES | {ROSTER_SCOPE}
NAME_CLAIMS = ("name", "given_name", "family_name")
MESSAGES = (MessageType.RESOURCE_LINK, MessageType.DEEP_LINKING)


@dataclass(frozen=True)
class ToolAddresses:
    """Where we are. One address takes all launches, deep linking too, so one redirect URI does."""

    base_url: str
    keyset_id: UUID

    @property
    def login(self) -> str:
        return f"{self.base_url}/lti/login"

    @property
    def launch(self) -> str:
        return f"{self.base_url}/lti/launch"

    @property
    def keyset(self) -> str:
        return f"{self.base_url}/lti/keys/{self.keyset_id}"

    @property
    def icon(self) -> str:
        return f"{self.base_url}/static/icon.svg"

    @property
    def domain(self) -> str:
        """With the port: Moodle compares it to the letter with that of the launch address."""
        return urlsplit(self.base_url).netloc


def registration_request(where: ToolAddresses, *, share_names: bool) -> dict[str, object]:
    """The document that is posted to a registration endpoint."""
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": where.login,
        "redirect_uris": [where.launch],
        "client_name": NAME,
        "jwks_uri": where.keyset,
        "logo_uri": where.icon,
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(sorted(SCOPES)),
        TOOL: {
            "domain": where.domain,
            "description": DESCRIPTION,
            "target_link_uri": where.launch,
            "custom_parameters": {HISTORY_KEY: HISTORY_VARIABLE},
            "claims": ["iss", "sub", *(NAME_CLAIMS if share_names else ())],
            "messages": [
                {"type": kind.value, "target_link_uri": where.launch} for kind in MESSAGES
            ],
        },
    }
