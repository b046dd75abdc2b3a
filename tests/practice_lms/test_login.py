"""Who may be whom, and what the login initiation and the authentication endpoint insist on."""

import json

import pytest

from tests.practice_lms.bench import ADA, BASE, BEN, CURIE, REDIRECT, TOOL, Bench, form_of


def test_one_click_makes_a_person_and_several_can_be_open_at_once(lms: Bench) -> None:
    lms.log_in(ADA, CURIE)

    ada = lms.get(f"/as/{ADA}/course/2").get_data(as_text=True)
    curie = lms.get(f"/as/{CURIE}/course/2").get_data(as_text=True)

    assert "Ada Abel" in ada
    assert "Aktivität hinzufügen" not in ada
    assert "Marie Curie" in curie
    assert "Aktivität hinzufügen" in curie


def test_the_path_of_a_person_who_is_not_logged_in_leads_to_the_start_page(lms: Bench) -> None:
    lms.log_in(ADA)

    answer = lms.get(f"/as/{BEN}/course/2")

    assert (answer.status_code, answer.location) == (303, "/")


def test_a_guessed_cookie_makes_nobody(lms: Bench) -> None:
    lms.browser.set_cookie(f"practice_lms_as_{ADA}", "x" * 20)

    assert lms.get(f"/as/{ADA}/course/2").status_code == 303


def test_the_login_form_carries_what_moodle_sends(lms: Bench) -> None:
    link = lms.add_activity()

    login = lms.begin_launch(ADA, link)

    hint = json.loads(login.fields.pop("lti_message_hint"))
    assert login.action == f"{TOOL}/login"
    assert login.fields == {
        "iss": BASE,
        "target_link_uri": REDIRECT,
        "login_hint": ADA,
        "client_id": "client-abc",
        "lti_deployment_id": "7",
    }
    assert set(hint) == {"cmid", "launchid"}
    assert hint["launchid"].startswith("ltilaunch")
    assert str(hint["cmid"]) != link


def test_the_hint_of_deep_linking_has_no_course_module(lms: Bench) -> None:
    hint = json.loads(lms.begin_picking().fields["lti_message_hint"])

    assert set(hint) == {"launchid"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_right_request_gets_an_id_token_and_its_state_back(lms: Bench, method: str) -> None:
    request = lms.auth_request(lms.begin_launch(ADA, lms.add_activity()))
    sent = {"query_string" if method == "GET" else "data": request}

    answer = lms.browser.open("/auth", method=method, **sent)  # type: ignore[arg-type]

    form = form_of(answer)
    assert form.action == REDIRECT
    assert set(form.fields) == {"id_token", "state"}
    assert form.fields["state"] == "state-1"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "openid profile"}, "invalid_scope"),
        ({"scope": None}, "invalid_request"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"response_mode": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"client_id": "someone-else"}, "unauthorized_client"),
        ({"login_hint": BEN}, "access_denied"),
        ({"prompt": "login"}, "invalid_request"),
        ({"lti_message_hint": '{"cmid":1,"launchid":"ltilaunch1"}'}, "invalid_request"),
        ({"lti_message_hint": "3"}, "invalid_request"),
        ({"lti_message_hint": None}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_posted_to_the_tool(
    lms: Bench, change: dict[str, str | None], error: str
) -> None:
    login = lms.begin_launch(ADA, lms.add_activity())
    lms.log_in(BEN)

    form = lms.authenticate(login, **change)

    assert form.action == REDIRECT
    assert form.fields["error"] == error
    assert form.fields["state"] == "state-1"
    assert "id_token" not in form.fields


def test_a_hint_that_was_only_written_differently_is_refused(lms: Bench) -> None:
    login = lms.begin_launch(ADA, lms.add_activity())
    spaced = login.fields["lti_message_hint"].replace(",", ", ")

    assert lms.authenticate(login, lti_message_hint=spaced).fields["error"] == "invalid_request"


def test_an_empty_prompt_and_a_missing_state_are_allowed(lms: Bench) -> None:
    login = lms.begin_launch(ADA, lms.add_activity())

    form = lms.authenticate(login, prompt=None, state=None)

    assert set(form.fields) == {"id_token"}


@pytest.mark.parametrize("uri", [f"{REDIRECT}?a=b", f"{REDIRECT}/", f"{TOOL}/login", ""])
def test_a_redirect_uri_that_is_not_listed_ends_on_our_own_page(lms: Bench, uri: str) -> None:
    login = lms.begin_launch(ADA, lms.add_activity())

    answer = lms.get("/auth", query_string=lms.auth_request(login, redirect_uri=uri))

    assert answer.status_code == 404
    assert "Ungültige Anfrage" in answer.get_data(as_text=True)
    assert "id_token" not in answer.get_data(as_text=True)


def test_a_launch_can_be_used_once(lms: Bench) -> None:
    login = lms.begin_launch(ADA, lms.add_activity())
    assert "id_token" in lms.authenticate(login).fields

    assert lms.authenticate(login).fields["error"] == "invalid_request"


def test_a_launch_is_for_the_person_who_began_it(lms: Bench) -> None:
    login = lms.begin_launch(ADA, lms.add_activity())
    lms.browser.delete_cookie(f"practice_lms_as_{ADA}")

    assert lms.authenticate(login).fields["error"] == "access_denied"


def test_without_our_cookie_the_request_is_repeated_from_our_own_site(lms: Bench) -> None:
    login = lms.begin_launch(ADA, lms.add_activity())
    request = lms.auth_request(login)
    stranger = lms.app.test_client()

    repost = form_of(stranger.post("/auth", data=request))

    assert repost.action == f"{BASE}/auth"
    assert repost.fields == request | {"repost": "1"}
    assert "id_token" in form_of(lms.browser.post("/auth", data=repost.fields)).fields


def test_without_a_tool_a_page_says_so() -> None:
    lms = Bench(registration=None)
    lms.log_in(CURIE)

    answer = lms.get(f"/as/{CURIE}/course/2/add")

    assert answer.status_code == 503
    assert "noch kein Werkzeug" in answer.get_data(as_text=True)
