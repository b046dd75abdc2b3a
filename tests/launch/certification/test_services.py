"""N1-N5 and A1: names and roles, assignments and grades (conformance guide, §6.3 and §6.4).

The launch comes through the entrance, the worker then calls a platform that answers on this
machine and checks our signature by the keys that we publish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jwt import PyJWKSet

from lti_tool.core import jobs
from lti_tool.core.db import WORKER
from lti_tool.flows import Workshop
from lti_tool.grades.ags import AgsClient
from lti_tool.launch.claims import AGS, NRPS
from lti_tool.people.roster_client import MEDIA_TYPE, SCOPE, RosterClient
from lti_tool.people.services import KeySeal
from tests.classroom import SCORES, FakeEngine
from tests.entrance import SECRET, House, open_house
from tests.fakes.files import MemoryFiles
from tests.fakes.moodle import COLUMN, MEMBERS, TOKEN, page
from tests.fakes.platform import FakePlatform
from tests.fakes.school import School as Site
from tests.fakes.school import open_school
from tests.launch.lesson import ADA, CURIE, Lesson, Visitor, open_lesson
from tests.launch.traces import Ask
from tests.workbench import lane_of, leases_of

ADA_HERSELF = {"user_id": ADA, "name": "Ada Abel", "roles": ["Learner"], "status": "Active"}
ABSENT = {"user_id": "23", "name": "Cem Çelik", "roles": ["Learner"], "status": "Active"}


@dataclass(frozen=True)
class Term:
    """A lesson at a platform whose services answer."""

    site: Site
    lesson: Lesson

    def comes(self, sub: str, **services: Any) -> Visitor:
        browser = self.lesson.house.browser()
        claims = self.lesson.claims(sub) | services
        return Visitor(browser, browser.arrives(claims, sub))

    def works(self) -> None:
        """The worker, until nothing is left to do."""
        for _ in range(5):
            self.site.clock.now += timedelta(seconds=2)
            with self.lesson.house.database.begin(WORKER) as db:
                ready = jobs.ready(db)
            for _, job_id in ready:
                self._workshop().do(job_id)

    def _workshop(self) -> Workshop:
        return Workshop(
            begin=self.lesson.house.database.begin,
            engine=FakeEngine(),
            reader=None,
            files=MemoryFiles(),
            gradebook=AgsClient(self.site.outbound, self.site.tokens),
            rosters=RosterClient(self.site.outbound, self.site.tokens),
            seal=KeySeal(SECRET),
            clock=self.site.clock,
            leases=leases_of(self.lesson.house.database),
            lane=lane_of(self.lesson.house.database),
            attempts=3,
        )


@pytest.fixture
def term(database) -> Iterator[Term]:
    with open_school() as site:
        lms = FakePlatform(issuer=site.server.url, client_id="tool-1", now=datetime.now(UTC))
        lms.token_url = site.url(TOKEN)
        house = open_house(database, lms)
        site.moodle.public_key = published_key(house)
        site.moodle.enrolled = {ADA}
        yield Term(site, open_lesson(house))


def published_key(house: House) -> Any:
    keys = house.browser().get(f"/lti/keys/{house.platform_id}").json
    return PyJWKSet.from_dict(keys).keys[0].key


@pytest.fixture
def roster(term: Term) -> Term:
    """After a teacher has launched with the claim, and the worker has worked."""
    body = {"members": [ADA_HERSELF, ABSENT]}
    term.site.will_answer(MEMBERS, *[page(body)] * 3)
    offer = {"context_memberships_url": term.site.members, "service_versions": ["2.0"]}
    term.comes(CURIE, **{NRPS: offer})
    term.works()
    return term


def test_n1_a_teachers_launch_with_the_claim_brings_the_members(roster: Term, ask: Ask) -> None:
    assert ask("SELECT name FROM persons WHERE sub = '23'") == [("Cem Çelik",)]


def test_n2_the_platform_was_asked_at_the_claims_address(roster: Term) -> None:
    asked = roster.site.seen_at(MEMBERS)

    assert asked
    assert {seen.method for seen in asked} == {"GET"}


def test_n3_with_the_media_type_of_the_standard(roster: Term) -> None:
    assert {seen.headers["Accept"] for seen in roster.site.seen_at(MEMBERS)} == {MEDIA_TYPE}


def test_n4_with_a_bearer_token_of_the_platform(roster: Term) -> None:
    held = {f"Bearer {token}" for token in roster.site.moodle.tokens}

    assert {seen.headers["Authorization"] for seen in roster.site.seen_at(MEMBERS)} <= held


def test_n5_for_the_one_scope_it_needs(roster: Term) -> None:
    assert list(roster.site.moodle.tokens.values()) == [{SCOPE}]


def test_a1_a_pupils_launch_with_the_claim_brings_their_points_home(term: Term) -> None:
    offer = {"lineitem": term.site.column, "lineitems": term.site.columns, "scope": [SCORES]}
    ada = term.comes(ADA, **{AGS: offer})

    assert ada.hands_in().status_code == 303
    term.works()

    [score] = term.site.moodle.received
    assert (score["userId"], score["gradingProgress"]) == (ADA, "FullyGraded")
    assert term.site.seen_at(f"{COLUMN}/scores")
