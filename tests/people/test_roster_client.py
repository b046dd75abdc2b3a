"""Reading a course's members from a platform that may be odd or hostile."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from lti_tool.core.outbound import (
    GuardedTransport,
    Outbound,
    OutboundFailed,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
)
from lti_tool.people import roster_client
from lti_tool.people.roles import Role
from lti_tool.people.roster_client import (
    MEDIA_TYPE,
    NO_VALIDATORS,
    Member,
    MemberList,
    RosterClient,
    RosterRefused,
    Validators,
    read_members,
)
from lti_tool.people.tokens import ServiceTokens, TokenRefused
from tests.fakes.http_server import Answer, LoopbackServer
from tests.fakes.moodle import MEMBERS, TOKEN, page
from tests.fakes.school import School, open_school, trust

ADA = {"user_id": "7", "name": "Ada", "roles": ["Learner"], "status": "Active"}
CURIE = {"user_id": "8", "name": "Frau Curie", "roles": ["Instructor"]}


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def members_of(school: School, url: str | None = None) -> tuple[Member, ...]:
    found = asked(school, NO_VALIDATORS, url)
    assert found is not None
    return found.members


def asked(school: School, known: Validators, url: str | None = None) -> MemberList | None:
    client = RosterClient(school.outbound, school.tokens)
    return client.fetch_members(school.endpoint, url or school.members, known)


def roster(*members: object, next_link: str | None = None) -> Answer:
    headers = {"Link": f'<{next_link}>; rel="next"'} if next_link else {}
    return Answer(200, json.dumps({"members": members}).encode(), headers)


class TestFetching:
    def test_members_come_with_role_and_name(self, school: School) -> None:
        school.will_answer(MEMBERS, roster(ADA, CURIE))

        assert members_of(school) == (
            Member("7", Role.LEARNER, active=True, name="Ada"),
            Member("8", Role.INSTRUCTOR, active=True, name="Frau Curie"),
        )

    def test_the_request_is_as_the_standard_wants_it(self, school: School) -> None:
        school.will_answer(MEMBERS, roster())

        members_of(school, f"{school.members}?a=B")

        (seen,) = school.seen_at(MEMBERS)
        assert seen.target.endswith("CourseSection/2/bindings/1/memberships?a=B&limit=200")
        assert "If-None-Match" not in seen.headers
        assert seen.headers["Accept"] == MEDIA_TYPE
        assert seen.headers["Authorization"] == "Bearer token-1"
        assert school.moodle.tokens["token-1"] == {roster_client.SCOPE}

    def test_pages_are_followed_letter_for_letter(self, school: School) -> None:
        more = f"{MEMBERS}?Page=Two&limit=1"
        school.will_answer(MEMBERS, roster(ADA, next_link=school.url(more)), roster(CURIE))

        assert [member.user_id for member in members_of(school)] == ["7", "8"]
        assert school.seen_at(MEMBERS)[1].target == more

    def test_nobody_is_listed_twice(self, school: School) -> None:
        again = {**ADA, "roles": ["Instructor"]}
        school.will_answer(MEMBERS, roster(ADA, ADA, next_link=school.members), roster(again))

        (member,) = members_of(school)

        assert member.role is Role.LEARNER

    def test_the_token_never_leaves_for_another_host(self, school: School) -> None:
        with LoopbackServer(lambda seen: roster()) as elsewhere:
            school.will_answer(MEMBERS, roster(ADA, next_link=f"{elsewhere.url}/{MEMBERS}"))
            with pytest.raises(OutboundRefused) as by_link:
                members_of(school)
            with pytest.raises(OutboundRefused) as at_once:
                members_of(school, elsewhere.url)

            assert by_link.value.reason is at_once.value.reason is Refusal.ORIGIN
            assert elsewhere.connections == 0

    def test_pages_without_end_are_refused(
        self, school: School, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(roster_client, "MOST_PAGES", 3)
        school.will_answer(MEMBERS, *[roster(ADA, next_link=school.members)] * 4)

        with pytest.raises(OutboundRefused) as refused:
            members_of(school)

        assert refused.value.reason is Refusal.TOO_MANY
        assert len(school.seen_at(MEMBERS)) == 3

    def test_as_many_pages_as_allowed_are_read(
        self, school: School, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(roster_client, "MOST_PAGES", 2)
        school.will_answer(MEMBERS, roster(ADA, next_link=school.members), roster(CURIE))

        assert len(members_of(school)) == 2

    def test_a_million_members_are_refused(self, school: School) -> None:
        crowd = [{"user_id": str(number)} for number in range(10_001)]
        school.will_answer(MEMBERS, roster(*crowd))

        with pytest.raises(OutboundRefused) as refused:
            members_of(school)

        assert refused.value.reason is Refusal.TOO_MANY

    @pytest.mark.parametrize("status", [400, 403, 404])
    def test_a_no_is_final(self, school: School, status: int) -> None:
        school.will_answer(MEMBERS, Answer(status, b"[]"))

        with pytest.raises(RosterRefused) as refused:
            members_of(school)

        assert refused.value.status == status

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_a_bad_moment_passes(self, school: School, status: int) -> None:
        school.will_answer(MEMBERS, Answer(status))

        with pytest.raises(OutboundFailed):
            members_of(school)

    def test_a_service_that_is_switched_off_is_told_apart(self, school: School) -> None:
        school.will_answer(TOKEN, Answer(400, b'{"error": "invalid_scope"}'))

        with pytest.raises(TokenRefused):
            members_of(school)

    @pytest.mark.parametrize(
        "answer", [page([]), page({}), page({"members": {}}), Answer(200, b"<html>")]
    )
    def test_something_else_than_a_roster_is_garbage(self, school: School, answer: Answer) -> None:
        school.will_answer(MEMBERS, answer)

        with pytest.raises(OutboundGarbage):
            members_of(school)

    def test_a_half_read_roster_is_never_returned(self, school: School) -> None:
        school.will_answer(MEMBERS, roster(ADA, next_link=school.members), Answer(503))

        with pytest.raises(OutboundFailed):
            members_of(school)


class TestAskingByWhatWasGiven:
    """Conditional requests (RFC 9110, 13). Moodle gives nothing to ask by."""

    GIVEN = Validators(etag='W/"7-a"', last_modified="Fri, 27 Nov 2026 07:00:00 GMT")

    def test_what_the_platform_gives_with_the_list_is_kept(self, school: School) -> None:
        headers = {"ETag": 'W/"7-a"', "Last-Modified": "Fri, 27 Nov 2026 07:00:00 GMT"}
        school.will_answer(MEMBERS, replace(roster(ADA), headers=headers))

        found = asked(school, NO_VALIDATORS)

        assert found is not None
        assert found.validators == self.GIVEN

    def test_and_sent_back_letter_for_letter(self, school: School) -> None:
        school.will_answer(MEMBERS, Answer(304))

        assert asked(school, self.GIVEN) is None

        (seen,) = school.seen_at(MEMBERS)
        assert seen.headers["If-None-Match"] == self.GIVEN.etag
        assert seen.headers["If-Modified-Since"] == self.GIVEN.last_modified

    def test_unchanged_is_no_answer_to_a_plain_question(self, school: School) -> None:
        school.will_answer(MEMBERS, Answer(304))

        with pytest.raises(RosterRefused):
            members_of(school)

    def test_a_list_in_pages_is_always_asked_for_in_full(self, school: School) -> None:
        headers = {"ETag": '"1"', "Link": f'<{school.members}?from=1>; rel="next"'}
        school.will_answer(
            MEMBERS,
            replace(roster(ADA), headers=headers),
            replace(roster(CURIE), headers={"ETag": '"2"'}),
        )

        found = asked(school, self.GIVEN)

        assert found is not None
        assert found.validators == NO_VALIDATORS
        assert "If-None-Match" not in school.seen_at(MEMBERS)[1].headers

    @pytest.mark.parametrize("etag", ['"' + "x" * 500 + '"', '"ä"'])
    def test_what_could_not_be_sent_back_is_not_kept(self, school: School, etag: str) -> None:
        school.will_answer(MEMBERS, replace(roster(ADA), headers={"ETag": etag}))

        found = asked(school, NO_VALIDATORS)

        assert found is not None
        assert found.validators == NO_VALIDATORS


def test_two_schools_never_see_each_others_token() -> None:
    """ATK-114, the roster's side, with one client and one client id for both."""
    with open_school() as one, open_school() as other:
        here = one.endpoint
        there = replace(here, platform_id=UUID(int=2), token_url=other.endpoint.token_url)
        transport = GuardedTransport(allowed=[one.server.host, other.server.host], tls=trust())
        with Outbound(transport) as outbound:
            client = RosterClient(outbound, ServiceTokens(outbound, one.clock))
            for school, endpoint in ((one, here), (other, there), (one, here)):
                school.will_answer(MEMBERS, roster(ADA))
                client.fetch_members(endpoint, school.members)
            with pytest.raises(OutboundRefused):
                client.fetch_members(here, other.members)

        for school in (one, other):
            sent = {seen.headers["Authorization"] for seen in school.seen_at(MEMBERS)}
            assert sent == {f"Bearer {token}" for token in school.moodle.tokens}
            assert len(school.seen_at(TOKEN)) == 1


