"""What a pupil does with photos, and a model that reads the same on each of them."""

from __future__ import annotations

import io
import re
from uuid import UUID

import psycopg
from PIL import Image

from feedback_engine.contract import EngineInfo, PageImage, PageReading
from lti_tool.launch.secrets import Secrets
from tests.content.browser import SECRET
from tests.visitor import Page, Visitor, value
from tests.workbench import Workbench

READ = "Die Pflanze braucht Licht, weil es die Energie liefert."


class FakeReader:
    """Reads the same on every page, or fails as it is told."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.seen: list[bytes] = []

    def read_page(self, image: PageImage, *, task: str = "", language: str = "de") -> PageReading:
        if self.errors:
            raise self.errors.pop(0)
        self.seen.append(image.jpeg)
        info = EngineInfo("fake", "fake-seer", "sha256:1", "1", is_model=True)
        return PageReading(READ, ((4, 11),), ("Eine Pflanze im Topf.",), info)


def photo(colour: str = "red", kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, kind)
    return out.getvalue()


def sends(visitor: Visitor, *files: tuple[str, bytes]) -> Page:
    """As a browser without scripts: all files in one form."""
    form = {
        "csrf": Secrets(SECRET).csrf(visitor.session_id),
        "file": [(io.BytesIO(content), name) for name, content in files],
    }
    return Page(visitor.client.post(visitor.url("/pages/"), data=form), visitor)


def script(visitor: Visitor, path: str, **how) -> Page:
    """As the page's own script sends."""
    headers = {
        "X-CSRF": Secrets(SECRET).csrf(visitor.session_id),
        "HX-Request": "true",
        "Content-Type": how.pop("kind", "application/x-www-form-urlencoded"),
    }
    return Page(visitor.client.post(visitor.url(path), headers=headers, **how), visitor)


def ids(page: Page) -> list[str]:
    return list(dict.fromkeys(re.findall(r"/pages/([0-9a-f-]{36})\.jpg", page.html)))


def hands_in(visitor: Visitor, text: str = "") -> Page:
    page = visitor.get("/work/?revise=1")
    return visitor.post(
        "/work/", text=text, client_key=value(page, "client_key"), attempt=value(page, "attempt")
    )


def submissions(bench: Workbench) -> list[UUID]:
    with psycopg.connect(bench.superuser_url) as connection:
        return [found for (found,) in connection.execute("SELECT id FROM submissions")]
