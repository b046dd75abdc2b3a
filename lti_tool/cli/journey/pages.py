"""Reads a page the way a person without JavaScript meets it: text, links, frames, forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

Attributes = Mapping[str, str]
Pairs = tuple[tuple[str, str], ...]

_SILENT = ("script", "style", "template", "title")
_TYPED = ("text", "search", "hidden", "number", "email", "tel", "url", "date", "password")


class NotOnPage(Exception):
    """What was looked for is not there; the text says what, and on which page."""


@dataclass(frozen=True)
class Button:
    name: str
    value: str
    text: str
    action: str


@dataclass(frozen=True)
class Form:
    """`fields` as they stand on the page. Only what is ticked or selected is among them."""

    action: str
    method: str
    fields: Pairs
    buttons: tuple[Button, ...]

    def has(self, name: str) -> bool:
        return any(name == known for known, _ in self.fields)

    def filled(self, typed: Mapping[str, str], button: Button | None) -> Pairs:
        """What a browser would send, in the order of the page."""
        kept = [(name, typed.get(name, value)) for name, value in self.fields]
        kept += [(name, value) for name, value in typed.items() if not self.has(name)]
        if button and button.name:
            kept.append((button.name, button.value))
        return tuple(kept)


@dataclass(frozen=True)
class Page:
    """One page that was opened. `url` is where one ended up, after all redirects."""

    url: str
    status: int
    text: str
    links: tuple[tuple[str, str], ...]
    frames: tuple[str, ...]
    forms: tuple[Form, ...]

    def opened(self) -> Page:
        """This page. Raises NotOnPage if it is an error page."""
        if self.status >= 400:
            raise NotOnPage(f"{self.place} antwortet mit {self.status}: {self.text[:200]}")
        return self

    def link(self, words: str) -> str:
        """The address of the first link with `words` in its text or address."""
        for text, address in self.links:
            if words in text or words in address:
                return address
        raise NotOnPage(f"kein Link „{words}“ auf {self.place}")

    def frame(self) -> str:
        if not self.frames:
            raise NotOnPage(f"kein Rahmen auf {self.place}")
        return self.frames[0]

    def form_with(self, name: str) -> Form:
        """The first form with a field or a button of this name."""
        for form in self.forms:
            if form.has(name) or any(button.name == name for button in form.buttons):
                return form
        raise NotOnPage(f"kein Formular mit „{name}“ auf {self.place}")

    def says(self, *words: str) -> None:
        """Raises NotOnPage unless all of it can be read here."""
        for wanted in words:
            if wanted not in self.text:
                raise NotOnPage(f"„{wanted}“ steht nicht auf {self.place}: {self.text[:300]}")

    def says_one_of(self, *words: str) -> None:
        """Raises NotOnPage unless at least one of them can be read here."""
        if not any(wanted in self.text for wanted in words):
            raise NotOnPage(f"nichts von „{'“, „'.join(words)}“ steht auf {self.place}")

    @property
    def place(self) -> str:
        """The page's address without whose session it is."""
        return "/".join(part for part in self.url.split("/")[3:] if 0 < len(part) < 30) or "/"


@dataclass
class _OpenForm:
    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)

    def closed(self) -> Form:
        return Form(self.action, self.method, tuple(self.fields), tuple(self.buttons))


def read_page(url: str, status: int, html: str) -> Page:
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return Page(
        url=url,
        status=status,
        text=" ".join("".join(reader.text).split()),
        links=tuple(reader.links),
        frames=tuple(reader.frames),
        forms=tuple(form.closed() for form in reader.forms),
    )


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self._url = url
        self.text: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.frames: list[str] = []
        self.forms: list[_OpenForm] = []
        self._form: _OpenForm | None = None
        self._silent = 0
        # What is open and ends with a text: a link, a button, a textarea, an option.
        self._open: dict[str, tuple[Attributes, int]] = {}
        self._select: tuple[str, list[tuple[str, bool]]] | None = None

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _SILENT:
            self._silent += 1
        elif tag == "form":
            address = urljoin(self._url, given.get("action", "") or self._url)
            self._form = _OpenForm(address, given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "input":
            self._input(given)
        elif tag == "select":
            self._select = (given.get("name", ""), [])
        elif tag == "iframe":
            self.frames.append(urljoin(self._url, given.get("src", "")))
        elif tag in ("a", "button", "textarea", "option"):
            self._open[tag] = (given, len(self.text))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._close_select()
        elif tag in self._open:
            given, begin = self._open.pop(tag)
            self._close(tag, given, "".join(self.text[begin:]))
        self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)

    def _close(self, tag: str, given: Attributes, text: str) -> None:
        words = " ".join(text.split())
        if tag == "a":
            self.links.append((words, urljoin(self._url, given.get("href", ""))))
        elif tag == "option" and self._select:
            self._select[1].append((given.get("value", words), "selected" in given))
        elif tag == "textarea" and self._form:
            # The first line break after the tag is not part of the text (HTML, 13.2.6.4.7).
            self._form.fields.append((given.get("name", ""), text.removeprefix("\n")))
        elif tag == "button" and self._form and given.get("type", "submit") == "submit":
            address = given.get("formaction")
            action = urljoin(self._url, address) if address else self._form.action
            name, value = given.get("name", ""), given.get("value", "")
            self._form.buttons.append(Button(name, value, words, action))

    def _input(self, given: Attributes) -> None:
        kind, name = given.get("type", "text"), given.get("name", "")
        if self._form is None or not name:
            return
        if kind in _TYPED:
            self._form.fields.append((name, given.get("value", "")))
        elif kind in ("checkbox", "radio") and "checked" in given:
            self._form.fields.append((name, given.get("value", "on")))

    def _close_select(self) -> None:
        if self._select and self._form:
            name, options = self._select
            chosen = [value for value, is_chosen in options if is_chosen]
            self._form.fields += [(name, value) for value in _selected(chosen, options)]
        self._select = None


def _selected(chosen: list[str], options: list[tuple[str, bool]]) -> Iterator[str]:
    """Without a mark a browser sends the first option."""
    yield from chosen or [value for value, _ in options[:1]]
