"""Line items with the quirks of Moodle."""

from typing import Any

import pytest

from tests.practice_lms.bench import (
    ADA,
    BASE,
    COURSE,
    LINE_ITEM,
    LINE_ITEMS,
    RESULTS,
    Bench,
)

LIST = f"{BASE}/services/{COURSE}/lineitems?type_id=7"


def items(lms: Bench, query: str = "") -> list[dict[str, Any]]:
    answer = lms.call("GET", LIST + query, LINE_ITEMS)
    assert answer.status_code == 200
    return list(answer.get_json(force=True))


def make(lms: Bench, **more: Any) -> dict[str, Any]:
    body = {"label": "Zusatz", "scoreMaximum": 5} | more
    answer = lms.call("POST", LIST, LINE_ITEM, body)
    assert answer.status_code == 201
    return dict(answer.get_json(force=True))


def test_a_made_item_is_echoed_with_its_id(lms: Bench) -> None:
    made = make(lms, resourceId="r", tag="t", startDateTime="2026-11-23T08:00:00Z")

    assert made["startDateTime"] == "2026-11-23T08:00:00Z"
    assert items(lms) == [
        {
            "id": made["id"],
            "label": "Zusatz",
            "scoreMaximum": 5.0,
            "resourceId": "r",
            "tag": "t",
        }
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"label": "Zusatz"}, 400),
        ({"scoreMaximum": 5}, 400),
        ({"label": "Zusatz", "scoreMaximum": "viel"}, 400),
        ([], 400),
        (b"{", 400),
        ({"label": "Zusatz", "scoreMaximum": 5, "resourceLinkId": "999"}, 403),
    ],
)
def test_what_cannot_be_made_is_refused(lms: Bench, body: object, status: int) -> None:
    assert lms.call("POST", LIST, LINE_ITEM, body).status_code == status

    assert items(lms) == []


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("", ["Fotosynthese", "A", "B"]),
        ("&tag=t", ["A"]),
        ("&tag=T", []),
        ("&resource_id=r", ["B"]),
        ("&limit=2", ["Fotosynthese", "A"]),
        ("&limit=2&from=2", ["B"]),
    ],
)
def test_items_can_be_filtered_and_cut(lms: Bench, query: str, labels: list[str]) -> None:
    lms.add_activity()
    make(lms, label="A", tag="t")
    make(lms, label="B", resourceId="r")

    assert [item["label"] for item in items(lms, query)] == labels


def test_the_link_filter_finds_the_activitys_own_and_added_columns(lms: Bench) -> None:
    link = lms.add_activity()
    make(lms)
    make(lms, label="Dazu", resourceLinkId=link)

    found = items(lms, f"&resource_link_id={link}")

    assert [item["label"] for item in found] == ["Fotosynthese", "Dazu"]


def test_the_link_header_is_as_broken_as_moodles(lms: Bench) -> None:
    make(lms)
    make(lms)

    answer = lms.call("GET", f"{LIST}&limit=1", LINE_ITEMS)

    link = answer.headers["Link"].encode("latin-1").decode()
    assert "rel=“next”" in link
    assert "&amp;limit=1" in link
    assert "Link" not in lms.call("GET", LIST, LINE_ITEMS).headers


def test_a_put_without_a_link_unlinks_but_the_launch_still_knows_the_column(lms: Bench) -> None:
    link = lms.add_activity()
    url = lms.item_url(link)
    assert items(lms)[0]["resourceLinkId"] == link

    body = {"label": "Neu", "scoreMaximum": 10}
    answer = lms.call("PUT", url, LINE_ITEM, body)

    assert answer.get_json(force=True) == body | {"id": url}
    assert "resourceLinkId" not in items(lms)[0]
    assert lms.item_url(link) == url


def test_a_put_with_a_new_maximum_rescales(lms: Bench) -> None:
    link = lms.add_activity(maximum=10)
    url = lms.item_url(link)
    lms.score(url, ADA, scoreGiven=8)

    body = {"label": "Neu", "scoreMaximum": 50, "resourceLinkId": link}
    lms.call("PUT", url, LINE_ITEM, body)

    assert [(row["resultScore"], row["resultMaximum"]) for row in lms.results(url)] == [(40, 50)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"label": "Neu"}, 400),
        ({"scoreMaximum": 3}, 400),
        ({"label": "Neu", "scoreMaximum": 3, "resourceLinkId": "999"}, 403),
    ],
)
def test_a_put_that_is_not_whole_is_refused(
    lms: Bench, body: dict[str, object], status: int
) -> None:
    url = make(lms)["id"]

    assert lms.call("PUT", url, LINE_ITEM, body).status_code == status

    assert items(lms)[0]["label"] == "Zusatz"


def test_a_deleted_item_is_gone_with_its_grades_even_the_activitys_own(lms: Bench) -> None:
    url = lms.item_url(lms.add_activity())
    lms.score(url)

    assert lms.call("DELETE", url, "").status_code == 204

    assert items(lms) == []
    assert lms.call("GET", url, LINE_ITEM).status_code == 404
    assert lms.call("GET", url.replace("?", "/results?"), RESULTS).status_code == 404
    assert lms.score(url).status_code == 404


@pytest.mark.parametrize(
    ("accept", "of_list", "of_one"),
    [
        ("", 200, 200),
        (LINE_ITEMS, 200, 400),
        (LINE_ITEM, 400, 200),
        ("*/*", 400, 200),
        ("application/json", 400, 400),
    ],
)
def test_accept_headers_are_strict(lms: Bench, accept: str, of_list: int, of_one: int) -> None:
    url = make(lms)["id"]

    assert lms.call("GET", LIST, accept).status_code == of_list
    assert lms.call("GET", url, accept).status_code == of_one


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_json_alone_is_no_media_type(lms: Bench, method: str) -> None:
    url = LIST if method == "POST" else make(lms)["id"]

    answer = lms.call(method, url, "application/json", {"label": "x", "scoreMaximum": 1})

    assert answer.status_code == 400
    assert "No handler found" in answer.status
