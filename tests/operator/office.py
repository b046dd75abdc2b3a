"""An operator at a browser, with a command line beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lti_tool.core.db import ADMIN
from lti_tool.operator import entry
from lti_tool.operator.guard import OperatorDoor
from tests.entrance import TOOL, House

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Operator:
    """Keeps cookies, follows nothing by itself."""

    house: House
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.house.app.test_client()

    @property
    def door(self) -> OperatorDoor:
        found: OperatorDoor = self.house.app.extensions["operator"]
        return found

    def asks_for_a_link(self) -> str:
        """What `gustav operator link` prints, without the host."""
        with self.house.database.begin(ADMIN) as db:
            return f"/operator/enter/{entry.new_link(db)}"

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=TOOL)

    def post(
        self,
        path: str,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        return self.client.post(path, data=data, headers=headers, base_url=TOOL)

    def enters(self) -> Operator:
        assert self.post(self.asks_for_a_link()).status_code == 303
        return self

    def token(self) -> str:
        found = TOKEN.search(self.get("/operator/").text)
        assert found is not None
        return found[1]

    def sends(self, path: str, **form: str) -> TestResponse:
        """A form of this session, with its token."""
        return self.post(path, {**form, "csrf": self.token()})

    def secret(self) -> str | None:
        cookie = self.client.get_cookie(self.door.cookie, "gustav.schule.example", "/")
        return cookie.value if cookie else None


def words(answer: TestResponse) -> str:
    """What a person reads on the page, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
