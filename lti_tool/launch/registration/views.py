"""The pages of an invitation: inside the LMS's frame, and in a browser of its own.

GET shows and changes nothing, so a reload or a prefetch does no harm. The registration token stays
in the address in which the LMS gave it to us: the form posts to that same address, so the token is
in no page of ours, and `no-referrer` keeps the address from travelling on (ATK-41, docs/adr/0006).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.core.clock import Clock
from lti_tool.core.db import LAUNCH, Begin
from lti_tool.core.errors import Invalid
from lti_tool.core.http import may_frame, new_reference
from lti_tool.core.outbound import AllowList, Outbound, origin_of
from lti_tool.launch.refusals import note_refusal
from lti_tool.launch.registration.by_hand import ADDRESSES, Lms, read_typed, values
from lti_tool.launch.registration.client import RegistrationClient
from lti_tool.launch.registration.documents import configuration_target
from lti_tool.launch.registration.invitations import host_of
from lti_tool.launch.registration.models import Invitation
from lti_tool.launch.registration.refusals import RegistrationRefused, Why
from lti_tool.launch.registration.service import Connected, Registrar
from lti_tool.people.services import KeySeal

log = structlog.get_logger(__name__)

CONFIGURATION, TOKEN = "openid_configuration", "registration_token"
FIELDS = ("site", *ADDRESSES, "client_id", "deployment_id")


def registration_blueprint(
    *,
    begin: Begin,
    seal: KeySeal,
    outbound: Outbound,
    allowed: Iterable[str],
    base_url: str,
    clock: Clock,
) -> Blueprint:
    """The pages with all they need, for the roof to mount."""
    hosts = AllowList(allowed)
    client = RegistrationClient(outbound, hosts)
    registrar = Registrar(begin=begin, seal=seal, client=client, base_url=base_url, clock=clock)
    return RegistrationPages(registrar, hosts).blueprint()


@dataclass(frozen=True)
class RegistrationPages:
    """`allowed`: the operator's list of hosts that may be elsewhere, or inside the house."""

    registrar: Registrar
    allowed: AllowList

    def blueprint(self) -> Blueprint:
        bp = Blueprint(
            "registration", __name__, url_prefix="/register", template_folder="templates"
        )
        bp.add_url_rule("/<secret>", "show", self.show)
        bp.add_url_rule("/<secret>", "connect", self.connect, methods=["POST"])
        bp.add_url_rule("/<secret>/by-hand", "type_in", self.type_in, methods=["POST"])
        bp.register_error_handler(RegistrationRefused, self.refused)
        bp.after_request(_tell_nobody)
        return bp

    def show(self, secret: str) -> ResponseReturnValue:
        """What will be shared and why; without a platform, how to get here from one."""
        if CONFIGURATION not in request.args:
            return self._by_hand(secret, self.registrar.open(secret), {})
        offer = self.registrar.offer(secret, _one(CONFIGURATION) or "")
        may_frame({origin_of(offer.platform.issuer)})
        return render_template(
            "registration/offer.html",
            invitation=offer.invitation,
            platform=offer.platform,
            platform_host=host_of(offer.platform.issuer),
        )

    def connect(self, secret: str) -> ResponseReturnValue:
        """The button in the LMS's frame."""
        url = _one(CONFIGURATION)
        if url is None:
            raise RegistrationRefused(Why.ADDRESS_FORBIDDEN)
        return self._done(self.registrar.connect(secret, url, _one(TOKEN)), framed=True)

    def type_in(self, secret: str) -> ResponseReturnValue:
        """The form for a platform that is connected by hand."""
        try:
            said = read_typed({name: request.form[name] for name in _sent()}, self.allowed)
        except Invalid as invalid:
            page = self._by_hand(secret, self.registrar.open(secret), invalid.problems)
            return page, 422
        return self._done(self.registrar.connect_by_hand(secret, said), framed=False)

    def refused(self, refused: RegistrationRefused) -> ResponseReturnValue:
        """One sentence why; in the frame too, for there is nothing to press on that page."""
        reference = new_reference()
        with self.registrar.begin(LAUNCH) as db:
            note_refusal(db, None, refused.why.value, reference)
        log.warning("registration refused", reason=refused.why.value, reference=reference)
        self._let_the_asker_frame_it()
        page = render_template(
            "registration/refused.html", why=refused.why.value, reference=reference
        )
        return page, refused.why.status

    def _done(self, connected: Connected, *, framed: bool) -> str:
        origin = origin_of(connected.said.issuer)
        if framed:
            may_frame({origin})
        log.info("platform connected", outcome=connected.outcome.value)
        return render_template(
            "registration/connected.html",
            connected=connected,
            platform_host=host_of(connected.said.issuer),
            close_to=origin if framed else None,
            tool_origin=origin_of(self.registrar.base_url),
        )

    def _by_hand(self, secret: str, invitation: Invitation, problems: dict[str, str]) -> str:
        where = self.registrar.addresses(invitation)
        return render_template(
            "registration/by_hand.html",
            invitation=invitation,
            secret=secret,
            address=f"{self.registrar.base_url}/register/{secret}",
            tables=[(lms, values(lms, where)) for lms in Lms],
            problems=problems,
            sent=problems and ("moodle" if "site" in request.form else "other"),
            typed={name: request.form.get(name, "") for name in FIELDS},
        )

    def _let_the_asker_frame_it(self) -> None:
        url = _one(CONFIGURATION)
        if url is None:
            return
        try:
            configuration_target(url, self.allowed)
        except RegistrationRefused:
            return
        may_frame({origin_of(url)})


def _one(name: str) -> str | None:
    """From the address only, and only if it stands there once."""
    found = request.args.getlist(name)
    return found[0] if len(found) == 1 else None


def _sent() -> list[str]:
    return [name for name in FIELDS if len(request.form.getlist(name)) == 1]


def _tell_nobody(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
