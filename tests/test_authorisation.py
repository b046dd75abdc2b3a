"""Who gets which answer on every route: the authorisation matrix, forms, headers, safe GETs.

A route without a row in the matrix fails here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from lti_tool.content.service import create_task
from lti_tool.core.db import service_of
from lti_tool.grades.models import GradeSync, SyncState
from lti_tool.launch.claims import ROLES
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import assessment, drafts
from lti_tool.submissions.drafts import Typed
from lti_tool.submissions.models import Submission
from lti_tool.uploads.service import announce
from lti_tool.web import create_app
from tests.classroom import ANSWER, SCORES, FakeEngine, page_of
from tests.entrance import (
    INSTRUCTOR,
    LEARNER,
    Browser,
    House,
    activity,
    open_house,
    register,
    session_path,
    settings_of,
)
from tests.fakes.platform import FakePlatform
from tests.operator.access import OPERATORS
from tests.operator.office import Operator
from tests.specs import FOTOSYNTHESE

ADMINISTRATOR = (
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
    "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
)
ACTORS = (
    "owner",  # Ada, at her own work
    "classmate",
    "pupil_elsewhere",  # another course of the school
    "teacher",
    "teacher_elsewhere",
    "other_school",  # a teacher there
    "stranger",  # no session at all
    "school_admin",  # Moodle's administrator, who comes into every course as a teacher of it
    "operator",  # of the tool, at the operator's pages; has launched nowhere
)
# Whose column the last two share: the rights come from the launch, and from nothing else.
SAME_AS = {"school_admin": "teacher", "operator": "stranger"}

# Status per actor, in the order of ACTORS, but for the last two. A redirect is 303. What is not
# theirs is 404, what their role may never do is 403, and without a session there is 401.
TEACHERS_PAGE = (403, 403, 403, 200, 404, 404, 401)
TEACHERS_ACT = (403, 403, 403, 303, 404, 404, 401)
PUPILS_HERE = (200, 200, 200, 403, 403, 403, 401)
PUPILS_ACT = (303, 303, 303, 403, 403, 403, 401)
PUPILS_PAGE = (200, 200, 404, 403, 403, 403, 401)
TEACHERS_OWN_COURSE = (403, 403, 403, 200, 200, 200, 401)
NOT_IN_DEEP_LINKING = (403, 403, 403, 404, 404, 404, 401)
MATRIX: dict[str, tuple[int, ...]] = {
    "start.start": (303, 303, 303, 303, 303, 303, 401),
    "content.pick": NOT_IN_DEEP_LINKING,
    "content.choose": NOT_IN_DEEP_LINKING,
    "content.new": TEACHERS_OWN_COURSE,
    "content.create": (403, 403, 403, 422, 422, 422, 401),
    "content.edit": TEACHERS_PAGE,
    "content.change": (403, 403, 403, 422, 404, 404, 401),
    "content.missing": (200, 200, 200, 200, 200, 200, 401),
    "work.task": PUPILS_PAGE,
    "work.hand_in": (303, 303, 404, 403, 403, 403, 401),
    "work.draft": (303, 303, 303, 403, 403, 403, 401),
    "work.newer": (204, 204, 204, 403, 403, 403, 401),
    "work.older": PUPILS_PAGE,
    "work.restore": (303, 404, 404, 403, 403, 403, 401),
    "work.state": (200, 204, 404, 403, 403, 403, 401),
    "work.attempt": (200, 404, 404, 403, 403, 403, 401),
    "work.confirm_reading": (303, 404, 404, 403, 403, 403, 401),
    "pages.listed": PUPILS_HERE,
    "pages.add": PUPILS_ACT,
    "pages.announce": (201, 201, 201, 403, 403, 403, 401),
    "pages.part": (200, 404, 404, 403, 403, 403, 401),
    "pages.finish": (409, 404, 404, 403, 403, 403, 401),
    "pages.remove": (303, 404, 404, 403, 403, 403, 401),
    "pages.move": (303, 404, 404, 403, 403, 403, 401),
    "pages.image": (200, 404, 404, 404, 404, 404, 401),  # of a draft: not even for the teacher
    "pages.phone_link": (200, 200, 200, 403, 403, 403, 401),
    "pages.allow_more": (403, 403, 403, 303, 303, 303, 401),
    # The page of a draft, as above; of what was handed in: tests/uploads/test_withdrawing.py.
    "sheets.hide": (403, 403, 403, 404, 404, 404, 401),
    "sheets.show": (403, 403, 403, 404, 404, 404, 401),
    "sheets.delete": (403, 403, 403, 404, 404, 404, 401),
    "overview.activity": TEACHERS_PAGE,
    "overview.now": TEACHERS_PAGE,
    "overview.decide": TEACHERS_ACT,
    "overview.work": TEACHERS_PAGE,
    "overview.pupil": TEACHERS_ACT,
    "deadlines.change": TEACHERS_ACT,
    "overview.confirm": TEACHERS_ACT,
    "overview.edit": (403, 403, 403, 400, 404, 404, 401),
    "overview.again": (403, 403, 403, 409, 404, 404, 401),
    "overview.send": TEACHERS_ACT,
    "overview.refresh_roster": (403, 403, 403, 303, 303, 303, 401),  # that of the own course
    "overview.send_all": TEACHERS_ACT,
    "overview.new_column": (403, 403, 403, 409, 404, 404, 401),
}
# Outside of any session: answered to everybody alike.
OPEN = {
    "static",
    "health.live",
    "health.ready",
    "health.cookie",
    "launch.login",
    "launch.launch",
    "launch.keys",
    # Whoever holds a phone's one-time link; see tests/uploads/test_phone.py.
    "phone.before",
    "phone.enter",
    "phone.show",
    "phone.add",
    "phone.announce",
    "phone.part",
    "phone.finish",
    "operator.before",
    "operator.enter",
    # Whoever has the invitation's secret; see tests/launch/registration.
    "registration.show",
    "registration.connect",
    "registration.type_in",
}


Objects = dict[str, UUID]


@dataclass
class School:
    """Ada has handed in and has feedback; her score could not be transferred."""

    house: House
    task_id: UUID
    submission_id: UUID
    sync_id: UUID
    person_id: UUID
    page_id: UUID
    upload_id: UUID
    version_id: UUID
    sessions: dict[str, tuple[Browser, str]]
    attempt: str = "1"

    @property
    def objects(self) -> Objects:
        return {
            "task_id": self.task_id,
            "submission_id": self.submission_id,
            "sync_id": self.sync_id,
            "person_id": self.person_id,
            "page_id": self.page_id,
            "upload_id": self.upload_id,
            "version_id": self.version_id,
        }

    def path(self, rule: Rule, session_path: str, objects: Objects | None = None) -> str:
        path = rule.rule.replace("/s/<uuid:session_id>", session_path.rstrip("/"))
        for name, value in (objects or self.objects).items():
            path = path.replace(f"<uuid:{name}>", str(value))
        return path

    def ask(self, rule: Rule, actor: str, objects: Objects | None = None):
        browser, session_path = self.sessions[actor]
        path = self.path(rule, session_path, objects)
        if "GET" in rule.methods:
            return browser.get(path)
        outside = SAME_AS.get(actor, actor) == "stranger"
        token = "none" if outside else browser.session(session_path).csrf_token
        return browser.post(path, self.form(rule.endpoint) | {"csrf": token})

    def form(self, endpoint: str) -> dict[str, str]:
        """The smallest honest form of each route."""
        forms = {
            "work.hand_in": {"text": "Neu", "client_key": str(uuid4()), "attempt": self.attempt},
            "work.draft": {"text": "Entwurf", "version": "0"},
            "overview.confirm": {"version": "1"},
            "deadlines.change": {"until": "2099-01-01T12:00"},
            "overview.decide": {"use": "shared"},
            "content.create": {"action": "save"},
            "content.change": {"action": "save", "version": "1"},
            "pages.announce": {"name": "a.jpg", "size": "9"},
            "pages.move": {"by": "up"},
        }
        return forms.get(endpoint, {})


@pytest.fixture
def school(database) -> School:
    house = open_house(database)
    lms = house.lms
    teacher = house.browser()
    first = teacher.arrives(activity(lms, INSTRUCTOR, link="9"), sub="2")
    curie = teacher.session(first)
    with database.begin(curie.actor) as db:
        task_id = create_task(db, curie, FOTOSYNTHESE).id

    def launched(role: str, sub: str, course: str, link: str, task: UUID | None) -> tuple:
        browser = house.browser()
        claims = activity(lms, role, task=task, course=course, link=link)
        return browser, browser.arrives(claims, sub=sub)

    sessions = {
        "teacher": launched(INSTRUCTOR, "2", "31", "9", task_id),
        "owner": launched(LEARNER, "17", "31", "9", task_id),
        "classmate": launched(LEARNER, "18", "31", "9", task_id),
        "pupil_elsewhere": launched(LEARNER, "19", "32", "10", None),
        "teacher_elsewhere": launched(INSTRUCTOR, "3", "32", "10", None),
        "other_school": launched_elsewhere(house, task_id),
    }
    admin = house.browser()
    claims = activity(lms, INSTRUCTOR, task=task_id) | {ROLES: [INSTRUCTOR, *ADMINISTRATOR]}
    sessions["school_admin"] = (admin, admin.arrives(claims, sub="1"))
    sessions["stranger"] = (house.browser(), sessions["owner"][1])
    operator = house.browser()
    operator.client = Operator(house).enters().client
    sessions["operator"] = (operator, sessions["owner"][1])
    submission_id, sync_id = has_handed_in(house, *sessions["owner"])
    ada, path = sessions["owner"]
    person_id = ada.session(path).person_id
    page_id, upload_id = has_a_page(house, ada.session(path))
    version_id = has_an_older_text(house, ada.session(path))
    return School(
        house,
        task_id,
        submission_id,
        sync_id,
        person_id,
        page_id,
        upload_id,
        version_id,
        sessions,
    )


def has_an_older_text(house: House, pupil: LaunchSession) -> UUID:
    """Two devices have written; one of the texts is put aside, the other one handed in."""
    with house.database.begin(pupil.actor) as db:
        for text in ("Vom Tablet", "Vom Handy"):
            handed_in = drafts.save(db, pupil, Typed(text, 0))
        drafts.forget(db, pupil, Typed("Vom Handy", handed_in.version))
        return drafts.older(db, pupil)[0].id


def has_a_page(house: House, pupil: LaunchSession) -> tuple[UUID, UUID]:
    """A page in the draft, and a file on its way."""
    files = house.app.extensions["uploads"].lab.files
    page = page_of(pupil)
    with house.database.begin(pupil.actor) as db:
        db.add(page)
        upload_id = announce(db, pupil, "b.jpg", 9, datetime.now(UTC)).id
    files.put(page.key, b"jpeg")
    return page.id, upload_id


def launched_elsewhere(house: House, task_id: UUID) -> tuple[Browser, str]:
    """A teacher of another school, whose LMS even names our task."""
    other = FakePlatform(
        issuer="https://andere.schule.example", client_id="other-1", now=datetime.now(UTC)
    )
    platform_id = register(house.database, other)
    app = create_app(settings_of(house.database), house.database, fetch_keys=other.fetch)
    app.testing = True
    there = House(app, house.database, other, platform_id)
    browser = Browser(there)
    return browser, browser.arrives(activity(other, INSTRUCTOR, task=task_id), sub="2")


def has_handed_in(house: House, browser: Browser, path: str) -> tuple[UUID, UUID]:
    ada = browser.session(path)
    with house.database.begin(service_of(ada.platform_id)) as db:
        link = db.get_one(ResourceLink, ada.resource_link_id)
        link.lineitem_url, link.ags_scopes = f"{ada.issuer}/lineitem/1", [SCORES]
    form = {"text": ANSWER, "client_key": str(uuid4()), "attempt": "1"}
    assert browser.sends(f"{path}work/", form, path).status_code == 303
    with house.database.begin(service_of(ada.platform_id)) as db:
        mine = select(Submission.id).where(Submission.person_id == ada.person_id)
        submission_id = db.scalars(mine).one()
        request = assessment.request_for(db, submission_id)
        assessment.keep_feedback(db, submission_id, FakeEngine().give_feedback(request))
        sync = db.scalars(select(GradeSync).where(GradeSync.submission_id == submission_id)).one()
        sync.state = SyncState.POSTING
        db.flush()
        sync.state, sync.reason = SyncState.FAILED, "locked"
        db.flush()
        for step in ("'working', lease_until = now()", "'done', lease_until = NULL"):
            open_jobs = "state IN ('waiting', 'working')"
            db.connection().exec_driver_sql(f"UPDATE jobs SET state = {step} WHERE {open_jobs}")
        return submission_id, sync.id


def rules(app: Flask, method: str | None = None) -> list[Rule]:
    elsewhere = OPEN | set(OPERATORS)  # the operator's pages: tests/operator/test_access.py
    found = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in elsewhere]
    return [rule for rule in found if method is None or method in rule.methods]


def test_every_route_has_its_row(school: School):
    routes = {rule.endpoint for rule in school.house.app.url_map.iter_rules()}

    assert routes == set(MATRIX) | OPEN | set(OPERATORS)
    assert {len(row) for row in MATRIX.values()} == {len(ACTORS) - len(SAME_AS)}


@pytest.mark.parametrize("actor", ACTORS)
def test_every_actor_gets_the_answer_the_matrix_says(school: School, actor):
    """ATK-93, and of it ATK-94 (a classmate's work) and ATK-95 (a pupil at a teacher's pages)."""
    column = ACTORS.index(SAME_AS.get(actor, actor))
    school.attempt = "2" if actor == "owner" else "1"
    # GETs first: what the POSTs change must not decide what is seen.
    ordered = sorted(rules(school.house.app), key=lambda rule: "GET" not in rule.methods)

    answers = {rule.endpoint: school.ask(rule, actor).status_code for rule in ordered}

    assert answers == {endpoint: row[column] for endpoint, row in MATRIX.items()}


@pytest.fixture
def theirs(school: School) -> Objects:
    """The same in Herr Planck's course: a task, work on it, and a score that failed."""
    browser, path = school.sessions["teacher_elsewhere"]
    planck = browser.session(path)
    with school.house.database.begin(planck.actor) as db:
        task_id = create_task(db, planck, FOTOSYNTHESE).id
    pupil, _ = school.sessions["pupil_elsewhere"]
    claims = activity(school.house.lms, LEARNER, task=task_id, course="32", link="10")
    there = pupil.arrives(claims, sub="19")
    submission_id, sync_id = has_handed_in(school.house, pupil, there)
    page_id, upload_id = has_a_page(school.house, pupil.session(there))
    version_id = has_an_older_text(school.house, pupil.session(there))
    return {
        "task_id": task_id,
        "submission_id": submission_id,
        "sync_id": sync_id,
        "person_id": pupil.session(there).person_id,
        "page_id": page_id,
        "upload_id": upload_id,
        "version_id": version_id,
    }


