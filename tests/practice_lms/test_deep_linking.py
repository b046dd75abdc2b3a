"""What a tool may hand back, and what becomes of it."""

import re
from typing import Any

import pytest

from tests.practice_lms.bench import (
    ADA,
    BASE,
    CLAIM,
    COURSE,
    CURIE,
    DL,
    LINE_ITEMS,
    TOOL,
    Bench,
    form_of,
)

ITEM = {"type": "ltiResourceLink", "title": "Fotosynthese", "url": f"{TOOL}/launch"}


def course_page(lms: Bench, user_id: str = CURIE) -> str:
    lms.log_in(user_id)
    return lms.get(f"/as/{user_id}/course/{COURSE}").get_data(as_text=True)


def columns(lms: Bench) -> list[dict[str, Any]]:
    url = f"/services/{COURSE}/lineitems?type_id=7"
    return list(lms.call("GET", url, LINE_ITEMS).get_json())


def test_an_item_becomes_an_activity_with_a_column(lms: Bench) -> None:
    column = {"label": "ignored", "scoreMaximum": 20, "resourceId": "r1", "tag": "t1"}

    answer = lms.hand_back([ITEM | {"lineItem": column}])

    assert "leave_frame.js" in answer.get_data(as_text=True)
    assert "Die Aktivität wurde hinzugefügt." in course_page(lms)
    [made] = columns(lms)
    assert made["label"] == "Fotosynthese"
    assert (made["scoreMaximum"], made["resourceId"], made["tag"]) == (20, "r1", "t1")


def test_the_notice_is_shown_once(lms: Bench) -> None:
    lms.hand_back([ITEM])
    assert "hinzugefügt." in course_page(lms)

    assert "hinzugefügt." not in course_page(lms)


def test_without_a_line_item_there_is_no_column(lms: Bench) -> None:
    lms.hand_back([ITEM])

    assert "ohne Notenspalte" in course_page(lms, ADA)
    assert columns(lms) == []


@pytest.mark.parametrize("maximum", [0, 101, 12.5, 250, -5, "viel"])
def test_one_item_with_a_wrong_maximum_is_an_error_page(lms: Bench, maximum: object) -> None:
    answer = lms.hand_back([ITEM | {"lineItem": {"scoreMaximum": maximum}}])

    assert answer.status_code == 400
    assert "Ungültiger Höchstwert" in answer.get_data(as_text=True)
    assert "Fotosynthese" not in course_page(lms)


@pytest.mark.parametrize("maximum", [1, 100, 20.0, "30"])
def test_whole_maxima_from_1_to_100_are_taken(lms: Bench, maximum: object) -> None:
    lms.hand_back([ITEM | {"lineItem": {"scoreMaximum": maximum}}])

    assert [column["scoreMaximum"] for column in columns(lms)] == [float(str(maximum))]


def test_of_several_items_the_wrong_ones_vanish_without_a_word(lms: Bench) -> None:
    wrong = ITEM | {"title": "Zu viel", "lineItem": {"scoreMaximum": 250}}
    long = ITEM | {"title": "x" * 256}

    lms.hand_back([ITEM, wrong, long, ITEM | {"title": "Zellatmung"}])

    page = course_page(lms)
    assert "2 Aktivitäten wurden hinzugefügt." in page
    assert "Zellatmung" in page
    assert "Zu viel" not in page
    assert "xxx" not in page


def test_a_text_is_shown_and_launched_with_as_it_was_written(lms: Bench) -> None:
    link_id = lms.add_activity(text="Vergleiche 2<3.\nBegründe.")

    shown = lms.get(f"/as/{CURIE}/activity/{link_id}").get_data(as_text=True)
    assert "Vergleiche 2&lt;3.\nBegründe." in shown
    told = lms.claims(lms.begin_launch(ADA, link_id))[f"{CLAIM}/resource_link"]
    assert told["description"] == "Vergleiche 2<3.\r\nBegründe."


def test_the_variables_of_an_item_are_filled_in_at_the_launch(lms: Bench) -> None:
    link_id = lms.add_activity(custom={"task": "7", "context_history": "$Context.id.history"})

    custom = lms.claims(lms.begin_launch(ADA, link_id))[f"{CLAIM}/custom"]

    assert (custom["task"], custom["context_history"]) == ("7", "")


@pytest.mark.parametrize(
    ("icon", "shown"),
    [
        (
            {"url": f"{TOOL}/static/task.png", "width": 128, "height": 128},
            f"{TOOL}/static/task.png",
        ),
        ({"url": "javascript:alert(1)"}, "/static/icon.svg"),
        ({}, "/static/icon.svg"),
        (None, "/static/icon.svg"),
    ],
)
def test_an_activity_has_the_tools_picture_or_our_own(lms: Bench, icon: object, shown: str) -> None:
    lms.hand_back([ITEM | {"icon": icon}])

    lms.log_in(CURIE)
    answer = lms.get(f"/as/{CURIE}/course/{COURSE}")
    assert f'src="{shown}"' in answer.get_data(as_text=True)
    assert f"img-src 'self' {TOOL}" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Für 2 < 3", "Für 2 &lt; 3"),
        ("Für x<5 gilt", "Für x"),
        ("<i>Licht</i>", "Licht"),
    ],
)
def test_a_title_loses_what_looks_like_a_tag(lms: Bench, sent: str, kept: str) -> None:
    lms.hand_back([ITEM | {"title": sent}])

    assert f">{kept}</a>" in course_page(lms)


