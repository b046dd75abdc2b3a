"""A whole school year: a course is used, copied in the LMS, taught again, and deleted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from lti_tool.core.db import Database, service_of
from lti_tool.launch.models import ResourceLink
from lti_tool.people.arrivals import Coming, active_registrations, know
from lti_tool.people.models import Course, Deployment, Platform
from lti_tool.people.roles import Role
from lti_tool.submissions.models import Submission
from tests.campus import ADA, BEN, BIO, CEM, CURIE, Campus, Visitor, open_campus
from tests.specs import sent_for, spec

OLD = "Aus dem alten Jahr: Die Pflanze braucht Licht."
NEW = "Aus dem neuen Jahr: Die Pflanze braucht Licht."
QUESTION = "Gemeinsam nutzen oder eigene Kopie?"


@pytest.fixture
def campus(database: Database) -> Campus:
    return open_campus(database)


@pytest.fixture
def curie(campus: Campus) -> Visitor:
    return campus.person(CURIE)


def first_year(campus: Campus, curie: Visitor) -> str:
    """Frau Curie's task, and Ada's work on it with its grade; returns the activity."""
    link_id = curie.adds(BIO, spec())
    assert campus.person(ADA).opens(link_id).hands_in(OLD).status_code == 200
    campus.works()
    assert "10" in campus.person(ADA).page(f"/course/{BIO}/gradebook")
    return link_id


def second_year(curie: Visitor, *pupils: str, **how: str) -> tuple[str, str]:
    """The course copied, and these pupils enrolled; returns its id and the activity's."""
    course_id = curie.copies(BIO, title="Bio 8b, neues Jahr", **how)
    for pupil in pupils:
        curie.does(f"/course/{course_id}/enrol", user=pupil)
    (link_id,) = curie.activities(course_id)
    return course_id, link_id


def test_a_year_later(campus: Campus, curie: Visitor):
    old_link = first_year(campus, curie)
    course_id, link_id = second_year(curie, ADA, BEN)

    # The new pupils can begin before the teacher has looked.
    ben = campus.person(BEN).opens(link_id)
    assert "Wozu braucht die Pflanze Licht?" in ben.gets().text
    again = campus.person(ADA).opens(link_id).says()
    assert OLD not in again
    assert "Versuch 1 von 3" in again

    # The teacher sees an empty course and is asked once.
    there = curie.opens(link_id)
    page = there.gets().text
    assert QUESTION in page
    assert "aus dem Kurs „Bio 8b“" in page
    assert "Ada Abel" not in _handed_in(page)
    copied = there.posts("overview/unit", use="copied").text
    assert "Dieser Kurs hat jetzt seine eigene Lerneinheit." in copied
    assert QUESTION not in there.gets().text

    # What she improves in the new course stays there.
    edit = re.search(r'href="[^"]*/content/tasks/([0-9a-f-]{36})"', copied)
    assert edit
    before = there.gets(f"content/tasks/{edit[1]}").text
    assert 'value="Wozu braucht die Pflanze Licht?"' in before
    there.posts(
        f"content/tasks/{edit[1]}",
        action="save",
        version="1",
        **sent_for(spec(title="Licht und Leben", unit_title="Neue Einheit")),
    )
    assert "Licht und Leben" in ben.gets().text
    assert "Licht und Leben" not in campus.person(ADA).opens(old_link).gets().text

    # Work and grades go into the new course's column.
    assert ben.hands_in(NEW).status_code == 200
    campus.works()
    assert "10" in campus.person(BEN).page(f"/course/{course_id}/gradebook")
    assert campus.syncs() == [("posted", None), ("posted", None)]
    assert "Ada Abel" in _handed_in(curie.opens(old_link).gets().text)
    assert "Ada Abel" not in _handed_in(curie.opens(link_id).gets().text)


def test_a_tool_registered_without_history_asks_all_the_same(database: Database):
    campus = open_campus(database, custom=())
    curie = campus.person(CURIE)
    first_year(campus, curie)
    _, link_id = second_year(curie, BEN)

    page = curie.opens(link_id).gets().text

    assert QUESTION in page
    assert "Eigene Kopie anlegen" in page  # she has taught there


