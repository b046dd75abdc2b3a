"""The id_token has exactly Moodle's shape."""

import dataclasses

import jwt
import pytest

from lti_tool.practice_lms import register_tool
from tests.practice_lms.bench import (
    ADA,
    AGS,
    ASSISTANT,
    BASE,
    CLAIM,
    COURSE,
    CURIE,
    DL,
    LINE_ITEM,
    REDIRECT,
    REGISTRATION,
    Bench,
    form_of,
    with_assistant,
)

ENDPOINT = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
OUTCOME = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def test_the_token_is_short_lived_and_names_one_audience(lms: Bench) -> None:
    claims = lms.claims(lms.begin_launch(ADA, lms.add_activity()))

    now = lms.clock.seconds()
    assert (claims["iat"], claims["exp"]) == (now, now + 60)
    assert claims["aud"] == "client-abc"
    assert claims["iss"] == BASE
    assert claims["sub"] == ADA
    assert claims["nonce"] == "nonce-1"
    assert "azp" not in claims


def test_a_pupil_gets_the_resource_link_claims(lms: Bench) -> None:
    link = lms.add_activity(text="Zwei\nZeilen")

    claims = lms.claims(lms.begin_launch(ADA, link))

    assert claims[f"{CLAIM}/message_type"] == "LtiResourceLinkRequest"
    assert claims[f"{CLAIM}/version"] == "1.3.0"
    assert claims[f"{CLAIM}/deployment_id"] == "7"
    assert claims[f"{CLAIM}/target_link_uri"] == REDIRECT
    assert claims[f"{CLAIM}/roles"] == [f"{MEMBERSHIP}Learner"]
    assert claims[f"{CLAIM}/lis"] == {"person_sourcedid": "", "course_section_sourcedid": ""}
    assert claims[f"{CLAIM}/context"] == {
        "id": "2",
        "label": "BIO8B",
        "title": "Bio 8b",
        "type": ["CourseSection"],
    }
    assert claims[f"{CLAIM}/resource_link"] == {
        "id": link,
        "title": "Fotosynthese",
        "description": "Zwei\r\nZeilen",
    }
    assert claims["name"] == "Ada Abel"
    assert claims[f"{CLAIM}/ext"]["user_username"] == "a.abel"
    assert OUTCOME in claims


@pytest.mark.parametrize(
    ("query", "target"), [("", "iframe"), ("?container=window", "window"), ("?lang=en", "iframe")]
)
def test_presentation_tells_frame_from_window(lms: Bench, query: str, target: str) -> None:
    claims = lms.claims(lms.begin_launch(ADA, lms.add_activity(), query))

    presentation = claims[f"{CLAIM}/launch_presentation"]
    assert presentation["document_target"] == target
    assert presentation["locale"] == ("en" if "en" in query else "de")
    assert "sesskey=" in presentation["return_url"]


@pytest.mark.parametrize("user", [CURIE, ASSISTANT])
def test_every_kind_of_teacher_is_just_an_instructor(user: str) -> None:
    lms = with_assistant()

    claims = lms.claims(lms.begin_launch(user, lms.add_activity()))

    assert claims[f"{CLAIM}/roles"] == [f"{MEMBERSHIP}Instructor"]


@pytest.mark.parametrize(
    ("names", "email", "present"),
    [
        (True, False, {"name", "given_name", "family_name"}),
        (False, True, {"email"}),
        (False, False, set()),
    ],
)
def test_privacy_switches_leave_the_keys_out(names: bool, email: bool, present: set[str]) -> None:
    tool = dataclasses.replace(REGISTRATION, share_names=names, share_email=email)
    lms = Bench(registration=tool)

    claims = lms.claims(lms.begin_launch(ADA, lms.add_activity()))

    assert {"name", "given_name", "family_name", "email"} & set(claims) == present
    assert ("user_username" in claims[f"{CLAIM}/ext"]) is names


def test_services_are_announced_with_their_scopes(lms: Bench) -> None:
    claims = lms.claims(lms.begin_launch(ADA, lms.add_activity()))

    assert set(claims[ENDPOINT]["scope"]) == {
        f"{AGS}/lineitem",
        f"{AGS}/lineitem.readonly",
        f"{AGS}/result.readonly",
        f"{AGS}/score",
    }
    assert claims[ENDPOINT]["lineitems"] == f"{BASE}/services/{COURSE}/lineitems?type_id=7"
    assert claims[NRPS] == {
        "context_memberships_url": f"{BASE}/services/CourseSection/{COURSE}/bindings/7/memberships",
        "service_versions": ["1.0", "2.0"],
    }


def test_an_activity_without_a_column_has_neither_line_item_nor_outcome(lms: Bench) -> None:
    claims = lms.claims(lms.begin_launch(ADA, lms.add_activity(maximum=None)))

    assert "lineitem" not in claims[ENDPOINT]
    assert OUTCOME not in claims


def test_a_second_column_makes_the_line_item_claim_disappear(lms: Bench) -> None:
    link = lms.add_activity()
    claims = lms.claims(lms.begin_launch(ADA, link))
    assert "lineitem" in claims[ENDPOINT]

    body = {"label": "Zusatz", "scoreMaximum": 5, "resourceLinkId": link}
    assert lms.call("POST", claims[ENDPOINT]["lineitems"], LINE_ITEM, body).status_code == 201

    assert "lineitem" not in lms.claims(lms.begin_launch(ADA, link))[ENDPOINT]