@pytest.mark.parametrize("actor", [a for a in ACTORS if not a.endswith("_elsewhere")])
def test_nobody_reaches_what_belongs_to_another_course(school: School, theirs, actor, tables):
    """Whatever may be done to one's own object: a foreign one is not there, or the role is not."""
    column = ACTORS.index(SAME_AS.get(actor, actor))
    named = [rule for rule in rules(school.house.app) if rule.arguments - {"session_id"}]
    before = tables()

    answers = {rule.endpoint: school.ask(rule, actor, theirs).status_code for rule in named}

    own = {rule.endpoint: MATRIX[rule.endpoint][column] for rule in named}
    assert answers == {
        name: status if status in (401, 403) else 404 for name, status in own.items()
    }
    assert tables() == before
    assert named


def test_a_launch_of_an_activity_that_was_opened_before_leads_straight_to_its_page(school: School):
    lms, task = school.house.lms, school.task_id
    goals = {}
    for role, sub in ((LEARNER, "18"), (INSTRUCTOR, "2")):
        first = school.house.browser()
        first.get(first.arrives(activity(lms, role, task=task), sub=sub))
        again = school.house.browser()
        answer = again.launches(activity(lms, role, task=task), sub=sub)
        goals[role] = answer.location.removeprefix(session_path(answer))
        assert again.get(answer.location).status_code == 200
    elsewhere = school.house.browser().launches(activity(lms, task=uuid4()), sub="18")

    assert goals == {LEARNER: "work/", INSTRUCTOR: "overview/"}
    assert elsewhere.location == session_path(elsewhere)


