"""Moments, waits and numbers the way a person says them, in German and English. Pure.

The clock on the wall is that of a German school; whoever asks brings the time along.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

WALL = ZoneInfo("Europe/Berlin")

_DAYS = {
    "de": {-1: "gestern", 0: "heute", 1: "morgen"},
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
}
_WEEKDAYS = {
    "de": ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEP = 10  # seconds; a wait is never known more exactly


@dataclass(frozen=True)
class Speech:
    """How one page speaks: its language ("de" or "en"), and its present moment."""

    language: str
    now: datetime

    def time(self, when: datetime) -> str:
        return time_of_day(when)

    def moment(self, when: datetime) -> str:
        return moment(when, self.now, self.language)

    def wait(self, length: timedelta) -> str:
        return wait(length, self.language)

    def points(self, number: Decimal) -> str:
        return points(number, self.language)


def time_of_day(moment: datetime) -> str:
    """ "10:44"."""
    wall = moment.astimezone(WALL)
    return f"{wall.hour}:{wall.minute:02}"


def moment(when: datetime, now: datetime, language: str) -> str:
    """ "heute, 10:42"; "Fr., 27.11., 8:00"; with the year where it is another one."""
    tongue = _tongue(language)
    day, today = when.astimezone(WALL).date(), now.astimezone(WALL).date()
    near = _DAYS[tongue].get((day - today).days)
    if near is not None:
        return f"{near}, {time_of_day(when)}"
    weekday = _WEEKDAYS[tongue][day.weekday()]
    other_year = day.year != today.year
    if tongue == "de":
        date = f"{weekday}, {day.day}.{day.month}.{day.year if other_year else ''}"
    else:
        date = (
            f"{weekday}, {day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if other_year else ''}"
        )
    return f"{date}, {time_of_day(when)}"


def wait(length: timedelta, language: str) -> str:
    """ "etwa 40 Sekunden", "etwa 3 Minuten": rounded up, because a promise is kept or undercut."""
    words = _WAITS[_tongue(language)]
    seconds = max(_STEP, -(-int(length.total_seconds()) // _STEP) * _STEP)
    if seconds < 60:
        return words["seconds"].format(seconds)
    minutes = -(-seconds // 60)
    if minutes == 1:
        return words["minute"]
    if minutes < 60:
        return words["minutes"].format(minutes)
    return words["long"]


def points(number: Decimal, language: str) -> str:
    """ "7,5"; a whole number without decimals."""
    text = f"{number.normalize():f}"
    return text.replace(".", ",") if _tongue(language) == "de" else text


_WAITS = {
    "de": {
        "seconds": "etwa {} Sekunden",
        "minute": "etwa eine Minute",
        "minutes": "etwa {} Minuten",
        "long": "länger als eine Stunde",
    },
    "en": {
        "seconds": "about {} seconds",
        "minute": "about a minute",
        "minutes": "about {} minutes",
        "long": "more than an hour",
    },
}


def _tongue(language: str) -> str:
    return language if language in _DAYS else "de"
