"""Faults on demand: which endpoint of the services fails in which way, and how often."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

ENDPOINTS = ("token", "scores", "results", "lineitems", "members", "jwks")
EVERYWHERE = "all"
NORMAL = "normal"
REFUSALS = {
    "400": 400,
    "403": 403,
    "404": 404,
    "409": 409,
    "429": 429,
    "500": 500,
    "503": 503,
    "expired_token": 401,
}
# `store_then_hang` and `slow` do the work; `hang` waits, then answers 503 with nothing done.
MODES = (NORMAL, "store_then_hang", "hang", "slow", "garbage", *REFUSALS)


class BadModeError(ValueError):
    """The wished mode makes no sense; the text says why."""


@dataclass(frozen=True)
class Mode:
    """`times=None` stays until it is changed. `seconds` is the wait, or the Retry-After of a 429.

    `retry_after` replaces that header's value, so that dates and nonsense can be tried as well.
    """

    mode: str
    times: int | None = None
    seconds: float = 5.0
    retry_after: str | None = None


class ModeTable:
    """An endpoint's own mode goes before the one for all endpoints."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._modes: dict[str, Mode] = {}

    def set(self, endpoint: str, mode: Mode) -> None:
        """Raises `BadModeError`. `normal` for all endpoints clears the whole table."""
        if endpoint not in (*ENDPOINTS, EVERYWHERE):
            raise BadModeError(f"endpoint must be one of {', '.join((EVERYWHERE, *ENDPOINTS))}")
        if mode.mode not in MODES:
            raise BadModeError(f"mode must be one of {', '.join(MODES)}")
        with self._lock:
            if mode.mode != NORMAL:
                self._modes[endpoint] = mode
            elif endpoint == EVERYWHERE:
                self._modes.clear()
            else:
                self._modes.pop(endpoint, None)

    def take(self, endpoint: str) -> Mode | None:
        """The mode for this one request, counted down."""
        with self._lock:
            name = endpoint if endpoint in self._modes else EVERYWHERE
            mode = self._modes.get(name)
            if mode and mode.times is not None:
                if mode.times <= 1:
                    del self._modes[name]
                else:
                    self._modes[name] = replace(mode, times=mode.times - 1)
            return mode

    def all(self) -> dict[str, Mode]:
        with self._lock:
            return dict(self._modes)


def read_mode(wish: Mapping[str, object]) -> Mode:
    """From JSON or a form: numbers may be text, empty is not given. Raises `BadModeError`."""
    given = {name: value for name, value in wish.items() if value not in (None, "")}
    try:
        times = int(str(given["times"])) if "times" in given else None
        seconds = float(str(given.get("seconds", 5)))
    except ValueError as problem:
        raise BadModeError("times and seconds must be numbers") from problem
    if (times is not None and times < 1) or not 0 <= seconds <= 600:
        raise BadModeError("times must be at least 1, seconds between 0 and 600")
    retry_after = str(given["retry_after"]) if "retry_after" in given else None
    return Mode(str(given.get("mode", "")), times, seconds, retry_after)
