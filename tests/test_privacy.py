"""Names, answers and secrets stay where they belong: seeded all along the way, looked for outside.

Canaries are words that occur nowhere else; each test names the places they may be in.
"""

import json
import logging
from uuid import uuid4

import pytest
from sqlalchemy import select

from config.logs import configure_logs
from lti_tool.core import bell, jobs
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import JobKind
from lti_tool.people.models import Person
from tests.classroom import FakeEngine, open_classroom
from tests.entrance import INSTRUCTOR, activity, open_house
from tests.fakes.school import School as MoodleSite
from tests.fakes.school import open_school
from tests.specs import spec
from tests.workbench import open_bench

NAME = "Zwetschgenkuchen Kanari"
ANSWER = "Der Kanarienvogel Pfifferling singt im Licht."
NOTES = "Lösungswort Quittenbrot."


@pytest.fixture
def moodle():
    with open_school() as site:
        yield site


@pytest.fixture
def everything_logged(capfd):
    """All that web and worker would write, at the most talkative level there is."""
    configure_logs("json")
    logging.getLogger().setLevel(logging.DEBUG)
    yield lambda: "".join(capfd.readouterr())
    logging.getLogger().setLevel(logging.WARNING)


def assert_silent_about(text: str, *canaries: str) -> None:
    for canary in canaries:
        for word in canary.split():
            if len(word) > 8:
                assert word not in text


def test_a_launch_logs_no_name_no_token_and_no_return_address(database, everything_logged):
    house = open_house(database)
    browser = house.browser()
    claims = activity(house.lms, INSTRUCTOR, name=NAME)
    claims |= {"given_name": NAME, "family_name": NAME}

    path = browser.arrives(claims)
    browser.get(path, follow_redirects=True)
    browser.launches(claims | {"exp": 0})
    browser.post("/lti/launch", {"state": "x", "id_token": NAME})

    written = everything_logged()
    assert "launch refused" in written
    secret = browser.client.get_cookie(
        "gustav_session", "gustav.schule.example", path.rstrip("/")
    ).value
    assert_silent_about(written, NAME, "sesskey=abc", secret, "eyJ0eXAiOiJKV1Qi")


def test_from_handing_in_to_the_gradebook_nothing_personal_is_logged(
    database, moodle: MoodleSite, postgres, everything_logged
):
    bench = open_bench(open_classroom(database, spec(solution_notes=NOTES)), moodle, postgres)
    with database.begin(bench.room.service) as db:
        db.scalars(select(Person).where(Person.sub == "4")).one().name = NAME
    bench.room.ada.hands_in(ANSWER)

    bench.works_on()

    assert len(bench.moodle.moodle.received) == 1
    written = everything_logged()
    assert "job done" in written
    token = next(iter(bench.moodle.moodle.tokens))
    assert_silent_about(written, NAME, ANSWER, NOTES, "Erkläre, was mit der Energie")
    assert f"Bearer {token}" not in written


def test_a_surprise_is_logged_by_its_kind_and_place_without_its_words(
    database, moodle: MoodleSite, postgres, everything_logged
):
    bench = open_bench(open_classroom(database), moodle, postgres)
    bench.engine.error = ValueError(f"cannot parse: {ANSWER}")
    bench.room.ada.hands_in(ANSWER)

    with pytest.raises(ValueError, match="cannot parse"):
        bench.works()

    with database.begin(WORKER) as db:
        job = db.scalars(select(jobs.Job)).one()
    assert job.last_error == "ValueError"
    assert_silent_about(everything_logged(), ANSWER)


def test_the_engine_is_told_no_name_no_course_and_no_id(database, moodle: MoodleSite, postgres):
    bench = open_bench(open_classroom(database), moodle, postgres)
    with database.begin(bench.room.service) as db:
        db.scalars(select(Person).where(Person.sub == "4")).one().name = NAME
    submission = bench.room.ada.hands_in(ANSWER)

    bench.works_on()

    engine: FakeEngine = bench.engine
    told = repr(engine.asked) + engine.asked[0].answer + engine.asked[0].solution_notes
    assert_silent_about(told, NAME, "Bio 8b", str(submission.id), str(submission.person_id))


def test_a_bell_carries_an_id_and_nothing_else():
    job_id = uuid4()

    message = json.loads(bell.message(JobKind.GIVE_FEEDBACK.value, job_id).encode())

    assert message["args"] == [str(job_id)]
    assert message["kwargs"] == {}
    assert message["options"] == {}
