"""Courses copied, filled and deleted, as Moodle 4.5 was seen to do it."""

import html
import re
from pathlib import Path

import pytest

from tests.practice_lms.bench import ADA, BEN, CLAIM, COURSE, CURIE, Bench

HISTORY = {"history": "$Context.id.history", "task": "t-1"}


@pytest.fixture
def lms() -> Bench:
    return Bench()


def copied(lms: Bench, course: str = COURSE, **sent: str) -> str:
    """Returns the id of the copy."""
    answer = lms.browser.post(f"/as/{CURIE}/course/{course}/copy", data=sent)
    assert answer.status_code == 303
    return str(answer.location).rsplit("/", 1)[1]


def activities(lms: Bench, course: str) -> list[str]:
    page = lms.get(f"/as/{CURIE}/course/{course}").get_data(as_text=True)
    return re.findall(r'/activity/(\d+)"', page)


def test_a_copy_has_new_ids_and_the_old_custom_parameters(lms: Bench) -> None:
    old = lms.add_activity(custom=HISTORY, lineItem={"scoreMaximum": 10, "tag": "x"})
    lms.log_in(CURIE)
    course = copied(lms, title="Bio 9a")
    (new,) = activities(lms, course)

    claims = lms.claims(lms.begin_launch(CURIE, new))

    assert len({old, new, course, COURSE}) == 4
    assert claims[f"{CLAIM}/context"]["title"] == "Bio 9a"
    assert claims[f"{CLAIM}/resource_link"]["id"] == new
    assert claims[f"{CLAIM}/custom"] == {"history": COURSE, "task": "t-1"}
    endpoint = claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]
    assert f"/{course}/lineitems/" in endpoint["lineitem"]


def test_a_columns_tag_and_resource_id_are_kept_and_it_hangs_on_the_new_activity(
    lms: Bench,
) -> None:
    item = {"scoreMaximum": 10, "tag": "gustav", "resourceId": "t-1"}
    lms.add_activity(lineItem=item)
    course = copied(lms)

    state = lms.app.extensions["practice_lms"].store
    with state.reading() as now:
        (column,) = now.items_of(course)

    assert (column.tag, column.resource_id) == ("gustav", "t-1")
    assert column.link_id == column.column_of == activities(lms, course)[0]


def test_a_copy_of_a_copy_names_both_nearest_first(lms: Bench) -> None:
    lms.add_activity(custom=HISTORY)
    second = copied(lms)
    third = copied(lms, second)

    claims = lms.claims(lms.begin_launch(CURIE, activities(lms, third)[0]))

    assert claims[f"{CLAIM}/custom"]["history"] == f"{second},{COURSE}"


def test_without_users_only_the_teachers_come_and_pupils_are_enrolled_anew(lms: Bench) -> None:
    lms.add_activity()
    course = copied(lms)
    (link,) = activities(lms, course)
    lms.log_in(ADA, BEN)
    assert lms.get(f"/as/{ADA}/activity/{link}").status_code == 403

    lms.browser.post(f"/as/{CURIE}/course/{course}/enrol", data={"user": ADA})

    assert lms.get(f"/as/{ADA}/activity/{link}").status_code == 200
    assert lms.get(f"/as/{BEN}/activity/{link}").status_code == 403


def test_with_users_their_grades_stand_in_the_new_column(lms: Bench) -> None:
    lms.score(lms.item_url(lms.add_activity()))
    lms.log_in(CURIE)
    course = copied(lms, users="on")
    item = lms.item_url(activities(lms, course)[0])

    assert [(row["userId"], row["resultScore"]) for row in lms.results(item)] == [(ADA, 8.0)]
    lms.clock.pass_by(2)
    assert lms.score(item, scoreGiven=5).status_code == 200
    assert [row["resultScore"] for row in lms.results(item)] == [5.0]


def test_without_users_no_grade_travels(lms: Bench) -> None:
    lms.score(lms.item_url(lms.add_activity()))
    lms.log_in(CURIE)
    course = copied(lms)
    lms.browser.post(f"/as/{CURIE}/course/{course}/enrol", data={"user": ADA})

    assert lms.results(lms.item_url(activities(lms, course)[0])) == []


def test_a_deleted_course_takes_everything_along(lms: Bench) -> None:
    item = lms.item_url(lms.add_activity())
    lms.log_in(CURIE)

    lms.browser.post(f"/as/{CURIE}/course/{COURSE}/delete")

    assert lms.get(f"/as/{CURIE}/course/{COURSE}").status_code == 404
    assert lms.score(item).status_code == 404
    assert lms.call("GET", f"/services/{COURSE}/lineitems", "").status_code in (400, 404)


def test_copies_and_deletions_survive_a_restart(tmp_path: Path) -> None:
    lms = Bench(data_dir=tmp_path)
    lms.add_activity()
    course = copied(lms, title="Bio 9a")
    lms.browser.post(f"/as/{CURIE}/course/{COURSE}/delete")

    lms.start()
    lms.log_in(CURIE)

    assert len(activities(lms, course)) == 1
    assert lms.get(f"/as/{CURIE}/course/{COURSE}").status_code == 404


@pytest.mark.parametrize("what", ["copy", "enrol", "delete"])
def test_pupils_can_do_none_of_it(lms: Bench, what: str) -> None:
    lms.log_in(ADA)

    answer = lms.browser.post(f"/as/{ADA}/course/{COURSE}/{what}", data={"user": ADA})

    assert answer.status_code == 403


def test_only_copies_take_people_in(lms: Bench) -> None:
    lms.log_in(CURIE)

    answer = lms.browser.post(f"/as/{CURIE}/course/{COURSE}/enrol", data={"user": ADA})

    assert answer.status_code == 409
    assert "Nur in kopierte Kurse" in html.unescape(answer.get_data(as_text=True))
