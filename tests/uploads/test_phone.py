"""From the laptop to the phone: a link that can only add pages to one draft."""

from __future__ import annotations

import io
import re
from html import unescape
from uuid import UUID

import psycopg

from lti_tool.launch.secrets import Secrets
from tests.content.browser import SECRET, TOOL
from tests.uploads.photos import ids, photo


def offered(page) -> str:
    """Where the code leads that is shown."""
    found = re.search(r'data-address="([^"]+)"', page.html)
    assert found
    return unescape(found[1]).removeprefix(TOOL)


def sends(client, path: str, link_id: str, token: str | None = None):
    csrf = token if token is not None else Secrets(SECRET).csrf(UUID(link_id))
    form = {"csrf": csrf, "file": [(io.BytesIO(photo()), "a.jpg")]}
    return client.post(f"{TOOL}{path}", data=form)


def test_a_phone_that_opens_the_link_adds_pages_to_the_draft_and_sees_nothing_else(browsers):
    ada = browsers.ada()
    address = offered(ada.post("/pages/phone"))
    link_id = address.split("/")[2]
    phone = browsers.app.test_client()

    looked = phone.get(f"{TOOL}{address}")
    opened = phone.post(f"{TOOL}{address}")
    page = phone.get(f"{TOOL}/phone/{link_id}/")
    sent = sends(phone, f"/phone/{link_id}/", link_id)

    assert (looked.status_code, opened.status_code, page.status_code) == (200, 303, 200)
    assert sent.status_code == 303
    assert "Ada" not in page.text
    assert "Fotosynthese" not in page.text
    assert len(ids(ada.get("/work/"))) == 1
    assert phone.get(ada.url("/work/")).status_code == 401


def test_the_link_is_for_the_browser_that_opened_it_first(browsers):
    address = offered(browsers.ada().post("/pages/phone"))
    link_id = address.split("/")[2]
    first, second = browsers.app.test_client(), browsers.app.test_client()
    first.post(f"{TOOL}{address}")

    assert second.post(f"{TOOL}{address}").status_code == 404
    assert second.get(f"{TOOL}/phone/{link_id}/").status_code == 404
    assert sends(second, f"/phone/{link_id}/", link_id).status_code == 404


def test_the_link_ends_after_five_minutes_and_with_the_next_one(browsers, postgres):
    ada = browsers.ada()
    old = offered(ada.post("/pages/phone"))
    new = offered(ada.post("/pages/phone"))
    phone = browsers.app.test_client()

    assert phone.post(f"{TOOL}{old}").status_code == 404
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE phone_links SET expires_at = now() - interval '1 second'")
    late = phone.post(f"{TOOL}{new}")
    assert late.status_code == 404
    assert "Dieser Link gilt nicht mehr" in late.text


def test_a_form_of_another_site_adds_nothing(browsers):
    """CSRF: neither a wrong token nor a foreign origin."""
    address = offered(browsers.ada().post("/pages/phone"))
    link_id = address.split("/")[2]
    phone = browsers.app.test_client()
    foreign = phone.post(f"{TOOL}{address}", headers={"Origin": "https://evil.example"})
    phone.post(f"{TOOL}{address}")

    assert foreign.status_code == 403
    assert sends(phone, f"/phone/{link_id}/", link_id, token="wrong").status_code == 403


def test_the_secret_is_kept_as_a_hash_only(browsers, postgres):
    address = offered(browsers.ada().post("/pages/phone"))
    secret = address.rpartition("/")[2]

    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as connection:
        kept = connection.execute("SELECT phone_links::text FROM phone_links").fetchall()

    assert len(kept) == 1
    assert secret not in kept[0][0]
