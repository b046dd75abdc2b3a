"""Connecting a platform with an invitation: asked about itself, registered with, written down.

No transaction is open while a platform is asked. The invitation is taken before the platform hears
of us and used up in the transaction that keeps its answer; if anything fails in between it is free
again. See docs/adr/0006.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.db import REGISTRATION, Begin, become, registration_of
from lti_tool.core.retries import in_one
from lti_tool.launch.registration import invitations
from lti_tool.launch.registration.changes import NewConnection, record_change
from lti_tool.launch.registration.checklist import Check, checklist
from lti_tool.launch.registration.client import RegistrationClient
from lti_tool.launch.registration.documents import (
    PlatformConfiguration,
    RegistrationAnswer,
    check_token,
)
from lti_tool.launch.registration.invitations import host_of
from lti_tool.launch.registration.models import Invitation
from lti_tool.launch.registration.proposal import ToolAddresses, registration_request
from lti_tool.launch.registration.refusals import RegistrationRefused, Why
from lti_tool.people.models import Platform, PlatformState
from lti_tool.people.services import KeySeal, PlatformSpec, add_platform


class Outcome(StrEnum):
    ACTIVE = "active"
    WAITING = "waiting"  # a new platform that the operator has to activate
    CHANGE = "change"  # a known platform; the operator has to activate what is new


@dataclass(frozen=True)
class Offer:
    """What the page shows before anything happens."""

    invitation: Invitation
    platform: PlatformConfiguration


@dataclass(frozen=True)
class Said:
    """A platform as it is to be written down, whoever said so."""

    issuer: str
    connection: NewConnection
    one_host: bool = True  # all addresses lie where the issuer does, or the operator allowed it
    is_moodle: bool = False  # registered with dynamically: leaves two switches to press


@dataclass(frozen=True)
class Connected:
    """What came of it."""

    invitation: Invitation
    said: Said
    outcome: Outcome
    checks: list[Check]


@dataclass(frozen=True)
class Registrar:
    """Connects platforms. The roof builds it."""

    begin: Begin
    seal: KeySeal
    client: RegistrationClient
    base_url: str
    clock: Clock

    def open(self, secret: str) -> Invitation:
        """The invitation, if it is open. Raises RegistrationRefused."""
        with self.begin(REGISTRATION) as db:
            return invitations.find_open(db, secret)

    def addresses(self, invitation: Invitation) -> ToolAddresses:
        """Our addresses for whoever holds this invitation."""
        return ToolAddresses(self.base_url, invitation.id)

    def offer(self, secret: str, url: str) -> Offer:
        """Look at the platform; changes nothing, here or there. Raises RegistrationRefused."""
        invitation = self.open(secret)
        platform = self.client.configuration(url)
        with self.begin(REGISTRATION) as db:
            _check_invited(db, invitation, platform.issuer)
        return Offer(invitation, platform)

    def connect(self, secret: str, url: str, token: str | None) -> Connected:
        """Register with the platform and write it down. Raises RegistrationRefused."""
        token = check_token(token)
        offer = self.offer(secret, url)
        invitation, platform = offer.invitation, offer.platform
        request = registration_request(
            self.addresses(invitation), share_names=invitation.share_names
        )
        with self._claimed(invitation) as claimed:
            answer, clock = self.client.register(platform.registration_url, token, request)
            said = _said(platform, answer)
            outcome = self._keep(invitation, claimed, said)
        return self._connected(invitation, outcome, said, answer.scopes, clock)

    def connect_by_hand(self, secret: str, said: Said) -> Connected:
        """Write down what somebody typed. Raises RegistrationRefused."""
        invitation = self.open(secret)
        with self._claimed(invitation) as claimed:
            outcome = self._keep(invitation, claimed, said)
        return self._connected(invitation, outcome, said, None, None)

    @contextmanager
    def _claimed(self, invitation: Invitation) -> Iterator[datetime]:
        """The invitation is ours for a moment, and free again if nothing comes of it."""
        with self.begin(REGISTRATION) as db:
            claimed = invitations.claim(db, invitation)
        try:
            yield claimed
        except Exception:
            with self.begin(REGISTRATION) as db:
                invitations.release(db, invitation.id, claimed)
            raise

    def _keep(self, invitation: Invitation, claimed: datetime, said: Said) -> Outcome:
        """One transaction: what the platform said, and that the invitation has done its work."""

        def keep(db: Session) -> Outcome:
            _check_invited(db, invitation, said.issuer)
            known = _known(db, invitation, said)
            platform_id = known or invitation.id
            become(db, registration_of(platform_id))
            invitations.use(db, invitation.id, claimed)
            if known:
                record_change(db, known, said.connection)
                outcome = Outcome.CHANGE
            else:
                outcome = self._add(db, invitation, said)
            invitations.note_platform(db, invitation.id, platform_id)
            return outcome

        return in_one(partial(self.begin, REGISTRATION), keep)

    def _add(self, db: Session, invitation: Invitation, said: Said) -> Outcome:
        """A platform that was not known. The invitation is the human act that lets it in at once,
        where it names this very host; everything less certain waits for another look."""
        certain = (
            invitation.host is not None and said.one_host and not _issuer_known(db, said.issuer)
        )
        outcome = Outcome.ACTIVE if certain else Outcome.WAITING
        add_platform(
            db,
            _spec(invitation.school, said),
            self.seal,
            platform_id=invitation.id,
            state=PlatformState.ACTIVE if certain else PlatformState.WAITING,
        )
        return outcome

    def _connected(
        self,
        invitation: Invitation,
        outcome: Outcome,
        said: Said,
        scopes: frozenset[str] | None,
        platform_time: datetime | None,
    ) -> Connected:
        """The checklist comes last: what it finds undoes nothing."""
        answered_at = self.clock()
        keys = self.client.look_at_keys(said.connection.jwks_url)
        clock_from_keys = platform_time is None
        checks = checklist(
            base_url=self.base_url,
            keys_usable=keys.usable,
            platform_time=keys.platform_time if clock_from_keys else platform_time,
            now=self.clock() if clock_from_keys else answered_at,
            deployment_id=said.connection.deployment_id,
            scopes=scopes,
        )
        return Connected(invitation, said, outcome, checks)


def _said(platform: PlatformConfiguration, answer: RegistrationAnswer) -> Said:
    return Said(
        platform.issuer,
        NewConnection(
            client_id=answer.client_id,
            deployment_id=answer.deployment_id,
            auth_url=platform.auth_url,
            token_url=platform.token_url,
            jwks_url=platform.jwks_url,
        ),
        is_moodle=platform.is_moodle,
    )


def _spec(name: str, said: Said) -> PlatformSpec:
    connection = said.connection
    return PlatformSpec(
        name=name,
        issuer=said.issuer,
        client_id=connection.client_id,
        auth_url=connection.auth_url,
        token_url=connection.token_url,
        jwks_url=connection.jwks_url,
        deployment_ids=(connection.deployment_id,) if connection.deployment_id else (),
    )


def _check_invited(db: Session, invitation: Invitation, issuer: str) -> None:
    """Whether the invitation is for this platform. Raises RegistrationRefused."""
    if invitation.host is not None and host_of(issuer) != invitation.host:
        raise RegistrationRefused(Why.OTHER_HOST)
    if invitation.platform_id is not None:
        known = db.get(Platform, invitation.platform_id)
        if known is None or known.issuer != issuer:
            raise RegistrationRefused(Why.OTHER_PLATFORM)


def _known(db: Session, invitation: Invitation, said: Said) -> UUID | None:
    """The platform that this connects anew, if any. Raises RegistrationRefused."""
    holder = db.scalar(select(Platform).where(Platform.client_id == said.connection.client_id))
    if holder is None:
        return invitation.platform_id
    if holder.issuer != said.issuer or invitation.platform_id not in (None, holder.id):
        raise RegistrationRefused(Why.CLIENT_ID_TAKEN)
    return holder.id


def _issuer_known(db: Session, issuer: str) -> bool:
    return db.scalar(select(Platform.id).where(Platform.issuer == issuer).limit(1)) is not None
