"""A browser without JavaScript: cookies with their paths, redirects, forms. For one machine only.

Like real browsers, it keeps `Secure` cookies for http://localhost, and does not tell ports apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import urljoin, urlsplit

import httpx

from lti_tool.cli.journey.pages import Button, Form, NotOnPage, Page, read_page

MOST_HOPS = 12


class Browser:
    """One person's browser window, with cookies of its own."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        # trust_env: a proxy of the machine must not get in between.
        self._http = httpx.Client(
            transport=transport,
            trust_env=False,
            timeout=20,
            follow_redirects=False,
            headers={"Accept": "text/html", "Accept-Language": "de"},
        )
        self._cookies: dict[tuple[str, str, str], str] = {}

    def close(self) -> None:
        self._http.close()

    def open(self, url: str) -> Page:
        """GET, and go where one is sent."""
        return self._go("GET", url, None, None)

    def fetch(self, url: str) -> str:
        """The answer as it is, for what is not a page."""
        return self._send("GET", url, None, None).raise_for_status().text

    def submit(
        self,
        page: Page,
        form: Form,
        typed: Mapping[str, str] | None = None,
        button: str | None = None,
    ) -> Page:
        """Fill in and send. `button` is the value, or else the text, of the button to press."""
        pressed = _button(form, button, page)
        fields = form.filled(typed or {}, pressed)
        target = pressed.action if pressed else form.action
        if form.method == "post":
            return self._go("POST", target, fields, page.url)
        query = httpx.QueryParams(fields)
        return self._go("GET", f"{target.partition('?')[0]}?{query}", None, page.url)

    def upload(self, page: Page, form: Form, name: str, content: bytes) -> Page:
        """Send a form with one chosen file."""
        answer = self._http.post(
            form.action,
            headers={**self._cookie_header(form.action), "Origin": _origin(page.url)},
            data=dict(form.fields),
            files={"file": (name, content)},
        )
        self._keep_cookies(answer)
        if answer.has_redirect_location:
            return self.open(urljoin(form.action, answer.headers["Location"]))
        return read_page(str(answer.url), answer.status_code, answer.text)

    def pass_on(self, page: Page) -> Page:
        """Send the forms that a script would send by itself, until a page for people is reached."""
        for _ in range(MOST_HOPS):
            handed_on = [form for form in page.forms if form.method == "post"]
            foreign = [f for f in handed_on if f.has("id_token") or f.has("JWT") or f.has("iss")]
            if not foreign:
                return page
            page = self.submit(page, foreign[0])
        raise NotOnPage(f"von {page.place} geht es im Kreis")

    def _go(
        self, method: str, url: str, fields: tuple[tuple[str, str], ...] | None, origin: str | None
    ) -> Page:
        for _ in range(MOST_HOPS):
            answer = self._send(method, url, fields, origin)
            self._keep_cookies(answer)
            if not answer.has_redirect_location:
                return read_page(str(answer.url), answer.status_code, answer.text)
            url = urljoin(url, answer.headers["Location"])
            if answer.status_code not in (307, 308):
                method, fields, origin = "GET", None, None
        raise NotOnPage(f"zu viele Umleitungen bei {urlsplit(url).path}")

    def _send(
        self, method: str, url: str, fields: tuple[tuple[str, str], ...] | None, origin: str | None
    ) -> httpx.Response:
        headers = self._cookie_header(url)
        if fields is None:
            return self._http.request(method, url, headers=headers)
        headers["Origin"] = _origin(origin or url)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._http.request(
            method, url, headers=headers, content=str(httpx.QueryParams(fields)).encode()
        )

    def _keep_cookies(self, answer: httpx.Response) -> None:
        host = answer.url.host
        for line in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(_without_partitioned(line)).items():
                key = (host, morsel["path"] or "/", name)
                if morsel["max-age"] == "0" or not morsel.value:
                    self._cookies.pop(key, None)
                else:
                    self._cookies[key] = morsel.value

    def _cookie_header(self, url: str) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{n}={v}" for n, v in self._cookies_for(url))}

    def _cookies_for(self, url: str) -> list[tuple[str, str]]:
        """The longest path first (RFC 6265, section 5.4)."""
        parts = urlsplit(url)
        found = [
            (path, name, value)
            for (host, path, name), value in self._cookies.items()
            if host == parts.hostname and _covers(path, parts.path or "/")
        ]
        return [(name, value) for _, name, value in sorted(found, key=lambda c: -len(c[0]))]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _button(form: Form, wanted: str | None, page: Page) -> Button | None:
    """A browser presses the first button if none is named."""
    if wanted is None:
        return form.buttons[0] if form.buttons else None
    for button in form.buttons:
        if wanted in (button.value, button.text):
            return button
    raise NotOnPage(f"kein Knopf „{wanted}“ auf {page.place}")


def _covers(path: str, asked: str) -> bool:
    return asked == path or asked.startswith(path if path.endswith("/") else f"{path}/")


def _without_partitioned(line: str) -> str:
    """`http.cookies` knows the attribute only from Python 3.14 on, and drops the whole cookie."""
    return "; ".join(part for part in line.split("; ") if part.lower() != "partitioned")