def test_what_is_not_theirs_looks_like_what_does_not_exist(school: School):
    """ATK-97: ids that one can guess or hear of open nothing."""
    browser, path = school.sessions["teacher_elsewhere"]

    foreign = browser.get(f"{path}overview/work/{school.submission_id}")
    nothing = browser.get(f"{path}overview/work/{uuid4()}")

    assert foreign.status_code == nothing.status_code == 404
    assert without_reference(foreign.text) == without_reference(nothing.text)


def without_reference(page: str) -> str:
    return re.sub(r"<code>[0-9A-F]{8}</code>", "", page)


@pytest.mark.parametrize("attack", ["no token", "foreign token", "foreign origin"])
def test_no_form_works_without_the_sessions_own_token(school: School, attack, tables):
    """ATK-51."""

    browser, path = school.sessions["teacher"]
    pupil, pupils_path = school.sessions["owner"]
    before = tables()
    for rule in rules(school.house.app, "POST"):
        who, where, other = (browser, path, pupils_path)
        if rule.endpoint.startswith("work."):
            who, where, other = (pupil, pupils_path, path)
        tokens = {
            "no token": "",
            "foreign token": (browser if who is pupil else pupil).session(other).csrf_token,
            "foreign origin": who.session(where).csrf_token,
        }
        origin = "https://evil.example" if attack == "foreign origin" else None
        answer = who.post(
            school.path(rule, where),
            school.form(rule.endpoint) | {"csrf": tokens[attack]},
            headers={"Origin": origin} if origin else {},
        )
        assert (rule.endpoint, answer.status_code) == (rule.endpoint, 403)
    assert tables() == before


