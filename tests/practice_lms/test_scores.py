"""Scores and results over HTTP: Moodle's status codes, reason phrases and bodies."""

import json
from typing import Any

import pytest

from tests.practice_lms.bench import (
    ADA,
    ASSISTANT,
    BASE,
    BEN,
    COURSE,
    CURIE,
    LINE_ITEM,
    RESULTS,
    SCORE,
    Bench,
    with_assistant,
)


@pytest.fixture
def item(lms: Bench) -> str:
    return lms.item_url(lms.add_activity(maximum=20))


def override(lms: Bench, item: str, **form: str) -> None:
    lms.log_in(CURIE)
    path = f"/as/{CURIE}/grades/{item.split('/')[-2]}/{ADA}"
    assert lms.browser.post(path, data=form).status_code == 303


def test_a_score_is_stored_scaled_and_can_be_read_back(lms: Bench, item: str) -> None:
    answer = lms.score(item, scoreGiven=8, scoreMaximum=10)

    assert (answer.status_code, answer.data) == (200, b"")
    bare = item.partition("?")[0]
    assert lms.results(item) == [
        {
            "id": f"{bare}/results?type_id=7&user_id={ADA}",
            "userId": ADA,
            "resultScore": 16.0,
            "resultMaximum": 20.0,
            "comment": "Gut erklärt.",
            "scoreOf": f"{bare}?type_id=7",
            "timestamp": "2026-11-23T08:00:00+00:00",
        }
    ]


def test_results_can_be_asked_for_one_person(lms: Bench, item: str) -> None:
    lms.score(item, ADA)
    lms.score(item, BEN)

    assert [row["userId"] for row in lms.results(item, f"&user_id={BEN}")] == [BEN]
    assert len(lms.results(item)) == 2


def test_a_cleared_grade_has_no_result_score(lms: Bench, item: str) -> None:
    lms.score(item)
    lms.clock.pass_by(1)

    lms.score(item, gradingProgress="PendingManual", comment="Ich sehe es mir an.")

    [row] = lms.results(item)
    assert set(row) == {"id", "userId"}


def test_a_cell_that_was_emptied_is_not_listed_at_all(lms: Bench, item: str) -> None:
    lms.score(item, gradingProgress="Pending", comment=None)

    assert lms.results(item) == []


def test_results_with_limit_and_type_crash_as_in_moodle(lms: Bench, item: str) -> None:
    answer = lms.call("GET", item.replace("?", "/results?") + "&limit=5", RESULTS)

    assert (answer.status_code, answer.mimetype) == (404, "text/html")


@pytest.mark.parametrize("user", ["999", CURIE, ASSISTANT])
def test_only_pupils_of_the_course_can_be_graded(user: str) -> None:
    lms = with_assistant()
    item = lms.item_url(lms.add_activity())

    answer = lms.score(item, user, comment="Größe\nzählt")

    assert (answer.status_code, answer.data) == (400, b"[]")
    reason = answer.status.encode("latin-1").decode()
    assert reason.startswith("400 Incorrect score received{")
    assert json.loads(reason.partition("received")[2])["comment"] == "Größe\nzählt"


def test_a_score_without_a_timestamp_is_quoted_back(lms: Bench, item: str) -> None:
    answer = lms.score(item, timestamp=None)

    assert (answer.status_code, answer.data) == (400, b"[]")
    assert "Incorrect score received" in answer.status


def test_a_user_id_that_is_no_number_gets_an_invalid_status_line(lms: Bench, item: str) -> None:
    answer = lms.score(item, "ada")

    assert answer.status.split()[0] == "0"


def test_a_second_score_in_the_same_second_conflicts(lms: Bench, item: str) -> None:
    assert lms.score(item).status_code == 200
    lms.clock.pass_by(0.9)
    again = lms.score(item, scoreGiven=9)
    lms.clock.pass_by(0.2)
    later = lms.score(item, scoreGiven=9)

    assert (again.status_code, again.data) == (409, b"[]")
    assert again.status.startswith("409 Refusing score with an earlier timestamp for item")
    assert later.status_code == 200


def test_a_clock_that_is_behind_conflicts_with_the_time_of_arrival(lms: Bench, item: str) -> None:
    lms.score(item, timestamp="2026-11-23T07:00:00Z")
    lms.clock.pass_by(60)

    answer = lms.score(item, timestamp="2026-11-23T07:01:00Z", scoreGiven=1)

    assert answer.status_code == 409


def test_an_override_answers_200_and_stays(lms: Bench, item: str) -> None:
    override(lms, item, points="3,5", feedback="Nachgesehen")
    lms.clock.pass_by(5)

    assert lms.score(item).status_code == 200

    [row] = lms.results(item)
    assert (row["resultScore"], row["comment"]) == (3.5, "Nachgesehen")
    override(lms, item, action="release")
    lms.clock.pass_by(5)
    lms.score(item)
    assert lms.results(item)[0]["resultScore"] == 16.0


def test_a_locked_grade_answers_500_until_it_is_unlocked(lms: Bench, item: str) -> None:
    override(lms, item, action="lock")
    locked = lms.score(item)
    override(lms, item, action="unlock")

    assert (locked.status_code, locked.data) == (500, b"[]")
    assert lms.score(item).status_code == 200


def test_a_locked_column_answers_500_for_everybody(lms: Bench, item: str) -> None:
    lms.log_in(CURIE)
    path = f"/as/{CURIE}/columns/{item.split('/')[-2]}"

    lms.browser.post(path, data={"action": "lock"})
    locked = lms.score(item, BEN)
    lms.browser.post(path, data={"action": "unlock"})

    assert locked.status_code == 500
    assert lms.score(item, BEN).status_code == 200


@pytest.mark.parametrize("media", ["application/json", f"{SCORE}; charset=utf-8", LINE_ITEM, ""])
def test_only_the_exact_media_type_finds_a_handler(lms: Bench, item: str, media: str) -> None:
    answer = lms.call("POST", item.replace("?", "/scores?"), media, {})

    assert answer.status_code == 400
    assert "No handler found" in answer.status
    assert answer.get_json()["status"] == 400


@pytest.mark.parametrize("accept", ["application/json", "*/*", f"{RESULTS}, */*"])
def test_results_want_their_own_accept_header(lms: Bench, item: str, accept: str) -> None:
    answer = lms.call("GET", item.replace("?", "/results?"), accept)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("course", "item_id"), [(COURSE, "999"), ("3", "5")], ids=["no such item", "no such course"]
)
def test_unknown_places_are_404(lms: Bench, course: str, item_id: str) -> None:
    url = f"{BASE}/services/{course}/lineitems/{item_id}/lineitem?type_id=7"

    assert lms.score(url).status_code == 404
    assert lms.score(url, timestamp=None).status_code == 404
    assert lms.score(url, "ada").status_code == 404


def test_the_ledger_holds_every_score_that_came(lms: Bench, item: str) -> None:
    lms.score(item, comment="eins")
    lms.score(item, comment="zwei")
    lms.score(item, "999", comment="drei")
    lms.call("POST", item.replace("?", "/scores?"), SCORE, b"{kein JSON")

    rows: list[dict[str, Any]] = lms.get("/practice/ledger").get_json()
    assert [(row["comment"], row["status"], row["stored"]) for row in rows] == [
        ("eins", 200, True),
        ("zwei", 409, False),
        ("drei", 400, False),
        (None, 400, False),
    ]
    assert (rows[0]["user"], rows[0]["given"], rows[0]["max"]) == (ADA, 8, 10)
    assert rows[0]["time"] == "2026-11-23T08:00:00+00:00"
