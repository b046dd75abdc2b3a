"""B1-B12, "Known bad payloads" (conformance guide, §6.1.1): each ends on a page that says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lti_tool.launch.claims import (
    DEPLOYMENT_ID,
    MESSAGE_TYPE,
    RESOURCE_LINK,
    ROLES,
    VERSION,
    Reason,
)
from tests.entrance import House
from tests.fakes.platform import DROP, changed
from tests.launch.traces import Ask, refused, watched

Claims = dict[str, Any]
Change = Callable[[Claims], Claims]


def without(*names: str) -> Change:
    return lambda claims: {name: value for name, value in claims.items() if name not in names}


def the_same(document: Claims) -> Claims:
    return document


BAD: dict[str, tuple[Change, Change, Reason, str]] = {  # header, claims
    "B1 no kid": (without("kid"), the_same, Reason.KID_MISSING, "launch_refused"),
    "B2 incorrect kid": (
        lambda header: header | {"kid": "imstester_66067"},
        the_same,
        Reason.KEY_UNKNOWN,
        "launch_refused",
    ),
    "B3 wrong version": (
        the_same,
        lambda claims: claims | {VERSION: "11.3"},
        Reason.VERSION_UNSUPPORTED,
        "launch_refused",
    ),
    "B4 no version": (the_same, without(VERSION), Reason.VERSION_MISSING, "launch_refused"),
    "B5 not a launch": (
        the_same,
        lambda claims: {"name": "badltilaunch", "nonce": claims["nonce"]},
        Reason.NOT_A_LAUNCH,
        "launch_refused",
    ),
    "B6 missing claims": (
        the_same,
        without("iss", "aud", "sub", DEPLOYMENT_ID, ROLES),
        Reason.CLAIMS_MISSING,
        "launch_refused",
    ),
    "B7 wrong times": (
        the_same,
        lambda claims: claims | {"iat": 11_111, "exp": 22_222},
        Reason.LIFETIME_TOO_LONG,
        "launch_over",
    ),
    "B8 no message type": (
        the_same,
        without(MESSAGE_TYPE),
        Reason.MESSAGE_TYPE_MISSING,
        "launch_refused",
    ),
    "B9 no roles": (the_same, without(ROLES), Reason.ROLES_MISSING, "launch_refused"),
    "B10 no deployment": (
        the_same,
        without(DEPLOYMENT_ID),
        Reason.DEPLOYMENT_MISSING,
        "launch_refused",
    ),
    "B11 no resource link id": (
        the_same,
        lambda claims: changed(claims, (RESOURCE_LINK, "id"), DROP),
        Reason.RESOURCE_LINK_MISSING,
        "launch_refused",
    ),
    "B12 no user": (the_same, without("sub"), Reason.SUBJECT_MISSING, "launch_refused"),
}


def brought(house: House, header: Change, claims: Change) -> Callable[[], Any]:
    """A browser that brings this token as the answer to a good login."""
    browser = house.browser()
    asked = browser.logs_in()
    good: Mapping[str, Any] = house.lms.launch() | {"nonce": asked["nonce"]}
    token = house.lms.sign(claims(dict(good)), header(house.lms.header))
    return lambda: browser.brings(asked, token)


@pytest.mark.parametrize("name", BAD)
def test_a_known_bad_payload_ends_on_a_page_that_says_no(house: House, ask: Ask, name: str) -> None:
    """ATK-1."""
    header, claims, reason, message = BAD[name]

    outcome = watched(ask, brought(house, header, claims))

    assert outcome == refused(reason.value, 403, message)


def test_each_of_the_twelve_has_a_reason_of_its_own() -> None:
    assert len({reason for _, _, reason, _ in BAD.values()}) == len(BAD) == 12


def test_the_launch_from_which_they_were_all_made_is_good(house: House, ask: Ask) -> None:
    outcome = watched(ask, brought(house, the_same, the_same))

    assert (outcome.status, outcome.added, outcome.reasons) == (303, (1, 1, 1, 1), ())
