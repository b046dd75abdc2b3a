"""The operator comes in by a link that works once, and nobody else does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from lti_tool.core.db import ADMIN, ENTRY, LAUNCH, WORKER, Actor, ActorRole, Database
from lti_tool.launch.models import SecurityEvent
from lti_tool.operator import entry
from lti_tool.operator.entry import LINK_LIFE, SESSION_IDLE, SESSION_LIFE
from lti_tool.operator.models import OperatorLink, OperatorSession
from tests.entrance import House
from tests.operator.office import Operator, words

A_MOMENT = timedelta(seconds=5)


def grows_older(database: Database, column, span: timedelta) -> None:
    with database.begin(ADMIN) as db:
        db.execute(update(column.class_).values({column: column - span}))


def refusals(database: Database) -> list[str]:
    with database.begin(ADMIN) as db:
        return list(db.scalars(select(SecurityEvent.reason)))


def test_the_link_and_one_click_lead_to_the_platforms(passerby: Operator):
    link = passerby.asks_for_a_link()

    page = passerby.get(link)
    entered = passerby.post(link)

    assert "Anmelden" in words(page)
    assert (entered.status_code, entered.location) == (303, "/operator/")
    assert "Schule am Park" in words(passerby.get("/operator/"))


def test_whoever_only_looks_at_the_link_does_not_use_it_up(passerby: Operator):
    link = passerby.asks_for_a_link()

    for _ in range(3):
        assert passerby.get(link).status_code == 200

    assert passerby.secret() is None
    assert passerby.post(link).status_code == 303


def test_a_link_works_once(passerby: Operator, house: House):
    link = passerby.asks_for_a_link()
    passerby.post(link)

    second = Operator(house)
    again = second.post(link)

    assert again.status_code == 403
    assert "gilt nicht mehr" in words(again)
    assert "gustav operator link" in words(again)
    assert second.secret() is None
    assert refusals(house.database) == ["operator_link"]


@pytest.mark.parametrize(
    ("age", "status"), [(LINK_LIFE - A_MOMENT, 303), (LINK_LIFE + A_MOMENT, 403)]
)
def test_a_link_is_good_for_a_quarter_of_an_hour(passerby: Operator, house: House, age, status):
    link = passerby.asks_for_a_link()
    grows_older(house.database, OperatorLink.created_at, age)

    assert passerby.post(link).status_code == status


@pytest.mark.parametrize("secret", ["x", "0" * 43, "%00", "ä" * 20, "x" * 5000])
def test_an_invented_link_is_refused_with_a_friendly_page(passerby: Operator, house: House, secret):
    answer = passerby.post(f"/operator/enter/{secret}")

    assert answer.status_code == 403
    assert "Es hat sich nichts geändert" in words(answer)
    assert refusals(house.database) == ["operator_link"]


def test_a_foreign_site_cannot_press_the_button(passerby: Operator, house: House):
    link = passerby.asks_for_a_link()

    answer = passerby.post(link, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert passerby.secret() is None
    assert passerby.post(link).status_code == 303


def test_the_cookie_is_only_ours_only_https_and_out_of_reach_of_scripts(passerby: Operator):
    cookie = passerby.post(passerby.asks_for_a_link()).headers["Set-Cookie"]

    assert cookie.startswith("__Host-gustav_operator=")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert parts == {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"}


def test_neither_link_nor_session_lie_readable_in_the_database(operator: Operator, house: House):
    link = operator.asks_for_a_link().rsplit("/", 1)[1]

    with house.database.begin(ADMIN) as db:
        kept = [bytes(row) for row in db.scalars(select(OperatorLink.secret_hash))]
        kept += [bytes(row) for row in db.scalars(select(OperatorSession.secret_hash))]

    assert len(link) >= 43  # 256 bits
    assert all(len(one) == 32 for one in kept)
    assert not any(link.encode() in one or operator.secret().encode() in one for one in kept)


@pytest.mark.parametrize(
    ("span", "status"), [(SESSION_IDLE - A_MOMENT, 200), (SESSION_IDLE + A_MOMENT, 401)]
)
def test_half_an_hour_without_a_click_ends_the_session(operator: Operator, house, span, status):
    grows_older(house.database, OperatorSession.seen_at, span)

    assert operator.get("/operator/").status_code == status


def test_every_click_keeps_the_session_awake(operator: Operator, house: House):
    for _ in range(3):
        grows_older(house.database, OperatorSession.seen_at, timedelta(minutes=20))
        assert operator.get("/operator/").status_code == 200


@pytest.mark.parametrize(
    ("span", "status"), [(SESSION_LIFE - A_MOMENT, 200), (SESSION_LIFE + A_MOMENT, 401)]
)
def test_after_eight_hours_it_is_over_whatever_one_does(operator: Operator, house, span, status):
    grows_older(house.database, OperatorSession.created_at, span)

    answer = operator.get("/operator/")

    assert answer.status_code == status
    assert status == 200 or "Die Anmeldung ist abgelaufen" in words(answer)


def test_logging_out_ends_this_session_and_cleans_the_browser(operator: Operator, house: House):
    other = Operator(house).enters()

    left = operator.sends("/operator/leave")

    assert left.status_code == 200
    assert left.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert operator.get("/operator/").status_code == 401
    assert other.get("/operator/").status_code == 200


def test_the_command_line_can_end_everything_at_once(operator: Operator, house: House):
    link = operator.asks_for_a_link()

    with house.database.begin(ADMIN) as db:
        assert entry.end_all(db) == 1

    assert operator.get("/operator/").status_code == 401
    assert Operator(house).post(link).status_code == 403


def test_the_sweep_forgets_what_has_run_out_and_nothing_else(operator: Operator, house: House):
    link = operator.asks_for_a_link()
    Operator(house).enters()
    with house.database.begin(WORKER) as db:
        entry.forget_old_entries(db)
    assert operator.get("/operator/").status_code == 200
    assert Operator(house).post(link).status_code == 303

    grows_older(house.database, OperatorSession.seen_at, SESSION_IDLE + A_MOMENT)
    grows_older(house.database, OperatorLink.created_at, LINK_LIFE + A_MOMENT)
    with house.database.begin(WORKER) as db:
        entry.forget_old_entries(db)

    with house.database.begin(ADMIN) as db:
        assert db.scalar(select(func.count()).select_from(OperatorLink)) == 0
        assert db.scalar(select(func.count()).select_from(OperatorSession)) == 0


@pytest.mark.parametrize("table", [OperatorLink, OperatorSession])
def test_nobody_but_the_operators_door_sees_who_the_operator_is(operator: Operator, house, table):
    school = house.platform_id
    actors = {
        "door": ENTRY,
        "operator": ADMIN,
        "worker": WORKER,
        "launch": LAUNCH,
        "school's launch": Actor(ActorRole.LAUNCH, school),
        "job": Actor(ActorRole.SERVICE, school),
        "registration": Actor(ActorRole.REGISTRATION, school),
        "teacher": Actor(ActorRole.INSTRUCTOR, school),
        "pupil": Actor(ActorRole.LEARNER, school),
    }
    seen = set()
    for who, actor in actors.items():
        with house.database.begin(actor) as db:
            if db.scalars(select(table)).all():
                seen.add(who)

    assert seen == {"door", "operator", "worker"}


def test_at_the_door_nothing_else_is_to_be_seen(house: House):
    tables = {"platforms", "platform_keys", "persons", "submissions", "invitations", "jobs"}
    with house.database.begin(ENTRY) as db:
        rows = {
            name: db.connection().exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in tables
        }

    assert rows == dict.fromkeys(tables, 0)
