"""Tokens as an attacker would make them, brought as the answer to a good login."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.test import TestResponse

from tests.entrance import Browser, House
from tests.fakes.platform import DROP, as_json, base64url

Forge = Callable[[dict[str, Any]], str]


def brings(
    house: House, forge: Forge, browser: Browser | None = None
) -> Callable[[], TestResponse]:
    """`forge` makes the token out of the claims of a good launch."""
    browser = browser or house.browser()
    asked = browser.logs_in()
    token = forge(house.lms.launch() | {"nonce": asked["nonce"]})
    return lambda: browser.brings(asked, token)


def claiming(house: House, **changes: object) -> Forge:
    """Well signed, with these claims changed, or left out where they are DROP."""

    def forge(claims: dict[str, Any]) -> str:
        changed = claims | changes
        return house.lms.sign({name: v for name, v in changed.items() if v is not DROP})

    return forge


def headed(house: House, **changes: object) -> Forge:
    """Well signed, with these members of the header changed."""
    return lambda claims: house.lms.sign(claims, house.lms.header | changes)


def joined(*parts: Mapping[str, Any] | bytes) -> str:
    """The parts of a token, spelt as they are spelt in one."""
    return ".".join(base64url(part if isinstance(part, bytes) else as_json(part)) for part in parts)
