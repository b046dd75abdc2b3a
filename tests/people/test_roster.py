"""The list of a course's members: when it is asked for, what it changes, and what it may not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from lti_tool import flows
from lti_tool.core.db import WORKER, service_of
from lti_tool.people import models, roster
from lti_tool.people.models import RosterFailure
from lti_tool.people.roles import Role
from lti_tool.people.roster_client import Member, MemberList
from lti_tool.people.roster_rules import next_try
from tests.classroom import ANSWER
from tests.entrance import INSTRUCTOR, LEARNER
from tests.fakes.http_server import Answer
from tests.fakes.moodle import TOKEN, page
from tests.fakes.school import open_school
from tests.schoolday import BIO, CURIE, PHYSICS, Person, SchoolDay, member, open_school_day

PATIENT = timedelta(seconds=10)  # nothing here is about a Moodle that is slow
TEACHER = member(CURIE, "Marie Curie", "Instructor")
ADA, BEN, CEM = (
    member("4", "Ada Abel"),
    member("5", "Ben Blau"),
    member("6", "Cem Çelik"),
)


@pytest.fixture
def day(database, postgres) -> Iterator[SchoolDay]:
    with open_school(deadline=PATIENT) as moodle:
        made = open_school_day(database, moodle, postgres)
        made.lists(TEACHER, ADA, BEN, CEM)
        yield made


@pytest.fixture
def curie(day: SchoolDay) -> Person:
    return day.curie()


def people(day: SchoolDay, columns: str = "m.active") -> dict[str, object]:
    rows = day.runs(
        f"SELECT p.sub, {columns} FROM memberships m JOIN persons p ON p.id = m.person_id"
        " JOIN courses c ON c.id = m.course_id WHERE c.context_id = '31'"
    )
    return {sub: rest[0] if len(rest) == 1 else tuple(rest) for sub, *rest in rows}


def state(day: SchoolDay, columns: str) -> tuple[object, ...]:
    (row,) = day.runs(
        f"SELECT {columns} FROM rosters r JOIN courses c ON c.id = r.course_id"
        " WHERE c.context_id = '31'"
    )
    return row


def the_night_is_far(day: SchoolDay) -> None:
    """So that what is counted by day is not counted at night, whenever this runs."""
    day.runs("UPDATE rosters SET due_at = now() + interval '12 hours'")


def somebody_waits(day: SchoolDay) -> bool:
    return bool(day.runs("SELECT 1 FROM pg_locks WHERE NOT granted"))


def counts(day: SchoolDay) -> dict[str, int]:
    """How many rows there are of all that belongs to people."""
    tables = ("persons", "memberships", "submissions", "drafts", "feedbacks", "launch_sessions")
    return {table: day.runs(f"SELECT count(*) FROM {table}")[0][0] for table in tables}


class TestWhenItIsAskedFor:
    def test_at_the_first_launch_even_if_it_is_a_pupils(self, day: SchoolDay):
        day.launches("4", "Ada Abel")

        day.works()

        assert len(day.asked()) == 1
        assert set(people(day)) == {CURIE, "4", "5", "6"}

    def test_more_pupils_cause_no_more_questions(self, day: SchoolDay):
        day.launches("4", "Ada Abel")
        day.launches("5", "Ben Blau")
        day.works()
        the_night_is_far(day)
        day.time_passes(hours=1)

        day.launches("6", "Cem Çelik")
        day.works()

        assert len(day.asked()) == 1

    def test_at_a_teachers_launch_if_the_last_answer_is_old(self, day: SchoolDay, curie: Person):
        day.works()
        the_night_is_far(day)
        day.time_passes(minutes=9)
        day.curie()
        day.works()
        assert len(day.asked()) == 1

        day.time_passes(minutes=2)
        day.curie()
        day.works()

        assert len(day.asked()) == 2

    def test_when_a_teacher_wants_it(self, day: SchoolDay, curie: Person):
        day.works()
        day.lists(TEACHER, ADA, BEN, CEM, member("7", "Dana Dorn"))

        answer = curie.sends("overview/roster")

        assert answer.location.endswith("/overview/?done=asked")
        shown = curie.reads("overview/?done=asked")
        assert "GUSTAV fragt Moodle, wer im Kurs ist." in shown
        assert "wird gerade aus Moodle geholt" in shown
        assert "Dana Dorn" not in shown
        day.works()
        shown = curie.reads("overview/")
        assert "Dana Dorn" in shown
        assert "Zuletzt aktualisiert: heute," in shown

    def test_who_presses_twice_asks_once(self, day: SchoolDay, curie: Person):
        day.works()

        for _ in range(2):
            assert curie.sends("overview/roster").status_code == 303
        day.works()

        assert len(day.asked()) == 2  # the first launch's, and this one

    def test_each_night_once(self, day: SchoolDay, curie: Person):
        day.works()

        for night in (1, 2, 3):
            day.time_passes(days=1, hours=2)
            day.works()
            day.works()
            assert len(day.asked()) == 1 + night

    def test_missed_nights_are_not_made_up_for(self, day: SchoolDay, curie: Person):
        """FLT-29: it did not strike at all for a while."""
        day.works()

        day.time_passes(days=5)
        for _ in range(3):
            day.works()

        assert len(day.asked()) == 2

    def test_two_workers_take_a_turn_once(self, day: SchoolDay, curie: Person):
        """FLT-29: the clock of two workers strikes at once."""
        day.works()
        day.time_passes(days=1)

        with ThreadPoolExecutor(4) as workers:
            for _ in workers.map(lambda _: flows.ask_for_due_rosters(day.database.begin), range(8)):
                pass

        kinds = day.runs("SELECT state FROM jobs WHERE kind = 'refresh_roster' ORDER BY id")
        assert kinds == [("done",), ("waiting",)]

    def test_a_turn_that_another_worker_has_taken_and_done_is_not_taken_again(
        self, day: SchoolDay, curie: Person
    ):
        day.works()
        day.time_passes(days=1, hours=2)
        with day.database.begin(WORKER) as db:
            ((platform_id, course_id),) = roster.due(db)
        day.works()

        with day.database.begin(service_of(platform_id)) as db:
            roster.take_turn(db, platform_id, course_id)
        day.works()

        assert len(day.asked()) == 2

    def test_not_in_a_course_that_nobody_opens_any_more_until_somebody_does(
        self, day: SchoolDay, curie: Person
    ):
        day.works()
        day.time_passes(days=61)
        day.works()  # this turn was planned when the course was still in use
        asked = len(day.asked())

        for _ in range(3):
            day.time_passes(days=1)
            day.works()
        assert len(day.asked()) == asked

        day.launches("4", "Ada Abel")
        day.works()
        assert len(day.asked()) == asked + 1

    def test_not_at_a_school_that_is_paused(self, day: SchoolDay, curie: Person):
        day.works()
        day.runs("UPDATE platforms SET state = 'paused'")

        day.time_passes(days=2)
        day.works()

        assert len(day.asked()) == 1

    def test_where_the_platform_offers_none_the_page_says_so(self, day: SchoolDay, curie: Person):
        day.runs("UPDATE courses SET memberships_url = NULL")

        shown = curie.reads("overview/")

        assert "Moodle gibt GUSTAV für diesen Kurs keine Teilnehmerliste." in shown
        assert "refresh-roster" not in shown
        assert curie.sends("overview/roster").status_code == 409


class TestWhenNoneComes:
    @pytest.mark.parametrize(
        ("answer", "failure", "words"),
        [
            (Answer(403, b"[]"), "not_allowed", "IMS LTI Names and Role Provisioning"),
            (Answer(404, b"[]"), "gone", "kennt die Teilnehmerliste dieses Kurses nicht mehr"),
            (Answer(400, b"[]"), "refused", "ohne einen Grund zu nennen"),
            (Answer(503), "unreachable", "nicht zu erreichen"),
            (
                Answer(302, headers={"Location": "/login"}),
                "address",
                "Sagen Sie der Administration",
            ),
            (Answer(200, b"<html>"), "unreadable", "keine vollständige Teilnehmerliste"),
            (
                page({"members": [{"user_id": str(n)} for n in range(10_001)]}),
                "too_many",
                "zu lang",
            ),
        ],
    )
    def test_the_page_says_why_and_everybody_stays(
        self, day: SchoolDay, curie: Person, answer: Answer, failure: str, words: str
    ):
        day.works()
        before = people(day)
        day.answers(answer)

        curie.sends("overview/roster")
        day.works()

        shown = curie.reads("overview/")
        assert f'data-message="{failure}"' in shown
        assert words in shown
        assert "Zuletzt aktualisiert" in shown
        assert people(day) == before

    def test_a_tool_without_the_scope_is_told_what_to_switch_on(self, day: SchoolDay):
        day.moodle.will_answer(TOKEN, Answer(400, b'{"error": "invalid_scope"}'))
        curie = day.curie()

        day.works()

        shown = curie.reads("overview/")
        assert 'data-message="not_allowed"' in shown
        assert "Die Teilnehmerliste kam noch nie an" in shown

    def test_an_unknown_key_is_told_apart(self, day: SchoolDay):
        day.moodle.will_answer(TOKEN, Answer(400, b'{"error": "invalid_client"}'))
        curie = day.curie()

        day.works()

        assert 'data-message="not_recognised"' in curie.reads("overview/")

    def test_what_passes_is_tried_again_by_itself(self, day: SchoolDay, curie: Person):
        day.answers(Answer(503))
        day.works()
        assert state(day, "failure, failures") == ("unreachable", 1)

        day.time_passes(minutes=2)
        day.works()

        assert len(day.asked()) == 2
        assert state(day, "failure, failures") == (None, 0)
        assert "Ben Blau" in curie.reads("overview/")

    @pytest.mark.parametrize(
        ("answer", "failure", "wait"),
        [
            (Answer(429, b"", {"Retry-After": "1200"}), RosterFailure.UNREACHABLE, 20),
            (Answer(403, b"[]"), RosterFailure.NOT_ALLOWED, None),
        ],
    )
    def test_when_the_next_try_is_the_rules_say(
        self, day: SchoolDay, curie: Person, answer: Answer, failure: RosterFailure, wait: int
    ):
        day.answers(answer)

        day.works()

        due_at, asked_at, course_id = state(day, "due_at, asked_at, c.id")
        asked_to_wait = timedelta(minutes=wait) if wait else None
        assert due_at == next_try(failure, 1, asked_at, course_id, asked_to_wait)

    def test_a_teacher_need_not_wait_for_the_next_try(self, day: SchoolDay, curie: Person):
        day.answers(Answer(403, b"[]"))
        day.works()

        curie.sends("overview/roster")
        day.works()

        assert "data-message" not in curie.reads("overview/")

    def test_a_surprise_does_not_go_round_for_ever(self, day: SchoolDay, curie: Person):
        day.runs("UPDATE platform_keys SET private_pem = 'garbage'")
        for _ in range(3):
            with pytest.raises(Exception, match="private key"):
                day.works()
            day.time_passes(hours=1)

        day.works()

        assert state(day, "failure") == ("unforeseen",)
        assert "etwas schiefgegangen" in curie.reads("overview/")


class TestWhoHasLeft:
    def test_is_shut_out_with_the_next_request_and_loses_nothing(
        self, day: SchoolDay, curie: Person
    ):
        """ATK-59: the check is made at each request, not at the launch."""
        ada = day.launches("4", "Ada Abel")
        ada.hands_in()
        day.works()
        before = counts(day)
        day.lists(TEACHER, BEN, CEM)
        curie.sends("overview/roster")
        day.works()

        answers = [
            ada.get("work/"),
            ada.browser.post(f"{ada.path}work/draft", {"text": "Noch ein langer Text"}),
        ]

        assert [answer.status_code for answer in answers] == [403, 403]
        for answer in answers:
            assert 'data-message="left"' in answer.text
            assert "Du bist in Moodle nicht mehr in diesem Kurs" in answer.text
        assert "Noch ein langer Text" in answers[1].text
        assert counts(day) == before

    def test_a_blocked_person_is_shut_out_likewise(self, day: SchoolDay, curie: Person):
        """ATK-59, by hand of the operator."""
        ada = day.launches("4", "Ada Abel")
        ada.hands_in()
        before = counts(day)

        day.runs("UPDATE persons SET blocked_at = now() WHERE sub = '4'")

        assert (ada.get("work/").status_code, counts(day)) == (403, before)

    def test_stands_apart_in_the_overview_with_their_work_readable(
        self, day: SchoolDay, curie: Person
    ):
        day.launches("4", "Ada Abel").hands_in()
        day.works()
        day.lists(TEACHER, BEN, CEM)
        curie.sends("overview/roster")
        day.works()

        here, gone = curie.reads("overview/").split("Nicht mehr im Kurs")

        assert "0 von 2" in here
        assert "Ada Abel" not in here.split('id="all-heading"')[1]
        assert "Ada Abel" in gone
        work = gone.split("/overview/work/")[1].split('"')[0]
        shown = curie.reads(f"overview/work/{work}")
        assert ANSWER[20:] in shown
        assert "nicht mehr im Kurs" in shown

    def test_comes_back_with_a_launch_and_is_as_before(self, day: SchoolDay, curie: Person):
        day.launches("4", "Ada Abel").hands_in()
        day.works()
        before = people(day, "m.number, m.role")
        day.lists(TEACHER, BEN, CEM)
        curie.sends("overview/roster")
        day.works()

        ada = day.launches("4", "Ada Abel")

        assert ANSWER[20:] in ada.reads("work/")
        assert people(day, "m.number, m.role") == before
        assert "Nicht mehr im Kurs" not in curie.reads("overview/")

    def test_comes_back_with_the_list_too(self, day: SchoolDay, curie: Person):
        ada = day.launches("4", "Ada Abel")
        day.works()
        for listed in ((TEACHER, BEN, CEM), (TEACHER, ADA, BEN, CEM)):
            day.lists(*listed)
            curie.sends("overview/roster")
            day.works()

        assert ada.get("work/").status_code == 200

    def test_is_gone_from_that_course_only(self, day: SchoolDay, curie: Person):
        """ATK-106: who is who is a matter of person and course."""
        day.lists(member(CURIE, "Marie Curie", "Instructor"), course=PHYSICS)
        bio = day.launches("4", "Ada Abel")
        physics = day.launches("4", "Ada Abel", INSTRUCTOR, PHYSICS)
        day.lists(TEACHER, BEN, CEM)
        curie.sends("overview/roster")

        day.works()

        assert bio.get("work/").status_code == 403
        assert physics.get("").status_code == 303
        back = day.launches("4", "Ada Abel")
        assert (back.role, physics.role) == ("learner", "instructor")
        assert back.get("overview/").status_code == 403

    def test_a_launch_after_the_question_outweighs_the_answer(self, day: SchoolDay, curie: Person):
        day.works()
        asked_at, course_id = state(day, "now(), c.id")
        ada = day.launches("4", "Ada Abel")
        listed = tuple(Member(s, Role.LEARNER, active=True, name=None) for s in ("5", "6"))

        with day.database.begin(service_of(day.house.platform_id)) as db:
            roster.keep(db, day.house.platform_id, course_id, asked_at, MemberList(listed))

        assert ada.get("work/").status_code == 200

    def test_without_a_list_that_says_so_nobody_has_left(self, day: SchoolDay, curie: Person):
        ada = day.launches("4", "Ada Abel")
        day.works()
        day.answers(Answer(503))
        curie.sends("overview/roster")
        day.works()

        assert ada.get("work/").status_code == 200


class TestWhoTeaches:
    def test_a_non_editing_teacher_stays_one_though_the_list_says_learner(self, day: SchoolDay):
        day.lists(TEACHER, member("12", "Emil Ohm", "Learner"), ADA)
        curie, ohm = day.curie(), day.launches("12", "Emil Ohm", INSTRUCTOR)

        day.works()

        assert people(day, "m.role")["12"] == "instructor"
        assert ohm.get("overview/").status_code == 200
        assert "Emil Ohm" not in curie.reads("overview/")

    def test_also_when_they_had_been_away(self, day: SchoolDay, curie: Person):
        day.launches("12", "Emil Ohm", INSTRUCTOR)
        for status in ("Inactive", "Active"):
            day.lists(TEACHER, ADA, BEN, CEM, {**member("12", "Emil Ohm"), "status": status})
            curie.sends("overview/roster")
            day.works()

        assert people(day, "m.active, m.role")["12"] == (True, "instructor")

    def test_a_pupil_is_not_made_a_teacher_by_the_list(self, day: SchoolDay, curie: Person):
        day.lists(TEACHER, member("4", "Ada Abel", "Instructor"))
        ada = day.launches("4", "Ada Abel")

        day.works()

        assert people(day, "m.role")["4"] == "learner"
        assert ada.get("overview/").status_code == 403

    def test_an_administrator_whom_the_list_leaves_out_keeps_access(
        self, day: SchoolDay, curie: Person
    ):
        admin = day.launches("1", "Ada Admin", INSTRUCTOR)
        day.time_passes(days=1)

        day.works()

        assert people(day)["1"] is True
        assert admin.get("overview/").status_code == 200

    def test_a_teacher_whom_the_list_calls_inactive_has_none(self, day: SchoolDay, curie: Person):
        ohm = day.launches("12", "Emil Ohm", INSTRUCTOR)
        day.lists(TEACHER, ADA, BEN, CEM, member("12", "Emil Ohm", status="Inactive"))
        curie.sends("overview/roster")

        day.works()

        assert ohm.get("overview/").status_code == 403

    def test_a_teacher_who_becomes_a_pupil_loses_the_old_session_with_the_new_launch(
        self, day: SchoolDay, curie: Person
    ):
        """ATK-60: the role hangs on the launch."""
        before = counts(day)

        again = day.launches(CURIE, "Marie Curie", LEARNER)

        assert curie.get("overview/").status_code == 401
        assert again.get("overview/").status_code == 403
        assert again.get("work/").status_code == 200
        assert counts(day) == before | {"launch_sessions": before["launch_sessions"] + 1}


class TestWithoutNames:
    @pytest.fixture
    def day(self, day: SchoolDay) -> SchoolDay:
        day.moodle.moodle.share_names = False
        return day

    def test_the_whole_way_is_gone_with_numbers(self, day: SchoolDay):
        curie, ada = day.curie(), day.launches("4")
        day.works()
        ada.hands_in()
        day.works()

        number = people(day, "m.number")["4"]
        shown = curie.reads("overview/")
        assert f"Schüler/in {number}</a>" in shown
        work = shown.split("/overview/work/")[1].split('"')[0]
        assert f"<h1>Schüler/in {number}</h1>" in curie.reads(f"overview/work/{work}")
        assert shown.count("noch nichts abgegeben") == 2
        assert day.runs("SELECT count(*) FROM persons WHERE name IS NOT NULL") == [(0,)]
        assert "1 von 3" in shown

    def test_numbers_are_given_once(self, day: SchoolDay, curie: Person):
        day.works()
        before = people(day, "m.number")
        day.lists(member("7", "Dana Dorn"), CEM, BEN, TEACHER)
        curie.sends("overview/roster")
        day.works()

        now = people(day, "m.number")

        assert sorted(now.values()) == [1, 2, 3, 4, 5]
        assert before.items() <= now.items()

    def test_the_database_changes_no_number(self, day: SchoolDay, curie: Person):
        with pytest.raises(Exception, match="does not change"):
            day.runs("UPDATE memberships SET number = 99")

    def arrive(self, day: SchoolDay, db: Session, sub: str) -> None:
        course_id, platform_id = day.runs("SELECT id, platform_id FROM courses")[0]
        person = models.Person(platform_id=platform_id, sub=sub)
        db.add(person)
        db.flush()
        coming = models.Membership(course_id=course_id, person_id=person.id, role=Role.LEARNER)
        coming.platform_id = platform_id
        db.add(coming)
        db.flush()

    def test_two_who_come_at_once_wait_for_each_other(self, day: SchoolDay, curie: Person):
        actor = service_of(day.house.platform_id)

        def second() -> None:
            with day.database.begin(actor) as db:
                self.arrive(day, db, "8")

        with ThreadPoolExecutor(1) as other:
            with day.database.begin(actor) as db:
                self.arrive(day, db, "7")
                coming = other.submit(second)
                while not somebody_waits(day):
                    assert not coming.done()
            coming.result()

        assert people(day, "m.number") == {CURIE: 1, "7": 2, "8": 3}

    def test_a_list_waits_for_whoever_is_just_being_given_a_number(
        self, day: SchoolDay, curie: Person
    ):
        with ThreadPoolExecutor(1) as worker:
            with day.database.begin(service_of(day.house.platform_id)) as db:
                self.arrive(day, db, "7")
                working = worker.submit(day.works)
                while not somebody_waits(day):
                    assert not working.done()
            working.result()

        assert sorted(people(day, "m.number").values()) == [1, 2, 3, 4, 5]

    def test_numbers_do_not_follow_the_order_of_the_list(self, day: SchoolDay, curie: Person):
        """Moodle sorts by family name; so would the numbers, and say more than they should."""
        listed = [str(sub) for sub in range(100, 130)]
        day.lists(TEACHER, *(member(sub, "") for sub in listed))

        day.works()

        numbers = people(day, "m.number")
        assert sorted(listed, key=lambda sub: numbers[sub]) != listed


def test_names_that_are_no_longer_shared_are_forgotten_also_of_those_who_left(
    day: SchoolDay, curie: Person
):
    day.works()
    day.lists(TEACHER, BEN, CEM)
    curie.sends("overview/roster")
    day.works()
    assert "Ben Blau" in curie.reads("overview/")

    day.moodle.moodle.share_names = False
    curie.sends("overview/roster")
    day.works()

    assert day.runs("SELECT sub FROM persons WHERE name IS NOT NULL") == []
    assert "Ben Blau" not in curie.reads("overview/")


class TestDoubt:
    @pytest.fixture
    def ada(self, day: SchoolDay, curie: Person) -> Person:
        day.lists(TEACHER, *(member(str(sub), f"Kind {sub}") for sub in range(4, 24)))
        ada = day.launches("4", "Kind 4")
        day.works()
        return ada

    @pytest.mark.parametrize("left", [0, 9])
    def test_most_of_a_class_does_not_leave_at_once(
        self, day: SchoolDay, curie: Person, ada: Person, left: int
    ):
        day.lists(*(member(str(sub), f"Kind {sub}") for sub in range(23, 23 - left, -1)))
        curie.sends("overview/roster")

        day.works()

        assert all(people(day).values())
        assert ada.get("work/").status_code == 200
        assert "GUSTAV fragt stündlich nach" in curie.reads("overview/")

    def test_half_a_class_may(self, day: SchoolDay, curie: Person, ada: Person):
        day.lists(TEACHER, *(member(str(sub), f"Kind {sub}") for sub in range(14, 24)))
        curie.sends("overview/roster")

        day.works()

        assert ada.get("work/").status_code == 403

    def test_nor_do_the_last_of_a_small_course_with_an_empty_list(
        self, day: SchoolDay, curie: Person
    ):
        ada = day.launches("4", "Ada Abel")
        day.works()
        day.lists()
        curie.sends("overview/roster")

        day.works()

        assert ada.get("work/").status_code == 200

    def test_who_is_new_on_a_doubtful_list_is_welcome_all_the_same(
        self, day: SchoolDay, curie: Person, ada: Person
    ):
        day.lists(TEACHER, member("77", "Neues Kind"))
        curie.sends("overview/roster")

        day.works()

        assert "Neues Kind" in curie.reads("overview/")

    def test_a_platform_that_stands_by_it_for_six_hours_is_believed(
        self, day: SchoolDay, curie: Person, ada: Person
    ):
        day.lists(TEACHER)
        curie.sends("overview/roster")
        day.works()
        asked = len(day.asked())
        for _ in range(5):
            day.time_passes(minutes=61)
            day.works()
        assert len(day.asked()) == asked + 5
        assert ada.get("work/").status_code == 200

        day.time_passes(minutes=61)
        day.works()

        assert ada.get("work/").status_code == 403
        assert state(day, "failure, doubted_since") == (None, None)

    def test_a_better_list_in_between_ends_the_doubt(
        self, day: SchoolDay, curie: Person, ada: Person
    ):
        whole = day.moodle.moodle.rosters[BIO]
        for listed in ([TEACHER], whole, [TEACHER]):
            day.lists(*listed)
            day.time_passes(hours=7)
            curie.sends("overview/roster")
            day.works()

        assert ada.get("work/").status_code == 200


class TestAskingOnlyForChanges:
    @pytest.fixture
    def day(self, day: SchoolDay) -> SchoolDay:
        day.moodle.moodle.roster_headers = {"ETag": '"1"'}
        return day

    def conditions(self, day: SchoolDay) -> list[str | None]:
        return [seen.headers["If-None-Match"] for seen in day.asked()]

    def test_what_the_platform_gave_is_sent_with_the_next_question(
        self, day: SchoolDay, curie: Person
    ):
        day.works()
        before = people(day, "m.active, m.number, m.role")
        day.time_passes(days=1)
        day.works()
        day.time_passes(days=1)
        day.works()

        assert self.conditions(day) == [None, '"1"', '"1"']
        assert people(day, "m.active, m.number, m.role") == before
        assert state(day, "kept_at > now() - interval '1 minute'") == (True,)

    def test_after_a_launch_of_somebody_else_it_is_asked_for_in_full(
        self, day: SchoolDay, curie: Person
    ):
        """ "Unchanged" would leave in the course whoever came and went between two lists."""
        day.works()
        stranger = day.launches("99", "Zu Besuch")
        day.time_passes(days=1)

        day.works()

        assert self.conditions(day) == [None, None]
        assert stranger.get("work/").status_code == 403


def test_a_hostile_list_is_harmless(day: SchoolDay, curie: Person):
    """ATK-120."""
    day.lists(
        TEACHER,
        member("4", "<script>alert(1)</script>"),
        member("5", "x" * 10_000),
        member("6", "Eva\u202eadA"),
        member("7", "Nie Da", status="Deleted"),
        member("8", "Auch Nicht", status="Inactive"),
        member("9", "Erika Erfunden", "http://evil.example/roles#SuperInstructor"),
        member("x" * 300, "Zu Lang"),
        {"user_id": None},
        {"user_id": "4", "name": "Noch Einmal", "roles": {}},
    )

    day.works()

    page_ = curie.get("overview/").text
    assert "&lt;script&gt;alert(1)" in page_
    assert "<script>alert" not in page_
    assert "x" * 201 not in page_
    assert "\u202e" not in page_
    assert people(day, "m.role") == {
        CURIE: "instructor",
        **dict.fromkeys(("4", "5", "6", "9"), "learner"),
    }


def test_ten_thousand_members_are_kept_in_one_go_and_cost_nothing_when_nothing_is_new(
    day: SchoolDay, curie: Person
):
    """ATK-112: as many as are accepted at all."""
    day.lists(*(member(str(sub), f"Kind {sub}") for sub in range(10_000)))
    written = "SELECT md5(string_agg(xmin::text, ',' ORDER BY id)) FROM {}"

    day.works()

    assert len(day.asked()) == 50
    assert day.runs("SELECT count(*), count(DISTINCT number) FROM memberships") == [
        (10_000, 10_000)
    ]
    before = [day.runs(written.format(table)) for table in ("persons", "memberships")]
    curie.sends("overview/roster")
    day.works()
    assert len(day.asked()) == 100
    assert [day.runs(written.format(table)) for table in ("persons", "memberships")] == before
