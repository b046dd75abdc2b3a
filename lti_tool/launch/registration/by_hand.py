"""Connecting without dynamic registration: what to copy into which LMS, and what to copy back.

Labels are the LMS's own, from its documentation; only Moodle's were tried. Both languages stand in
them, because nobody knows in which one the other window is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum

from lti_tool.core.errors import Invalid
from lti_tool.core.outbound import AllowList, origin_of
from lti_tool.launch.arrival import HISTORY_KEY
from lti_tool.launch.registration.changes import NewConnection
from lti_tool.launch.registration.documents import LONGEST_ID, configuration_target
from lti_tool.launch.registration.proposal import HISTORY_VARIABLE, NAME, ToolAddresses
from lti_tool.launch.registration.refusals import RegistrationRefused
from lti_tool.launch.registration.service import Said
from lti_tool.people.relocation import Site

ADDRESSES = ("issuer", "auth_url", "token_url", "jwks_url")


class Lms(StrEnum):
    MOODLE = "moodle"
    CANVAS = "canvas"
    ILIAS = "ilias"
    OPENOLAT = "openolat"

    @property
    def spelled(self) -> str:
        return {"moodle": "Moodle", "canvas": "Canvas", "ilias": "ILIAS", "openolat": "OpenOlat"}[
            self.value
        ]


def values(lms: Lms, where: ToolAddresses) -> list[tuple[str, str]]:
    """Label in the LMS and what belongs there, in the order of its form."""
    return {
        Lms.MOODLE: _moodle,
        Lms.CANVAS: _canvas,
        Lms.ILIAS: _ilias,
        Lms.OPENOLAT: _openolat,
    }[lms](where)


def read_typed(form: Mapping[str, str], allowed: AllowList) -> Said:
    """What somebody typed about a platform; `site` stands for all four addresses of a Moodle.

    Raises:
        Invalid: per field "missing", "address" or "id".
    """
    typed = {name: value.strip() for name, value in form.items()}
    problems: dict[str, str] = {}
    if "site" in typed:
        _note(problems, "site", _address_problem(typed["site"], allowed))
        addresses = asdict(Site.of_moodle(typed["site"]))
    else:
        addresses = {name: typed.get(name, "") for name in ADDRESSES}
        for name, url in addresses.items():
            _note(problems, name, _address_problem(url, allowed))
    client_id, deployment_id = typed.get("client_id", ""), typed.get("deployment_id", "")
    _note(problems, "client_id", _id_problem(client_id))
    _note(problems, "deployment_id", _id_problem(deployment_id) if deployment_id else None)
    if problems:
        raise Invalid(problems)
    return Said(
        addresses["issuer"],
        NewConnection(
            client_id=client_id,
            deployment_id=deployment_id or None,
            auth_url=addresses["auth_url"],
            token_url=addresses["token_url"],
            jwks_url=addresses["jwks_url"],
        ),
        one_host=len({origin_of(url) for url in addresses.values()}) == 1,
    )


def _note(problems: dict[str, str], field: str, problem: str | None) -> None:
    if problem:
        problems[field] = problem


def _address_problem(url: str, allowed: AllowList) -> str | None:
    if not url:
        return "missing"
    try:
        configuration_target(url, allowed)
    except RegistrationRefused:
        return "address"
    return "address" if any(sign in url for sign in "?#") else None


def _id_problem(value: str) -> str | None:
    if not value:
        return "missing"
    fits = len(value) <= LONGEST_ID and value.isascii() and value.isprintable()
    return None if fits and " " not in value else "id"


def _moodle(where: ToolAddresses) -> list[tuple[str, str]]:
    return [
        ("Name des Tools (Tool name)", NAME),
        ("Tool-URL (Tool URL)", where.launch),
        ("LTI-Version (LTI version)", "LTI 1.3"),
        ("Öffentlicher Schlüsseltyp (Public key type)", "Schlüsselsatz-URL (Keyset URL)"),
        ("Öffentlicher Schlüsselsatz (Public keyset)", where.keyset),
        ("Anmelde-URL (Initiate login URL)", where.login),
        ("Umleitungs-URI(s) (Redirection URI(s))", where.launch),
        ("Benutzerdefinierte Parameter (Custom parameters)", f"{HISTORY_KEY}={HISTORY_VARIABLE}"),
        ("Unterstützt Deep Linking (Supports Deep Linking)", "ja (yes)"),
        ("URL der Inhaltsauswahl (Content Selection URL)", where.launch),
        ("Symbol-URL (Icon URL)", where.icon),
    ]


def _canvas(where: ToolAddresses) -> list[tuple[str, str]]:
    return [
        ("Key Name, Title", NAME),
        ("Redirect URIs", where.launch),
        ("Method", "Manual Entry"),
        ("Target Link URI", where.launch),
        ("OpenID Connect Initiation Url", where.login),
        ("JWK Method", "Public JWK URL"),
        ("Public JWK URL", where.keyset),
        (
            "LTI Advantage Services",
            "Create and view assignment data …; view submission data …; create and update"
            " submission results …; retrieve user data associated with the context",
        ),
        ("Additional Settings → Custom Fields", f"{HISTORY_KEY}={HISTORY_VARIABLE}"),
        ("Privacy Level", "Name only / Private"),
        ("Placements", "Assignment Selection, Link Selection: LtiDeepLinkingRequest"),
    ]


def _ilias(where: ToolAddresses) -> list[tuple[str, str]]:
    return [
        ("Titel (Title)", NAME),
        ("LTI-Version", "1.3.0"),
        ("URL des Providers (Login URL)", where.launch),
        ("Initiate Login URL", where.login),
        ("Redirection URI(s)", where.launch),
        ("Public Key Type", "JWK"),
        ("URL (JSON Web Token)", where.keyset),
        ("Support for Deep Linking → Content URL", where.launch),
        ("Custom Parameters", f"{HISTORY_KEY}={HISTORY_VARIABLE}"),
    ]


def _openolat(where: ToolAddresses) -> list[tuple[str, str]]:
    return [
        ("Tool-Name (Tool Name)", NAME),
        ("Tool-URL (Tool URL)", where.launch),
        ("Typ des öffentlichen Schlüssels (Public Key Type)", "URL"),
        ("URL des öffentlichen Schlüsselrings (Public keyset URL)", where.keyset),
        ("Initiate login URI", where.login),
        ("Redirection URL(s)", where.launch),
    ]
