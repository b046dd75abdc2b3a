"""Faults on demand."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.practice_lms.bench import ADA, CURIE, LINE_ITEMS, MEMBERS, RESULTS, Bench

LIST = "/services/2/lineitems?type_id=7"
PEOPLE = "/services/CourseSection/2/bindings/7/memberships"


def switch(lms: Bench, **wish: Any) -> TestResponse:
    return lms.browser.post("/practice/modes", json=wish)


def ledger(lms: Bench) -> list[tuple[int, bool, str | None]]:
    rows = lms.get("/practice/ledger").get_json()
    return [(row["status"], row["stored"], row["mode"]) for row in rows]


def points(lms: Bench, item: str) -> list[float]:
    return [row["resultScore"] for row in lms.results(item)]


@pytest.fixture
def item(lms: Bench) -> str:
    return lms.item_url(lms.add_activity())


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        ("400", 400),
        ("403", 403),
        ("404", 404),
        ("409", 409),
        ("429", 429),
        ("500", 500),
        ("503", 503),
        ("expired_token", 401),
        ("garbage", 200),
        ("hang", 503),
    ],
)
def test_a_refusing_mode_stores_nothing_and_stands_in_the_ledger(
    lms: Bench, item: str, mode: str, status: int
) -> None:
    switch(lms, endpoint="scores", mode=mode, times=1)

    refused = lms.score(item)

    assert refused.status_code == status
    assert ledger(lms) == [(status, False, mode)]
    assert lms.score(item).status_code == 200
    assert points(lms, item) == [8.0]


def test_store_then_hang_stores_first_and_answers_late(lms: Bench, item: str) -> None:
    switch(lms, endpoint="scores", mode="store_then_hang", times=1, seconds=7)

    assert lms.score(item).status_code == 200

    assert lms.slept == [7]
    assert points(lms, item) == [8.0]
    assert lms.score(item).status_code == 409
    assert ledger(lms) == [(200, True, None), (409, False, None)]


def test_slow_waits_and_then_does_its_work(lms: Bench, item: str) -> None:
    switch(lms, endpoint="scores", mode="slow", seconds=2.5)

    lms.score(item)

    assert lms.slept == [2.5]
    assert points(lms, item) == [8.0]


@pytest.mark.parametrize(
    ("wish", "header"),
    [({"seconds": 30}, "30"), ({"seconds": 30, "retry_after": "soon"}, "soon"), ({}, "5")],
)
def test_too_many_requests_says_when_to_come_again(
    lms: Bench, item: str, wish: dict[str, Any], header: str
) -> None:
    switch(lms, endpoint="scores", mode="429", **wish)

    assert lms.score(item).headers["Retry-After"] == header


def test_garbage_is_a_page_with_a_good_status(lms: Bench, item: str) -> None:
    switch(lms, endpoint="results", mode="garbage", times=1)

    answer = lms.call("GET", item.replace("?", "/results?"), RESULTS)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")


@pytest.mark.parametrize("endpoint", ["token", "jwks", "lineitems", "results", "members"])
def test_every_endpoint_can_fail_alone(lms: Bench, item: str, endpoint: str) -> None:
    lms.bearer()
    switch(lms, endpoint=endpoint, mode="503")

    statuses = {
        "token": lms.ask_token().status_code,
        "jwks": lms.get("/jwks").status_code,
        "lineitems": lms.call("GET", LIST, LINE_ITEMS).status_code,
        "results": lms.call("GET", item.replace("?", "/results?"), RESULTS).status_code,
        "members": lms.call("GET", PEOPLE, MEMBERS).status_code,
    }

    assert statuses == {name: 503 if name == endpoint else 200 for name in statuses}


def test_all_endpoints_fail_together_but_one_of_its_own_goes_first(lms: Bench) -> None:
    lms.bearer()
    switch(lms, endpoint="all", mode="503")
    switch(lms, endpoint="members", mode="404", times=1)

    assert lms.get("/jwks").status_code == 503
    assert lms.call("GET", PEOPLE, MEMBERS).status_code == 404
    assert lms.call("GET", PEOPLE, MEMBERS).status_code == 503


def test_times_are_counted_down_and_normal_ends_it(lms: Bench) -> None:
    switch(lms, endpoint="jwks", mode="500", times=2)
    assert [lms.get("/jwks").status_code for _ in range(3)] == [500, 500, 200]

    switch(lms, endpoint="jwks", mode="500")
    assert lms.get("/practice/modes").get_json()["jwks"]["mode"] == "500"
    switch(lms, endpoint="jwks", mode="normal")

    assert lms.get("/jwks").status_code == 200
    assert lms.get("/practice/modes").get_json() == {}


def test_normal_everywhere_clears_the_table(lms: Bench) -> None:
    switch(lms, endpoint="jwks", mode="500")
    switch(lms, endpoint="scores", mode="hang")

    assert switch(lms, endpoint="all", mode="normal").get_json() == {}


@pytest.mark.parametrize(
    "wish",
    [
        {"endpoint": "kitchen", "mode": "500"},
        {"endpoint": "scores", "mode": "explode"},
        {"endpoint": "scores"},
        {"endpoint": "scores", "mode": "500", "times": 0},
        {"endpoint": "scores", "mode": "hang", "seconds": 1000},
        {"endpoint": "scores", "mode": "hang", "seconds": "nan"},
        {"endpoint": "scores", "mode": "hang", "seconds": "lang"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(lms: Bench, wish: dict[str, Any]) -> None:
    answer = switch(lms, **wish)

    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert lms.get("/practice/modes").get_json() == {}


def test_the_page_switches_faults_on_and_off(lms: Bench, item: str) -> None:
    form = {"endpoint": "scores", "mode": "503", "times": "", "seconds": "5"}

    assert lms.browser.post("/practice/modes", data=form).status_code == 303
    lms.score(item, ADA)

    page = lms.get("/practice").get_data(as_text=True)
    assert "Zurzeit gestört" in page
    assert re.search(r"Antwort 503\s*<span class=\"tag\">Störung", page)
    lms.browser.post("/practice/modes", data={"endpoint": "all", "mode": "normal"})
    assert "Zurzeit gestört" not in lms.get("/practice").get_data(as_text=True)


def test_browser_pages_never_fail_on_demand(lms: Bench) -> None:
    switch(lms, endpoint="all", mode="500")
    lms.log_in(CURIE)

    assert lms.get(f"/as/{CURIE}/course/2").status_code == 200