def test_without_an_own_column_exactly_one_added_one_is_claimed(lms: Bench) -> None:
    link = lms.add_activity(maximum=None)
    lineitems = lms.claims(lms.begin_launch(ADA, link))[ENDPOINT]["lineitems"]
    body = {"label": "Dazu", "scoreMaximum": 5, "resourceLinkId": link}

    made = lms.call("POST", lineitems, LINE_ITEM, body).get_json(force=True)
    assert lms.item_url(link) == made["id"]

    lms.call("POST", lineitems, LINE_ITEM, body)
    assert "lineitem" not in lms.claims(lms.begin_launch(ADA, link))[ENDPOINT]


def test_the_deep_linking_request_lacks_what_moodle_leaves_out(lms: Bench) -> None:
    claims = lms.claims(lms.begin_picking())

    settings = claims[f"{DL}/deep_linking_settings"]
    assert claims[f"{CLAIM}/message_type"] == "LtiDeepLinkingRequest"
    assert claims[f"{CLAIM}/target_link_uri"] == REGISTRATION.deep_link_url
    assert f"{CLAIM}/resource_link" not in claims
    assert set(claims[f"{CLAIM}/launch_presentation"]) == {"locale"}
    assert set(claims[ENDPOINT]) == {"scope", "lineitems"}
    assert NRPS not in claims
    assert settings["accept_types"] == ["ltiResourceLink"]
    assert settings["accept_multiple"] is True
    assert not {"data", "accept_lineitem"} & set(settings)
    assert "sesskey=" in settings["deep_link_return_url"]


def test_deep_linking_announces_the_members_once_the_course_has_an_activity(lms: Bench) -> None:
    lms.add_activity()

    assert NRPS in lms.claims(lms.begin_picking())


def test_pupils_cannot_pick(lms: Bench) -> None:
    lms.log_in(ADA)

    assert lms.get(f"/as/{ADA}/course/{COURSE}/select").status_code == 403


def test_custom_parameters_come_twice_and_with_variables(lms: Bench) -> None:
    custom = {
        "exerciseId": "a-1",
        "user": "$User.id",
        "history": "$ResourceLink.id.history",
        "cut": "one\ntwo",
        "late": 3,
    }
    link = lms.add_activity(custom=custom)

    claims = lms.claims(lms.begin_launch(ADA, link))

    assert claims[f"{CLAIM}/custom"] == {
        "exerciseId": "a-1",
        "exerciseid": "a-1",
        "user": ADA,
        "history": "$ResourceLink.id.history",
        "cut": "one",
        "late": "3",
    }


def test_the_tools_own_parameters_win_and_null_is_possible_in_deep_linking(lms: Bench) -> None:
    link = lms.add_activity(custom={"where": "activity"})
    own = (("where", "$ResourceLink.id"), ("from", "$Context.id.history"))
    register_tool(lms.app, dataclasses.replace(REGISTRATION, custom=own))

    launched = lms.claims(lms.begin_launch(ADA, link))[f"{CLAIM}/custom"]
    picked = lms.claims(lms.begin_picking())[f"{CLAIM}/custom"]

    assert launched == {"where": link, "from": ""}
    assert picked == {"where": None, "from": ""}


def test_the_first_key_is_made_when_it_is_needed_and_stays(lms: Bench) -> None:
    with lms.app.extensions["practice_lms"].store.changing() as state:
        state.key_pem = None

    made = lms.get("/jwks").get_json()

    assert len(made["keys"]) == 1
    assert {"kid", "alg", "kty", "n", "e", "use"} == set(made["keys"][0])
    assert lms.get("/jwks").get_json() == made


def test_a_turned_key_signs_at_once_and_the_old_one_is_gone(lms: Bench) -> None:
    link = lms.add_activity()
    old = lms.authenticate(lms.begin_launch(ADA, link)).fields["id_token"]
    old_kid = jwt.get_unverified_header(old)["kid"]

    new_kid = lms.browser.post("/practice/rotate-key").get_json()["kid"]

    assert new_kid != old_kid
    assert [key["kid"] for key in lms.get("/jwks").get_json()["keys"]] == [new_kid]
    assert lms.claims(lms.begin_launch(ADA, link))["sub"] == ADA


def test_a_grade_asks_for_the_review_of_that_pupils_work(lms: Bench) -> None:
    link = lms.add_activity()
    usual = lms.claims(lms.begin_launch(CURIE, link))

    claims = lms.claims(lms.begin_launch(CURIE, link, f"?action=gradeReport&user={ADA}"))

    assert claims[f"{CLAIM}/message_type"] == "LtiSubmissionReviewRequest"
    assert claims[f"{CLAIM}/for_user"] == {"user_id": ADA}
    assert claims.keys() - usual.keys() == {f"{CLAIM}/for_user"}
    assert usual.keys() <= claims.keys()


def test_the_title_of_a_column_asks_for_nobody_in_particular(lms: Bench) -> None:
    claims = lms.claims(lms.begin_launch(CURIE, lms.add_activity(), "?action=gradeReport"))

    assert claims[f"{CLAIM}/message_type"] == "LtiSubmissionReviewRequest"
    assert f"{CLAIM}/for_user" not in claims


def test_phones_and_tablets_always_go_there_in_the_same_window(lms: Bench) -> None:
    link = lms.add_activity()
    phone = {"User-Agent": "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X)"}
    lms.log_in(ADA)

    there = lms.get(f"/as/{ADA}/activity/{link}", headers=phone)
    login = form_of(lms.get(there.location, headers=phone))

    presentation = lms.claims(login)[f"{CLAIM}/launch_presentation"]
    assert presentation["document_target"] == "frame"