def test_shared_is_shared_and_asked_no_more(campus: Campus, curie: Visitor):
    first_year(campus, curie)
    _, link_id = second_year(curie, BEN)
    there = curie.opens(link_id)

    shared = there.posts("overview/unit", use="shared").text

    assert "Die Lerneinheit wird gemeinsam genutzt." in shared
    assert QUESTION not in curie.opens(link_id).gets().text
    assert "Gemeinsam genutzte Lerneinheit aus dem Kurs „Bio 8b“" in there.gets().text
    assert "eigene Lerneinheit" in there.posts("overview/unit", use="copied").text


def test_pupils_are_not_asked_and_cannot_decide(campus: Campus, curie: Visitor):
    first_year(campus, curie)
    _, link_id = second_year(curie, BEN)
    ben = campus.person(BEN).opens(link_id)

    assert QUESTION not in ben.gets().text
    assert ben.posts("overview/unit", use="copied").status_code == 403


def test_a_decision_that_is_none_is_refused(campus: Campus, curie: Visitor):
    first_year(campus, curie)
    _, link_id = second_year(curie, BEN)

    assert curie.opens(link_id).posts("overview/unit", use="both").status_code == 400


def test_while_feedback_is_written_the_teacher_is_told_to_wait_a_little(
    campus: Campus, curie: Visitor
):
    first_year(campus, curie)
    _, link_id = second_year(curie, BEN)
    campus.person(BEN).opens(link_id).hands_in(NEW)
    there = curie.opens(link_id)

    assert "in ein paar Minuten noch einmal" in there.posts("overview/unit", use="copied").text
    assert QUESTION in there.gets().text
    campus.works()
    assert "eigene Lerneinheit" in there.posts("overview/unit", use="copied").text
    assert NEW in campus.person(BEN).opens(link_id).says()


def test_a_grade_that_moodle_restored_is_no_override(campus: Campus, curie: Visitor):
    """The course was copied with its people: their old grades stand in the new column."""
    first_year(campus, curie)
    course_id, link_id = second_year(curie, users="on")
    assert "10" in campus.person(ADA).page(f"/course/{course_id}/gradebook")
    campus.engine.levels = (1, 1)

    campus.person(ADA).opens(link_id).hands_in(NEW)
    campus.works()

    assert campus.syncs() == [("posted", None), ("posted", None)]
    book = campus.person(ADA).page(f"/course/{course_id}/gradebook")
    assert "4,6 / 10" in book
    assert OLD not in campus.person(ADA).opens(link_id).says()


def test_an_activity_deleted_in_moodle_costs_its_grades_the_way_and_nothing_else(
    campus: Campus, curie: Visitor
):
    link_id = curie.adds(BIO, spec())
    ada = campus.person(ADA).opens(link_id)
    ada.hands_in(OLD)
    curie.does(f"/activity/{link_id}/delete")

    campus.works()

    assert campus.syncs() == [("failed", "column_gone")]
    assert OLD in ada.says()
    campus.works()
    assert campus.syncs() == [("failed", "column_gone")]


def test_a_course_deleted_in_moodle_leaves_its_work_and_no_endless_tries(
    campus: Campus, curie: Visitor
):
    link_id = curie.adds(BIO, spec())
    ada = campus.person(ADA).opens(link_id)
    there = curie.opens(link_id)
    ada.hands_in(OLD)
    curie.does(f"/course/{BIO}/delete")

    campus.works()
    campus.works()

    assert campus.syncs() == [("failed", "column_gone")]
    assert "Ada Abel" in there.gets().text


def test_a_key_changed_at_the_platform_costs_one_fetch(campus: Campus, curie: Visitor):
    link_id = curie.adds(BIO, spec())
    known = len(campus.fetched)
    curie.opens(link_id)
    assert len(campus.fetched) == known

    campus.clock.passes(seconds=70)  # asked at most once a minute
    assert campus.lms.test_client().post("/practice/rotate-key").status_code == 200

    curie.opens(link_id)
    campus.person(ADA).opens(link_id)
    campus.person(BEN).opens(link_id)
    assert len(campus.fetched) == known + 1


