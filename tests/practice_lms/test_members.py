"""NRPS with short roles and paging that forgets the role."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.practice_lms.bench import (
    ADA,
    ASSISTANT,
    BASE,
    BEN,
    COURSE,
    CURIE,
    MEMBERS,
    REGISTRATION,
    Bench,
    with_assistant,
)

URL = f"{BASE}/services/CourseSection/{COURSE}/bindings/7/memberships"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership%23"


def members(lms: Bench, query: str = "") -> list[dict[str, Any]]:
    answer = lms.call("GET", URL + query, MEMBERS)
    assert answer.status_code == 200
    return list(answer.get_json(force=True)["members"])


def test_a_member_has_moodles_fields(lms: Bench) -> None:
    body = lms.call("GET", URL, MEMBERS).get_json(force=True)

    assert body["id"] == URL
    assert body["context"] == {"id": "2", "label": "BIO8B", "title": "Bio 8b"}
    assert body["members"][1] == {
        "status": "Active",
        "roles": ["Learner"],
        "user_id": ADA,
        "lis_person_sourcedid": "",
        "name": "Ada Abel",
        "given_name": "Ada",
        "family_name": "Abel",
        "ext_user_username": "a.abel",
    }


def test_names_can_be_kept_back() -> None:
    tool = dataclasses.replace(REGISTRATION, share_names=False, share_email=True)
    lms = Bench(registration=tool)

    assert set(members(lms)[1]) == {
        "status",
        "roles",
        "user_id",
        "lis_person_sourcedid",
        "email",
    }


def test_an_assistant_is_a_learner_here_though_an_instructor_in_launches() -> None:
    lms = with_assistant()

    roles = {member["user_id"]: member["roles"] for member in members(lms)}

    assert roles[CURIE] == ["Instructor"]
    assert roles[ASSISTANT] == ["Learner"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?role=Instructor", 1),
        ("?role=Learner", 4),
        (f"?role={MEMBERSHIP}Learner", 4),
        ("?role=Mentor", 5),
        ("?role=http://example.org/Learner", 5),
        ("", 5),
    ],
)
def test_only_two_roles_filter_all_others_give_everybody(
    lms: Bench, query: str, count: int
) -> None:
    assert len(members(lms, query)) == count


def test_pages_follow_one_another_and_forget_the_role(lms: Bench) -> None:
    first = lms.call("GET", f"{URL}?limit=3&role=Learner", MEMBERS)

    assert len(first.get_json(force=True)["members"]) == 3
    assert first.headers["Link"] == f'<{URL}?limit=3&from=3>; rel="next"'
    second = lms.call("GET", f"{URL}?limit=3&from=3", MEMBERS)
    assert [member["user_id"] for member in second.get_json(force=True)["members"]] == ["23", "24"]
    assert "Link" not in second.headers


def test_a_link_adds_a_message_and_stays_on_the_next_page(lms: Bench) -> None:
    link = lms.add_activity()

    answer = lms.call("GET", f"{URL}?rlid={link}&limit=2", MEMBERS)

    message = answer.get_json(force=True)["members"][0]["message"][0]
    kind = message["https://purl.imsglobal.org/spec/lti/claim/message_type"]
    assert kind == "LtiResourceLinkRequest"
    assert answer.headers["Link"] == f'<{URL}?limit=2&from=2&rlid={link}>; rel="next"'


def stands(lms: Bench, user_id: str, standing: str) -> None:
    form = {"course": COURSE, "user": user_id, "standing": standing}
    assert lms.browser.post("/practice/enrolment", data=form).status_code == 303


def test_who_is_unenrolled_is_not_listed_not_let_in_and_not_graded_until_enrolled_again(
    lms: Bench,
) -> None:
    item = lms.item_url(lms.add_activity())

    stands(lms, ADA, "away")

    assert ADA not in {member["user_id"] for member in members(lms)}
    assert lms.get(f"/as/{ADA}/course/{COURSE}").status_code == 403
    assert lms.score(item).status_code == 400
    assert "ausgeschrieben" in lms.get("/practice").get_data(as_text=True)
    stands(lms, ADA, "enrolled")
    assert ADA in {member["user_id"] for member in members(lms)}
    assert lms.score(item).status_code == 200


def test_who_is_suspended_is_not_listed_and_not_let_in_but_graded(lms: Bench) -> None:
    item = lms.item_url(lms.add_activity())

    stands(lms, ADA, "suspended")

    assert ADA not in {member["user_id"] for member in members(lms)}
    assert lms.get(f"/as/{ADA}/course/{COURSE}").status_code == 403
    assert lms.score(item).status_code == 200
    assert "ausgesetzt" in lms.get("/practice").get_data(as_text=True)
    stands(lms, ADA, "enrolled")
    assert ADA in {member["user_id"] for member in members(lms)}


def test_names_can_be_kept_back_while_it_runs_in_lists_and_launches(lms: Bench) -> None:
    link = lms.add_activity()

    lms.browser.post("/practice/names", data={"share": "0"})

    assert not {"name", "given_name", "ext_user_username"} & set(members(lms)[1])
    assert "name" not in lms.claims(lms.begin_launch(ADA, link))
    lms.browser.post("/practice/names", data={"share": "1"})
    assert members(lms)[1]["name"] == "Ada Abel"


def test_who_is_enrolled_survives_a_restart(tmp_path: Path) -> None:
    lms = Bench(data_dir=tmp_path)
    stands(lms, ADA, "away")
    stands(lms, BEN, "suspended")
    lms.browser.post("/practice/names", data={"share": "0"})

    lms.start()

    assert ADA not in {member["user_id"] for member in members(lms)}
    assert BEN not in {member["user_id"] for member in members(lms)}
    assert "name" not in members(lms)[0]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"{URL}?rlid=999", 404),
        (URL.replace("/bindings/7/", "/bindings/8/"), 403),
        (URL.replace("/CourseSection/2/", "/CourseSection/9/"), 404),
    ],
)
def test_what_is_not_there_is_refused(lms: Bench, url: str, status: int) -> None:
    assert lms.call("GET", url, MEMBERS).status_code == status


@pytest.mark.parametrize(("accept", "status"), [("*/*", 200), ("", 200), ("text/html", 400)])
def test_the_accept_header_counts(lms: Bench, accept: str, status: int) -> None:
    assert lms.call("GET", URL, accept).status_code == status