def test_a_title_that_is_nothing_but_a_tag_is_none(lms: Bench) -> None:
    nothing = ITEM | {"title": "<b>"}

    assert "Titel fehlt" in lms.hand_back([nothing]).get_data(as_text=True)
    lms.hand_back([ITEM, nothing])
    assert "Die Aktivität wurde hinzugefügt." in course_page(lms)


def test_a_link_for_reviews_is_taken_and_changes_nothing_else(lms: Bench) -> None:
    line_item = {"scoreMaximum": 20, "submissionReview": {"reviewableStatus": ["Completed"]}}

    lms.hand_back([ITEM | {"lineItem": line_item}])

    assert [column["scoreMaximum"] for column in columns(lms)] == [20]


def test_one_title_that_is_too_long_is_an_error_page(lms: Bench) -> None:
    answer = lms.hand_back([ITEM | {"title": "x" * 256}])

    assert "Titel zu lang" in answer.get_data(as_text=True)


@pytest.mark.parametrize("items", [[], None, "text"])
def test_nothing_handed_back_makes_nothing(lms: Bench, items: object) -> None:
    assert lms.hand_back(items).status_code == 200

    assert "Es wurde nichts hinzugefügt." in course_page(lms)


def test_title_and_address_have_defaults_and_html_is_shown_as_it_is(lms: Bench) -> None:
    lms.hand_back([{"type": "ltiResourceLink", "html": "<p>Lies &amp; schreib</p>"}])

    page = course_page(lms)
    assert "Probewerkzeug" in page
    [path] = re.findall(r'href="(/as/[0-9]+/activity/[0-9]+)"', page)
    assert "&lt;p&gt;Lies &amp;amp; schreib&lt;/p&gt;" in lms.get(path).get_data(as_text=True)
    assert lms.tool.sniffed == [f"{TOOL}/launch"]


@pytest.mark.parametrize("reachable", [True, False])
def test_the_address_is_looked_at_once_whatever_comes_of_it(lms: Bench, reachable: bool) -> None:
    url = lms.return_url()
    token = lms.response_jwt([ITEM])
    lms.browser.post(url, data={"JWT": lms.response_jwt([])})  # The key set is known from here on.
    lms.tool.reachable = reachable

    lms.browser.post(url, data={"JWT": token})

    assert lms.tool.sniffed == [ITEM["url"]]
    assert "Fotosynthese" in course_page(lms)


def test_messages_of_the_tool_are_shown(lms: Bench) -> None:
    lms.hand_back([], **{f"{DL}/msg": "Bitte noch <b>freigeben</b>."})

    assert "Bitte noch &lt;b&gt;freigeben&lt;/b&gt;." in course_page(lms)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": BASE},
        {"aud": "http://other.example"},
        {"aud": [BASE, "http://other.example"]},
        {"aud": None},
        {"nonce": None},
        {"nonce": ""},
        {f"{CLAIM}/deployment_id": "8"},
        {f"{CLAIM}/message_type": "LtiResourceLinkRequest"},
        {f"{CLAIM}/version": "1.3"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"iat": None},
    ],
)
def test_a_response_with_a_wrong_claim_is_refused(lms: Bench, wrong: dict[str, Any]) -> None:
    assert lms.hand_back([ITEM], **wrong).status_code == 400

    assert "Fotosynthese" not in course_page(lms)


def test_iat_one_second_ahead_is_refused_without_leeway(lms: Bench) -> None:
    assert lms.hand_back([ITEM], iat=lms.clock.seconds() + 1).status_code == 400
    assert lms.hand_back([ITEM], iat=lms.clock.seconds()).status_code == 200


def test_a_response_counts_once(lms: Bench) -> None:
    url, token = lms.return_url(), lms.response_jwt([ITEM])
    assert lms.browser.post(url, data={"JWT": token}).status_code == 200

    assert lms.browser.post(url, data={"JWT": token}).status_code == 400


@pytest.mark.parametrize("damage", ["not.a.jwt", "", "unsigned"])
def test_a_response_that_the_tool_did_not_sign_is_refused(lms: Bench, damage: str) -> None:
    url = lms.return_url()
    token = lms.response_jwt([ITEM])
    broken = token.rpartition(".")[0] + "." if damage == "unsigned" else damage

    assert lms.browser.post(url, data={"JWT": broken}).status_code == 400


def test_a_response_needs_the_teachers_session_key(lms: Bench) -> None:
    url = lms.return_url().partition("&sesskey")[0]

    answer = lms.browser.post(url, data={"JWT": lms.response_jwt([ITEM])})

    assert answer.status_code == 403


def test_a_pupil_cannot_hand_back_even_with_a_good_response(lms: Bench) -> None:
    launch = lms.claims(lms.begin_launch(ADA, lms.add_activity()))
    own_key = launch[f"{CLAIM}/launch_presentation"]["return_url"].rpartition("sesskey=")[2]
    own_key = own_key.partition("&")[0]
    url = f"/as/{ADA}/deep-linking/return?course={COURSE}&id=7&sesskey={own_key}"

    answer = lms.browser.post(url, data={"JWT": lms.response_jwt([ITEM | {"title": "Unfug"}])})

    assert answer.status_code == 403
    assert "Unfug" not in course_page(lms)


def test_without_our_cookie_the_response_is_repeated_from_our_own_site(lms: Bench) -> None:
    url, token = lms.return_url(), lms.response_jwt([ITEM])
    stranger = lms.app.test_client()

    repost = form_of(stranger.post(url, data={"JWT": token}))

    assert repost.action == f"{BASE}{url}"
    assert repost.fields["JWT"] == token
    assert lms.browser.post(url, data=repost.fields).status_code == 200