def test_an_activity_restored_at_another_school_says_what_is_the_matter(
    campus: Campus, curie: Visitor
):
    """Moodle finds the tool by its address; the task is one of another platform."""
    link_id = curie.adds(BIO, spec())
    with campus.lms.extensions["practice_lms"].store.changing() as state:
        state.activities[link_id] = replace(
            state.activities[link_id],
            custom=(("task", "019b0000-0000-7000-8000-00000000dead"),),
        )

    page = curie.opens(link_id).gets().text

    assert "der Kurs kommt von einer anderen Lernplattform" in page


def test_history_is_kept_from_the_first_launch_that_tells_it(campus: Campus, curie: Visitor):
    with campus.database.begin(service_of(campus.platform_id)) as db:
        curie.adds(BIO, spec())
        course = db.scalars(select(Course)).one()
        deployment = db.get_one(Deployment, course.deployment_id)
        platform = db.get_one(Platform, campus.platform_id)
        (registration,) = active_registrations(db, platform.issuer, platform.client_id)
        for history, kept in (((), []), (("9", "8"), ["9", "8"]), (("7",), ["9", "8"])):
            told = Coming(
                deployment_id=deployment.deployment_id,
                context_id=BIO,
                title="Bio 8b",
                memberships_url=None,
                history=history,
                sub=ADA,
                name=None,
                role=Role.LEARNER,
            )
            know(db, registration, told)
            db.refresh(course)
            assert course.history == kept


def test_the_practice_lms_copies_a_copy_with_both_in_its_history(campus: Campus, curie: Visitor):
    first_year(campus, curie)
    course_id, _ = second_year(curie, CEM)
    third = curie.copies(course_id)
    (link_id,) = curie.activities(third)
    curie.opens(link_id)

    with campus.database.begin(service_of(campus.platform_id)) as db:
        course = db.scalars(select(Course).where(Course.context_id == third)).one()
        assert course.history == [course_id, BIO]
        assert len(db.scalars(select(Submission)).all()) == 1


def _handed_in(page: str) -> str:
    """The rows of those who have handed in."""
    return "".join(re.findall(r'<a id="row-[^"]*"[^>]*>[^<]*</a>', page))


def test_after_the_copy_the_column_is_found_by_the_name_that_moodle_keeps(
    campus: Campus, curie: Visitor
):
    """The column's resource id is the old task's; the launch did not tell its address."""
    first_year(campus, curie)
    course_id, link_id = second_year(curie, BEN)
    curie.opens(link_id).posts("overview/unit", use="copied")
    campus.person(BEN).opens(link_id).hands_in(NEW)
    store = campus.lms.extensions["practice_lms"].store
    with campus.database.begin(service_of(campus.platform_id)) as db:
        there = db.scalars(select(ResourceLink).where(ResourceLink.link_id == link_id)).one()
        there.lineitem_url = None
        assert there.named_id != there.content_id
    with store.changing() as state:
        (column,) = state.items_of(course_id)
        state.line_items[column.item_id] = replace(column, link_id=None)

    campus.works()

    with store.reading() as state:
        assert [item.item_id for item in state.items_of(course_id)] == [column.item_id]
    assert "10" in campus.person(BEN).page(f"/course/{course_id}/gradebook")


def test_what_an_activity_opens_does_not_change_behind_its_back(campus: Campus, curie: Visitor):
    """The third course was copied from the second before the second had a copy of its own."""
    first_year(campus, curie)
    second, link_id = second_year(curie, BEN)
    third = curie.copies(second)
    curie.does(f"/course/{third}/enrol", user=CEM)
    (late,) = curie.activities(third)
    campus.person(CEM).opens(late).hands_in(NEW)
    campus.works()

    curie.opens(link_id).posts("overview/unit", use="copied")

    assert NEW in campus.person(CEM).opens(late).says()
