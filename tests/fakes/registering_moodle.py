"""A Moodle that lets a tool register, on this machine, as Moodle 4.5 was seen to do it.

It wants the fields that Moodle wants, takes a token once, and
says no in plain text that calls itself HTML, or with a whole page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from lti_tool.launch.keysets import public_jwk, thumbprint
from lti_tool.launch.registration.documents import PLATFORM, TOOL
from tests.fakes.http_server import Answer, LoopbackServer, Raw, Seen
from tests.fakes.platform import rsa_key

CONFIGURATION = "/mod/lti/openid-configuration.php"
REGISTER = "/mod/lti/openid-registration.php"
KEYS = "/mod/lti/certs.php"
REQUIRED = (
    "response_types",
    "initiate_login_uri",
    "redirect_uris",
    "client_name",
    "jwks_uri",
    "token_endpoint_auth_method",
)
LEAKY = "MOODLE-INTERNAL-WORDS"  # stands in every answer that must never reach a page of ours


@dataclass
class RegisteringMoodle:
    """`with LoopbackServer(moodle.answer) as moodle.server:`"""

    server: LoopbackServer = field(init=False)
    client_id: str = "aBcD1234eFgH567"
    deployment_id: str | None = "3"
    tokens: set[str] = field(default_factory=set)
    tools: list[dict[str, Any]] = field(default_factory=list)
    configuration_changes: dict[str, Any] = field(default_factory=dict)
    grants: Callable[[str], str] = lambda asked: asked
    instead: dict[str, Answer | Raw] = field(default_factory=dict)  # path → this answer
    after_registering: Answer | Raw | None = None  # registered, but this is what it says

    @property
    def site(self) -> str:
        return self.server.url

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [urlsplit(seen.target).path for seen in self.server.seen]

    def address_for(self, invitation: str, token: str | None = "token-1", **more: str) -> str:
        """What Moodle opens in its frame when an admin presses "Add LTI Advantage"."""
        query = {"openid_configuration": f"{self.site}{CONFIGURATION}"} | more
        if token is not None:
            self.tokens.add(token)
            query["registration_token"] = token
        return f"{urlsplit(invitation).path}?{urlencode(query)}"

    def answer(self, seen: Seen) -> Answer | Raw:
        path = urlsplit(seen.target).path
        if path in self.instead:
            return self.instead[path]
        if path == CONFIGURATION:
            return self._json(self._configuration())
        if path == KEYS:
            key = rsa_key("registering moodle")
            return self._json({"keys": [public_jwk(key, thumbprint(key.public_key()))]})
        if path == REGISTER and seen.method == "POST":
            return self._register(seen)
        return Answer(404, f"<html>{LEAKY}</html>".encode())

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.site,
            "token_endpoint": f"{self.site}/mod/lti/token.php",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "jwks_uri": f"{self.site}{KEYS}",
            "authorization_endpoint": f"{self.site}/mod/lti/auth.php",
            "registration_endpoint": f"{self.site}{REGISTER}",
            "response_types_supported": ["id_token"],
            PLATFORM: {"product_family_code": "moodle", "version": "4.5.5+ (Build: 20250613)"},
        } | self.configuration_changes

    def _register(self, seen: Seen) -> Answer | Raw:
        token = (seen.headers["Authorization"] or "").removeprefix("Bearer ")
        if token == "used":
            return self._no(401, "token_already_used")
        if token not in self.tokens:
            return Answer(404, f"<html>{LEAKY} {token}</html>".encode(), self._headers("text/html"))
        asked = json.loads(seen.body)
        problem = self._problem(asked)
        if problem:
            return self._no(400, problem)
        self.tokens.discard(token)
        self.tools.append(asked)
        return self.after_registering or self._json(self._registered(asked))

    def _problem(self, asked: dict[str, Any]) -> str | None:
        missing = [name for name in REQUIRED if not asked.get(name)]
        tool = asked.get(TOOL, {})
        if missing or not tool.get("domain"):
            return f"missing_{missing}"
        if "id_token" not in asked["response_types"]:
            return "invalid_response_types"
        if asked["token_endpoint_auth_method"] != "private_key_jwt":
            return "invalid_auth_method"
        if urlsplit(tool["target_link_uri"]).netloc != tool["domain"]:
            return "domain_targetlinkuri_mismatch"
        return None

    def _registered(self, asked: dict[str, Any]) -> dict[str, Any]:
        extension = asked[TOOL] | {"version": "1.3.0", "deployment_id": self.deployment_id}
        return asked | {
            "client_id": self.client_id,
            "scope": self.grants(asked["scope"]),
            TOOL: extension,
        }

    def _no(self, status: int, text: str) -> Answer:
        return Answer(status, f"{text} {LEAKY}".encode(), self._headers("text/html"))

    def _json(self, document: object) -> Answer:
        return Answer(200, json.dumps(document).encode(), self._headers("application/json"))

    def _headers(self, kind: str) -> dict[str, str]:
        return {"Content-Type": kind}