def the_member(**fields: Any) -> Member | None:
    return next(read_members([{"user_id": "7", **fields}]), None)


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (["Instructor"], Role.INSTRUCTOR),
        (["Learner", "Instructor"], Role.INSTRUCTOR),
        (["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"], Role.INSTRUCTOR),
        (["Learner"], Role.LEARNER),
        (["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"], Role.LEARNER),
        (["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"], Role.LEARNER),
        (["http://evil.example#Instructor"], Role.LEARNER),
        (["instructor"], Role.LEARNER),
        ([], Role.LEARNER),
        ("Instructor", Role.LEARNER),
        (None, Role.LEARNER),
        ([{"a": "Instructor"}, 7], Role.LEARNER),
    ],
)
def test_who_is_not_plainly_an_instructor_is_a_learner(roles: object, role: Role) -> None:
    member = the_member(roles=roles)

    assert member
    assert member.role is role


@pytest.mark.parametrize(
    ("status", "active"),
    [
        ("Active", True),
        ("Inactive", False),
        ("Deleted", False),
        ("active", False),
        (None, False),
        (7, False),
    ],
)
def test_only_an_active_member_is_active(status: object, active: bool) -> None:
    member = the_member(status=status)

    assert member
    assert member.active is active


def test_without_a_status_a_member_is_active() -> None:
    member = the_member()

    assert member
    assert member.active


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "Ada"}, "Ada"),
        ({"name": "  Ada \n\t Lovelace\u202e "}, "Ada Lovelace"),
        ({"given_name": "Ada", "family_name": "L"}, "Ada L"),
        ({"family_name": "L", "name": ""}, "L"),
        ({"name": "<b>Ada</b>"}, "<b>Ada</b>"),
        ({"name": "x" * 10_000}, "x" * 200),
        ({"name": ["Ada"]}, None),
        ({"name": "\x00"}, None),
        ({}, None),
    ],
)
def test_a_name_is_one_short_line(fields: dict[str, object], name: str | None) -> None:
    member = the_member(**fields)

    assert member
    assert member.name == name


@pytest.mark.parametrize("user_id", [None, "", "x" * 256, "a\x00b", "a\nb", [], 1.5, True])
def test_a_member_without_a_usable_id_is_left_out(user_id: object) -> None:
    assert the_member(user_id=user_id) is None


def test_an_id_written_as_a_number_is_the_same_id() -> None:
    member = the_member(user_id=12)

    assert member
    assert member.user_id == "12"


def test_entries_that_are_no_members_are_left_out() -> None:
    assert list(read_members(["x", None, 7])) == []
