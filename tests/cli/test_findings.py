"""The doctor's rules: what is well, and what is said and advised when it is not."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.cli.doctor.findings import (
    Queue,
    RoleRights,
    about_address,
    about_clock,
    about_events,
    about_given_up,
    about_migrations,
    about_platforms,
    about_role,
    about_worker,
)
from lti_tool.operator.findings import KnownPlatform
from lti_tool.people.models import PlatformState

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
GOOD_ROLE = RoleRights("gustav_app", superuser=False, bypasses_policies=False, owns_tables=False)
SCHOOL = KnownPlatform(
    name="Musterschule",
    state=PlatformState.ACTIVE,
    last_launch=NOW - timedelta(minutes=5),
)
NOTHING_WAITS = Queue(waiting_for=None, last_finished=None, given_up=0, worker_seen=NOW)


WHOLE = "gustav_probe=ok; Secure; HttpOnly; Path=/health/cookie; SameSite=None; Partitioned"


@pytest.mark.parametrize(
    "address", ["https://gustav.schule.example", "http://localhost:8080", "http://127.0.0.1:8080"]
)
def test_cookies_that_arrive_whole_are_well(address: str) -> None:
    assert about_address(address, WHOLE).ok


@pytest.mark.parametrize("word", ["HttpOnly", "Secure", "SameSite=None", "Partitioned"])
def test_atk_52_a_proxy_that_drops_a_word_of_our_cookies_is_told(word: str) -> None:
    finding = about_address("https://gustav.schule.example", WHOLE.replace(word, "x"))

    assert not finding.ok
    assert word in finding.says
    assert "Proxy" in finding.what_to_do


@pytest.mark.parametrize("cookie", [None, WHOLE])
def test_atk_52_an_address_without_https_keeps_no_session(cookie: str | None) -> None:
    finding = about_address("http://gustav.schule.example", cookie)

    assert not finding.ok
    assert "GUSTAV_BASE_URL" in finding.what_to_do


def test_an_address_that_does_not_answer_from_here_is_no_fault() -> None:
    finding = about_address("https://gustav.schule.example", None)

    assert finding.ok
    assert "ungeprüft" in finding.says


def test_a_role_without_rights_is_the_right_one() -> None:
    assert about_role(GOOD_ROLE).ok


@pytest.mark.parametrize(
    ("right", "words"),
    [
        ("superuser", "Superuser"),
        ("bypasses_policies", "Zeilenregeln umgehen"),
        ("owns_tables", "besitzt Tabellen"),
    ],
)
def test_a_role_with_any_of_three_rights_is_wrong(right: str, words: str) -> None:
    finding = about_role(RoleRights(**{**asdict(GOOD_ROLE), right: True}))

    assert not finding.ok
    assert words in finding.says
    assert "gustav_app" in finding.what_to_do


def test_missing_migrations_are_counted_and_the_first_is_named() -> None:
    finding = about_migrations(["0004_submissions", "0005_grades"])

    assert not finding.ok
    assert "2 Änderungen, zuerst 0004_submissions" in finding.says
    assert finding.what_to_do == "Abhilfe: gustav migrate"
    assert about_migrations([]).ok


@pytest.mark.parametrize(
    ("waiting_for", "ok"),
    [
        (None, True),
        (timedelta(seconds=60), True),
        (timedelta(seconds=61), False),
        (timedelta(hours=3), False),
    ],
)
def test_a_job_that_nobody_takes_for_a_minute_means_a_stuck_worker(
    waiting_for: timedelta | None, ok: bool
) -> None:
    finding = about_worker(replace(NOTHING_WAITS, waiting_for=waiting_for), NOW)

    assert finding.ok is ok
    assert bool(finding.what_to_do) is not ok


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (None, "Kein Worker: heute war noch keiner da."),
        (NOW - timedelta(minutes=5), "Kein Worker: der letzte war vor 5 min da."),
    ],
)
def test_a_worker_that_gives_no_sign_of_life_is_missed(seen: datetime | None, says: str) -> None:
    finding = about_worker(replace(NOTHING_WAITS, worker_seen=seen), NOW)

    assert (finding.ok, finding.says) == (False, says)
    assert "gustav worker" in finding.what_to_do


def test_the_last_finished_job_is_told() -> None:
    queue = replace(NOTHING_WAITS, last_finished=NOW - timedelta(minutes=7))

    assert "vor 7 min" in about_worker(queue, NOW).says


def test_given_up_jobs_are_told_but_are_no_fault() -> None:
    finding = about_given_up(replace(NOTHING_WAITS, given_up=4))

    assert finding.ok
    assert "4 Aufträge" in finding.says
    assert finding.what_to_do


@pytest.mark.parametrize(
    ("apart", "ok"), [(0, True), (5, True), (-5, True), (6, False), (-6, False), (3600, False)]
)
def test_clocks_may_differ_by_five_seconds(apart: int, ok: bool) -> None:
    finding = about_clock(NOW, NOW + timedelta(seconds=apart))

    assert finding.ok is ok
    assert ok or f"{abs(apart)} s" in finding.says


def test_without_a_platform_nobody_can_come() -> None:
    (finding,) = about_platforms([], NOW)

    assert not finding.ok
    assert "gustav invite" in finding.what_to_do


def test_each_platform_has_its_sentences_under_its_name() -> None:
    waiting = replace(SCHOOL, name="Andere Schule", waiting_deployments=("7",))

    found = about_platforms([SCHOOL, waiting], NOW)

    assert [(one.ok, one.says) for one in found] == [
        (True, "„Musterschule“: Aktiv; zuletzt kam jemand von dort: heute, 10:25."),
        (True, "„Andere Schule“: Aktiv; zuletzt kam jemand von dort: heute, 10:25."),
        (False, "„Andere Schule“: Aufrufe aus dem Deployment 7 warten auf Erlaubnis."),
    ]
    assert 'gustav platform allow "Andere Schule" 7' in found[2].what_to_do


@pytest.mark.parametrize(
    ("status", "good", "words"),
    [
        (200, True, "sofort auf die wartenden Seiten"),
        (None, True, "ungeprüft"),
        (503, False, "hört aber die Datenbank nicht"),
        (502, False, "antwortet nicht"),
        (404, False, "antwortet nicht"),
    ],
)
def test_events_that_do_not_arrive_are_told_with_what_to_do(
    status: int | None, good: bool, words: str
) -> None:
    finding = about_events(status)

    assert finding.ok is good
    assert words in finding.says
    assert bool(finding.what_to_do) is not good
