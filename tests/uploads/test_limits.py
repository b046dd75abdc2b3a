"""How much may be sent, and when it goes on; and names as they are shown."""

from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.uploads.limits import MEGABYTE, Refusal, Sent, TooMuch, refusal
from lti_tool.uploads.names import shown_name

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def sent(*minutes_ago: int, size: int = MEGABYTE) -> list[Sent]:
    return [Sent(NOW - timedelta(minutes=ago), size) for ago in minutes_ago]


def asked(size: int = MEGABYTE, **how) -> Refusal | None:
    facts = {"pages": 0, "stored": 0, "hour": [], "lifted": False, "now": NOW} | how
    return refusal(size, **facts)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, None),
        ({"size": 50 * MEGABYTE}, None),
        ({"size": 50 * MEGABYTE + 1}, Refusal(TooMuch.FILE)),
        ({"pages": 29}, None),
        ({"pages": 30}, Refusal(TooMuch.PAGES)),
        ({"stored": 49 * MEGABYTE}, None),
        ({"stored": 49 * MEGABYTE + 1}, Refusal(TooMuch.WORK)),
        ({"hour": sent(*range(9))}, None),
        ({"hour": sent(*range(50, 60))}, Refusal(TooMuch.HOUR, NOW + timedelta(minutes=1))),
        ({"hour": sent(*range(50, 60)), "lifted": True}, None),
        (
            {"hour": sent(30, 10, size=25 * MEGABYTE)},
            Refusal(TooMuch.HOUR, NOW + timedelta(minutes=30)),
        ),
        ({"size": 10 * MEGABYTE, "hour": sent(30, 10, size=20 * MEGABYTE)}, None),
    ],
)
def test_each_limit_says_which_it_is_and_when_it_ends(facts, expected):
    assert asked(**facts) == expected


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Blatt 1.jpg", "Blatt 1.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Fotos\\x.jpg", "x.jpg"),
        ("a\0b\r\nc.jpg", "abc.jpg"),
        ("gpj.\u202eexe", "gpj.exe"),
        (".htaccess", "htaccess"),
        ("Übung – 3ä.pdf", "Übung – 3ä.pdf"),
        ("", ""),
    ],
)
def test_a_name_is_shown_without_what_could_mislead(typed, shown):
    """ATK-72."""
    assert shown_name(typed) == shown


def test_a_long_name_is_cut_and_keeps_its_ending():
    """ATK-72."""
    name = shown_name("a" * 5000 + ".jpg")

    assert len(name) <= 120
    assert name.endswith("….jpg")