def test_no_get_changes_anything(school: School, tables):
    """ATK-51."""

    before = tables()
    for actor in ACTORS:
        for rule in rules(school.house.app, "GET"):
            school.ask(rule, actor)

    assert tables() == before


def test_every_answer_carries_the_headers(school: School):
    for actor in ACTORS:
        for rule in rules(school.house.app, "GET"):
            headers = school.ask(rule, actor).headers
            policy = headers["Content-Security-Policy"]
            issuer = "andere" if actor == "other_school" else "moodle"
            assert f"frame-ancestors https://{issuer}.schule.example" in policy
            picture = headers["Content-Type"].startswith("image/")
            assert ("sandbox" if picture else "script-src 'self'") in policy
            assert "unsafe" not in policy
            assert headers["Cache-Control"] == "private, no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
            assert "X-Frame-Options" not in headers


def test_a_page_that_does_not_exist_can_still_say_so_in_the_platforms_frame(school: School):
    browser, path = school.sessions["owner"]

    answer = browser.get(f"{path}nothing/here")

    assert answer.status_code == 404
    framers = "frame-ancestors https://moodle.schule.example"
    assert framers in answer.headers["Content-Security-Policy"]


def test_a_page_of_no_session_may_be_framed_by_nobody(school: School):
    answer = school.house.browser().get(f"/s/{uuid4()}/")

    assert answer.status_code == 401
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_fields_that_a_form_does_not_have_change_nothing(school: School):
    """ATK-96."""
    browser, path = school.sessions["classmate"]
    smuggled = {
        "score": "100",
        "state": "released",
        "released": "1",
        "person_id": str(uuid4()),
        "platform_id": str(uuid4()),
        "role": "instructor",
    }
    form = {"text": ANSWER, "client_key": str(uuid4()), "attempt": "1"}

    assert browser.sends(f"{path}work/", form | smuggled, path).status_code == 303

    with school.house.database.begin(browser.session(path).actor) as db:
        handed_in = db.scalars(select(Submission)).one()
    assert handed_in.state.value == "handed_in"
    assert handed_in.person_id == browser.session(path).person_id


def test_a_foreign_host_name_is_no_address_of_ours(school: School):
    client = school.house.app.test_client()

    answer = client.get("/health/live", base_url="https://evil.example")

    assert answer.status_code == 400


def test_a_form_that_is_too_large_is_refused_with_a_page(school: School):
    browser, path = school.sessions["owner"]

    answer = browser.post(f"{path}work/draft", {"text": "x" * 600_000, "csrf": "x"})

    assert answer.status_code == 413


def test_the_pupils_page_never_holds_the_solution_notes(school: School):
    browser, path = school.sessions["owner"]

    for page in ("work/", f"work/attempts/{school.submission_id}", "work/state"):
        assert FOTOSYNTHESE.solution_notes not in browser.get(path + page).text
    assert SyncState.FAILED.value not in browser.get(f"{path}work/").text
